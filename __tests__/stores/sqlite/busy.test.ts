import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { temporaryFolder } from '../../support/api.js';
import { entryOf, idOf } from '../../support/entries.js';
import { DRIVERS, fill, numbersIn, rawConnection } from '../../support/sqlite.js';

/** Locks a file against writers, as another process would. */
async function lock(file: string): Promise<AsyncDisposable> {
  const connection = await rawConnection(file);
  await connection.run('BEGIN IMMEDIATE');
  return {
    async [Symbol.asyncDispose]() {
      await connection.run('ROLLBACK');
      await connection.close();
    },
  };
}

describe.each(DRIVERS)('a locked file with driver %s', (driver) => {
  test('reads go on, and writes wait for the lock without blocking the event loop', async () => {
    await using folder = await temporaryFolder();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { driver }, Date.now);
    await fill(store, 0, 1);
    const locked = await lock(store.file);
    let isWritten = false;
    const writing = Promise.resolve(store.put([entryOf(1)])).then(() => {
      isWritten = true;
    });
    // A write that blocked the event loop would end by busyTimeout before the second read.
    for (let read = 0; read < 20; read += 1) {
      expect((await store.find(idOf(0)))?.kind).toBe('response');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(isWritten).toBe(false);
    await locked[Symbol.asyncDispose]();
    await writing;
    expect(await numbersIn(store)).toEqual([0, 1]);
    await store.close();
  });

  test('a write is refused after busyTimeout, and no write of the store after it is lost', async () => {
    await using folder = await temporaryFolder();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { driver, busyTimeout: 0.05 }, Date.now);
    await fill(store, 0, 1);
    const locked = await lock(store.file);
    const write = async () => store.put([entryOf(1)]);
    await expect(write()).rejects.toMatchObject({ kind: 'refusal' });
    await locked[Symbol.asyncDispose]();
    await fill(store, 2, 5);
    expect(await numbersIn(store)).toEqual([0, 2, 3, 4]);
    await store.close();
  });

  test('many writes at once of several stores are all made', async () => {
    await using folder = await temporaryFolder();
    const stores = [0, 1, 2].map(() => new SqliteStore(path.join(folder.path, 'cache'), { driver }, Date.now));
    const numbers = Array.from({ length: 300 }, (_, number) => number);
    await Promise.all(numbers.map((number) => stores[number % 3]?.put([entryOf(number)])));
    expect(await numbersIn(stores[0] as SqliteStore)).toEqual(numbers);
    for (const store of stores) await store.close();
  });
});

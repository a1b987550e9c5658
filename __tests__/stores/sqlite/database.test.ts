import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Entry } from '../../../lib/models/entry.js';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { temporaryFolder } from '../../support/api.js';
import { entryOf, idOf } from '../../support/entries.js';
import { until } from '../../support/faults.js';
import { expectPermissions } from '../../support/permissions.js';
import { DRIVERS, fill, numbersIn, rawQuery } from '../../support/sqlite.js';

if (DRIVERS.includes('node')) {
  test('a read by node:sqlite returns no promise, so that a hit costs no turn of the event loop', async () => {
    const store = new SqliteStore(':memory:', { driver: 'node' }, Date.now);
    await store.ready();
    expect([store.put([entryOf(1)]), (store.find(idOf(1)) as Entry).kind]).toEqual([true, 'response']);
    expect([store.find(idOf(2)), typeof store.currentOrder()]).toEqual([undefined, 'number']);
    await store.close();
  });
}

describe.each(DRIVERS)('the file of driver %s', (driver) => {
  const open = (file: string) => new SqliteStore(file, { driver }, Date.now);
  const remove = (file: string) => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  };

  test('is created with its folder, for its owner alone', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'new/deep/cache'));
    expect(existsSync(path.join(folder.path, 'new'))).toBe(false);
    await fill(store, 0, 1);
    expect(store.file).toBe(path.join(folder.path, 'new/deep/cache.sqlite'));
    for (const suffix of ['', '-wal', '-shm', '-reserve']) expectPermissions(store.file + suffix, 0o600);
    await store.close();
  });

  test('may be in memory', async () => {
    const store = open(':memory:');
    await fill(store, 0, 3);
    expect([await numbersIn(store), store.location, existsSync(':memory:')]).toEqual([[0, 1, 2], undefined, false]);
    await store.close();
  });

  test('is created anew by a write after it was deleted', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    await fill(store, 0, 2);
    remove(store.file);
    await fill(store, 2, 3);
    const other = open(store.file);
    expect([await numbersIn(store), await numbersIn(other)]).toEqual([[2], [2]]);
    await store.close();
    await other.close();
  });

  test('is read anew within a second after it was deleted or replaced', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    const other = open(path.join(folder.path, 'other'));
    await fill(store, 0, 1);
    await fill(other, 1, 2);
    await other.close();
    remove(store.file);
    await until('the deletion shows', async () => (await store.find(idOf(0))) === undefined);
    expect(existsSync(store.file)).toBe(true);
    remove(store.file);
    renameSync(other.file, store.file);
    await until('the other file shows', async () => (await store.find(idOf(1)))?.kind === 'response');
    await store.close();
  });

  test('is created where a link without a file refers to', async () => {
    await using folder = await temporaryFolder();
    const target = path.join(folder.path, 'target.db');
    symlinkSync(target, path.join(folder.path, 'cache.sqlite'));
    const store = open(path.join(folder.path, 'cache'));
    await fill(store, 0, 2);
    expect([await numbersIn(store), existsSync(target)]).toEqual([[0, 1], true]);
    expectPermissions(target, 0o600);
    await store.close();
  });

  test('is opened anew by a write after its WAL was deleted', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    await fill(store, 0, 2);
    rmSync(`${store.file}-wal`);
    await fill(store, 2, 3);
    const other = open(store.file);
    await fill(other, 3, 4);
    expect((await numbersIn(other)).slice(-2)).toEqual([2, 3]);
    expect(await rawQuery(store.file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    await other.close();
    await store.close();
  });

  test('gets a table anew that another program has dropped', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    await fill(store, 0, 2);
    await rawQuery(store.file, 'DROP TABLE responses_v2');
    const write = async () => fill(store, 2, 3);
    await write().catch(() => {});
    await write();
    expect(await numbersIn(store)).toEqual([2]);
    await store.close();
  });

  test('that is no database rejects until clear() starts a new one', async () => {
    await using folder = await temporaryFolder();
    const file = path.join(folder.path, 'cache.sqlite');
    writeFileSync(file, 'some text that is no database at all');
    const store = open(file);
    const find = async () => store.find(idOf(0));
    await expect(find()).rejects.toMatchObject({ kind: 'outage' });
    await expect(store.ready()).rejects.toMatchObject({ kind: 'outage' });
    for await (const _ of store.clear());
    await fill(store, 0, 1);
    expect(await numbersIn(store)).toEqual([0]);
    await store.close();
  });

  test('with damaged pages: what cannot be read is an unreadable entry, the rest is found', async () => {
    await using folder = await temporaryFolder();
    const writer = open(path.join(folder.path, 'cache'));
    await fill(writer, 0, 200, 1_000);
    await writer.close();
    const bytes = readFileSync(writer.file);
    bytes.fill(0xaa, bytes.length - 10 * 4096, bytes.length - 2 * 4096);
    writeFileSync(writer.file, bytes);
    const store = open(writer.file);
    const kinds: (string | undefined)[] = [];
    for (let number = 0; number < 200; number += 1) kinds.push((await store.find(idOf(number)))?.kind);
    expect(kinds.filter((kind) => kind === 'response').length).toBeGreaterThan(100);
    expect(kinds.filter((kind) => kind !== 'response').length).toBeGreaterThan(0);
    for await (const _ of store.clear());
    await fill(store, 0, 1);
    expect(await numbersIn(store)).toEqual([0]);
    await store.close();
  });

  test.each([
    ['is cut off', (value: Buffer) => value.subarray(0, -3)],
    ['lacks its body', (value: Buffer) => value.subarray(0, 200)],
    ['has something behind it', (value: Buffer) => Buffer.concat([value, Buffer.from('more')])],
    ['is of another format', () => Buffer.from('AKC1 and whatever followed')],
    ['is text', () => 'a text'],
    ['is a number', () => 42],
    ['is empty', () => Buffer.alloc(0)],
    ['is NULL', () => null],
  ])('an entry that %s is unreadable, is counted and can be deleted and replaced', async (_, damage) => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    await fill(store, 0, 3, 1_000);
    const [row] = await rawQuery(store.file, 'SELECT value FROM responses_v2 WHERE key = ?', idOf(1));
    const value = damage(Buffer.from(row?.value as Uint8Array));
    await rawQuery(store.file, 'UPDATE responses_v2 SET value = ? WHERE key = ?', value, idOf(1));
    expect((await store.find(idOf(1)))?.kind).toBe('unknown');
    const unknown: string[] = [];
    for await (const { id } of store.list({ kind: 'unknown' })) unknown.push(id);
    expect([unknown, await store.count(), await store.count({ kind: 'unknown' })]).toEqual([[idOf(1)], 3, 1]);
    expect([await store.count({ kind: 'response' }), await numbersIn(store)]).toEqual([2, [0, 1, 2]]);
    expect(await store.delete([idOf(1)])).toBe(1);
    await fill(store, 1, 2);
    expect((await store.find(idOf(1)))?.kind).toBe('response');
    await store.close();
  });

  test('entries of one write are stored together or not at all', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    await store.ready();
    await rawQuery(
      store.file,
      `CREATE TRIGGER forbidden BEFORE INSERT ON responses_v2 WHEN new.key = '${idOf(2)}' BEGIN SELECT RAISE(ABORT, 'no'); END`,
    );
    const write = async () => store.put([entryOf(1), entryOf(2)]);
    await expect(write()).rejects.toMatchObject({ kind: 'entry' });
    expect(await numbersIn(store)).toEqual([]);
    await store.close();
  });

  test('hundreds of entries are stored by one write', async () => {
    await using folder = await temporaryFolder();
    const store = open(path.join(folder.path, 'cache'));
    const numbers = Array.from({ length: 1_200 }, (_, number) => number);
    expect(await store.put(numbers.map((number) => entryOf(number)))).toBe(true);
    expect(await numbersIn(store)).toEqual(numbers);
    await store.close();
  });

  test('a second store of the process does not lose its locks when another one opens the file', async () => {
    await using folder = await temporaryFolder();
    const stores = [1, 2, 3].map(() => open(path.join(folder.path, 'cache')));
    for (const [index, store] of stores.entries()) await fill(store, index * 10, index * 10 + 10, 5_000);
    await stores[0]?.close();
    copyFileSync(stores[0]?.file ?? '', path.join(folder.path, 'copy'));
    expect(await rawQuery(stores[0]?.file ?? '', 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(await numbersIn(stores[2] as SqliteStore)).toHaveLength(30);
    for (const store of stores) await store.close();
  });
});

if (DRIVERS.length > 1) {
  test.each([
    ['node', 'keyv'],
    ['keyv', 'node'],
  ] as const)('driver %s has a file open: driver %s refuses it, and the default follows', async (first, second) => {
    await using folder = await temporaryFolder();
    const file = path.join(folder.path, 'cache');
    const [one, other, any] = [first, second, undefined].map(
      (driver) => new SqliteStore(file, { driver }, Date.now),
    ) as [SqliteStore, SqliteStore, SqliteStore];
    await fill(one, 0, 1);
    await expect(other.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_STATE' });
    expect(await numbersIn(any)).toEqual([0]);
    await one.close();
    await expect(other.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_STATE' });
    await any.close();
    expect(await numbersIn(other)).toEqual([0]);
    await other.close();
  });
}

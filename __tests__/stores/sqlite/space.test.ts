import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { IS_EXPIRED, TABLE } from '../../../lib/stores/sqlite/schema.js';
import { temporaryFolder } from '../../support/api.js';
import { idOf } from '../../support/entries.js';
import { until } from '../../support/faults.js';
import { DRIVERS, fill, numbersIn, rawQuery } from '../../support/sqlite.js';

async function steps(work: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const step of work) all.push(step);
  return all;
}

describe.each(DRIVERS)('space with driver %s', (driver) => {
  const open = (folder: { readonly path: string }) =>
    new SqliteStore(path.join(folder.path, 'cache'), { driver }, Date.now);
  const sizeOf = (store: SqliteStore) => statSync(store.file).size;

  test.each<[string, (store: SqliteStore) => Promise<unknown>]>([
    ['expired entries are deleted', (store) => steps(store.deleteExpired(2_000))],
    ['the cache is cleared', (store) => steps(store.clear())],
    ['entries are deleted by id', (store) => store.delete(Array.from({ length: 300 }, (_, index) => idOf(index)))],
  ])('is returned when %s', async (_, remove) => {
    await using folder = await temporaryFolder();
    const store = open(folder);
    await fill(store, 0, 300, 20_000);
    await steps(store.vacuum());
    expect(sizeOf(store)).toBeGreaterThan(6_000_000);
    await remove(store);
    expect(await numbersIn(store)).toEqual([]);
    await until('the file is small', () => sizeOf(store) < 300_000);
    await store.close();
  });

  test('entries are deleted in steps of at most 100', async () => {
    await using folder = await temporaryFolder();
    const store = open(folder);
    await fill(store, 0, 1_050);
    const removed = await steps(store.deleteExpired(2_000));
    expect(removed.filter((number) => Number(number) > 0)).toEqual([...Array.from({ length: 10 }, () => 100), 50]);
    await store.close();
  });

  test('vacuum() rewrites a file that another program created without incremental vacuum', async () => {
    await using folder = await temporaryFolder();
    const store = open(folder);
    await rawQuery(store.file, 'CREATE TABLE other (a)');
    await fill(store, 0, 200, 20_000);
    await rawQuery(store.file, 'PRAGMA wal_checkpoint(TRUNCATE)');
    await steps(store.clear());
    expect(sizeOf(store)).toBeGreaterThan(3_000_000);
    await steps(store.vacuum());
    expect(sizeOf(store)).toBeLessThan(300_000);
    await fill(store, 0, 5);
    expect(await numbersIn(store)).toEqual([0, 1, 2, 3, 4]);
    expect(await rawQuery(store.file, 'PRAGMA auto_vacuum')).toEqual([{ auto_vacuum: 2 }]);
    await store.close();
  });

  test('size() counts the files, and one file is left after close()', async () => {
    await using folder = await temporaryFolder();
    const store = open(folder);
    await fill(store, 0, 10, 20_000);
    expect(await store.size()).toBeGreaterThan(200_000);
    expect(store.location).toBe(store.file);
    await store.close();
    expect(['', '-wal', '-shm', '-reserve'].map((suffix) => existsSync(store.file + suffix))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(await store.size()).toBe(sizeOf(store));
  });

  test('a paused listing does not make the WAL grow', async () => {
    await using folder = await temporaryFolder();
    const store = open(folder);
    await fill(store, 0, 600);
    const listing = store.list()[Symbol.asyncIterator]();
    await listing.next();
    for (let round = 0; round < 30; round += 1) await fill(store, 0, 50, 20_000);
    expect(statSync(`${store.file}-wal`).size).toBeLessThan(12_000_000);
    await listing.return?.(undefined);
    await store.close();
  });
});

test.each([['expired entries', `DELETE FROM ${TABLE} WHERE ${IS_EXPIRED}`, `${TABLE}_stale_at`]])(
  '%s are found by an index',
  async (_, sql, index) => {
    await using folder = await temporaryFolder();
    const store = new SqliteStore(path.join(folder.path, 'cache'), {}, Date.now);
    await store.ready();
    const plan = await rawQuery(store.file, `EXPLAIN QUERY PLAN ${sql}`, Buffer.from('1'));
    expect(JSON.stringify(plan)).toContain(`USING INDEX ${index}`);
    await store.close();
  },
);

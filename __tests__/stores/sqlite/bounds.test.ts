import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { TABLE } from '../../../lib/stores/sqlite/schema.js';
import { temporaryFolder } from '../../support/api.js';
import { TestClock } from '../../support/clock.js';
import { idOf } from '../../support/entries.js';
import { DRIVERS, fill, numbersIn, rawQuery } from '../../support/sqlite.js';

describe.each(DRIVERS)('bounds with driver %s', (driver) => {
  test('count the entries that were there before, and those that others write and delete', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const clock = new TestClock();
    const [unbounded, bounded, other] = [{}, { maxEntries: 10 }, { maxEntries: 10 }].map(
      (options) => new SqliteStore(cacheName, { ...options, driver }, clock.now),
    ) as [SqliteStore, SqliteStore, SqliteStore];
    await fill(unbounded, 0, 30);
    await bounded.ready();
    await fill(unbounded, 30, 35);
    clock.advance(1);
    await fill(bounded, 35, 36);
    expect(await numbersIn(bounded)).toEqual([26, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
    await bounded.delete([35, 34, 33, 32].map(idOf));
    clock.advance(1);
    await fill(bounded, 100, 105);
    await fill(other, 200, 205);
    expect(await numbersIn(bounded)).toEqual([100, 101, 102, 103, 104, 200, 201, 202, 203, 204]);
    await fill(bounded, 100, 105, 20);
    expect(await numbersIn(bounded)).toHaveLength(10);
    const [extent] = await rawQuery(bounded.file, `SELECT entries, bytes FROM ${TABLE}_extent`);
    const [counted] = await rawQuery(
      bounded.file,
      `SELECT count(*) AS entries, sum(length(value)) AS bytes FROM ${TABLE}`,
    );
    expect(extent).toEqual(counted);
    for (const store of [unbounded, bounded, other]) await store.close();
  });

  test('evict the least recently used entry, also by uses of an earlier process', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const clock = new TestClock();
    const first = new SqliteStore(cacheName, { maxEntries: 5, driver }, clock.now);
    await fill(first, 0, 5);
    clock.advance(1);
    for (const index of [0, 2]) await first.find(idOf(index));
    await first.close();
    const second = new SqliteStore(cacheName, { maxEntries: 5, driver }, clock.now);
    clock.advance(1);
    await fill(second, 5, 8);
    expect(await numbersIn(second)).toEqual([0, 2, 5, 6, 7]);
    await second.close();
  });

  test('note the uses of a process that only writes', async () => {
    await using folder = await temporaryFolder();
    const clock = new TestClock();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { maxEntries: 200, driver }, clock.now);
    await fill(store, 0, 100);
    clock.advance(1);
    await fill(store, 0, 100, 20);
    const [noted] = await rawQuery(store.file, `SELECT min(used) AS least FROM ${TABLE}_uses`);
    expect(noted?.least).toBe(clock.now());
    await store.close();
  });

  test('are set by several stores at once', async () => {
    await using folder = await temporaryFolder();
    const stores = [1, 2, 3, 4].map(
      () => new SqliteStore(path.join(folder.path, 'cache'), { maxEntries: 10, driver }, Date.now),
    );
    await Promise.all(stores.map((store) => store.ready()));
    for (const [index, store] of stores.entries()) await fill(store, index * 10, index * 10 + 10);
    for (const store of stores) await store.close();
    expect(await rawQuery(stores[0]?.file ?? '', `SELECT entries FROM ${TABLE}_extent`)).toEqual([{ entries: 10 }]);
  });

  test('that are far below the content of the file are reached by several writes', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const large = new SqliteStore(cacheName, { driver }, Date.now);
    await fill(large, 0, 150);
    await large.close();
    const small = new SqliteStore(cacheName, { maxEntries: 10, driver }, Date.now);
    const lengths: number[] = [];
    for (let index = 150; index < 155; index += 1) {
      await fill(small, index, index + 1);
      lengths.push((await numbersIn(small)).length);
    }
    expect(lengths).toEqual([101, 52, 10, 10, 10]);
    await small.close();
  });

  test('an entry that is larger than the bound is refused, and the others stay', async () => {
    await using folder = await temporaryFolder();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { maxSize: 20_000, driver }, Date.now);
    expect(store.maxEntrySize).toBe(20_000);
    await fill(store, 0, 10, 1_000);
    const tooLarge = async () => fill(store, 10, 11, 19_950);
    await expect(tooLarge()).rejects.toMatchObject({ name: 'StoreFailure', kind: 'entry' });
    expect(await numbersIn(store)).toHaveLength(10);
    await store.close();
  });

  test('evict no more than is needed', async () => {
    await using folder = await temporaryFolder();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { maxSize: 100_000, driver }, Date.now);
    const kept: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      await fill(store, index, index + 1, 9_000);
      kept.push((await numbersIn(store)).length);
    }
    expect(kept).toEqual(Array.from({ length: 40 }, (_, index) => Math.min(index + 1, 10)));
    await fill(store, 40, 41, 18_000);
    expect(await numbersIn(store)).toEqual([32, 33, 34, 35, 36, 37, 38, 39, 40]);
    await store.close();
  });
});

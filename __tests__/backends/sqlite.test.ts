import { existsSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { SqliteCache } from '../../lib/cache/backends/sqlite-cache.js';
import { setupCache } from '../../lib/setup-cache.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';
import { DRIVERS, rawQuery, rawStore, TABLE } from '../support/sqlite.js';
import { describeBackend, entry } from './contract.js';

describe.each(DRIVERS)('driver %s', (driver) => {
  describeBackend('sqlite', {
    open: (folder, cacheName, options, now) =>
      new SqliteStore(path.join(folder, cacheName), { ...options, driver }, now),
    persistent: true,
    ordered: true,
    processModule: '__tests__/backends/sqlite-process.ts',
    processArgument: () => driver,
    plantGarbage: async (folder, cacheName, id) => {
      await rawStore(path.join(folder, `${cacheName}.sqlite`)).set(id, 'not ours');
    },
  });
});

test('the file is made with its folder, for its owner alone', async () => {
  await using folder = await temporaryFolder();
  const store = new SqliteStore(path.join(folder.path, 'new/deep/cache'), {}, Date.now);
  expect(existsSync(path.join(folder.path, 'new'))).toBe(false);
  await store.ready();
  expect(store.file).toBe(path.join(folder.path, 'new/deep/cache.sqlite'));
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(store.file + suffix).mode & 0o777).toBe(0o600);
  await store.close();
});

describe('bounds', () => {
  const idOf = (index: number) => index.toString(16).padStart(64, '0');
  const fill = async (store: SqliteStore, from: number, to: number, size = 10) => {
    for (let index = from; index < to; index += 1) {
      await store.put([entry('a', { id: idOf(index), group: idOf(index), body: Buffer.alloc(size) })]);
    }
  };
  const left = async (store: SqliteStore) => {
    const found: number[] = [];
    for await (const { id } of store.list()) found.push(Number.parseInt(id, 16));
    return found.sort((a, b) => a - b);
  };

  test('count what was there before them, what others write and what goes', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const clock = new TestClock();
    const [unbounded, bounded, other] = [{}, { maxEntries: 10 }, { maxEntries: 10 }].map(
      (options) => new SqliteStore(cacheName, options, clock.now),
    ) as [SqliteStore, SqliteStore, SqliteStore];
    await fill(unbounded, 0, 30);
    await bounded.ready();
    await fill(unbounded, 30, 35);
    clock.advance(1);
    await fill(bounded, 35, 36);
    expect(await left(bounded)).toEqual([26, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
    await bounded.delete([35, 34, 33, 32].map(idOf));
    clock.advance(1);
    await fill(bounded, 100, 105);
    await fill(other, 200, 205);
    expect(await left(bounded)).toEqual([100, 101, 102, 103, 104, 200, 201, 202, 203, 204]);
    await fill(bounded, 100, 105, 20);
    expect(await left(bounded)).toHaveLength(10);
    const [extent] = await rawQuery(bounded.file, `SELECT entries, bytes FROM ${TABLE}_extent`);
    const [counted] = await rawQuery(
      bounded.file,
      `SELECT count(*) AS entries, sum(length(value)) AS bytes FROM ${TABLE}`,
    );
    expect(extent).toEqual(counted);
    for (const store of [unbounded, bounded, other]) await store.close();
  });

  test('let go of what was used longest ago, also by a process before', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const clock = new TestClock();
    const first = new SqliteStore(cacheName, { maxEntries: 5 }, clock.now);
    await fill(first, 0, 5);
    clock.advance(1);
    for (const index of [0, 2]) await first.find(idOf(index));
    await first.close();
    const second = new SqliteStore(cacheName, { maxEntries: 5 }, clock.now);
    clock.advance(1);
    await fill(second, 5, 8);
    expect(await left(second)).toEqual([0, 2, 5, 6, 7]);
    await second.close();
  });

  test('are opened by several at once', async () => {
    await using folder = await temporaryFolder();
    const stores = [1, 2, 3, 4].map(
      () => new SqliteStore(path.join(folder.path, 'cache'), { maxEntries: 10 }, Date.now),
    );
    await Promise.all(stores.map((store) => store.ready()));
    for (const [index, store] of stores.entries()) await fill(store, index * 10, index * 10 + 10);
    for (const store of stores) await store.close();
    expect(await rawQuery(stores[0]?.file ?? '', `SELECT entries FROM ${TABLE}_extent`)).toEqual([{ entries: 10 }]);
  });

  test('that were lowered by far are reached by several writes', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const large = new SqliteStore(cacheName, {}, Date.now);
    await fill(large, 0, 150);
    await large.close();
    const small = new SqliteStore(cacheName, { maxEntries: 10 }, Date.now);
    const lengths: number[] = [];
    for (let index = 150; index < 155; index += 1) {
      await fill(small, index, index + 1);
      lengths.push((await left(small)).length);
    }
    expect(lengths).toEqual([101, 52, 10, 10, 10]);
    await small.close();
  });
});

test('purging goes step by step', async () => {
  await using folder = await temporaryFolder();
  const store = new SqliteStore(path.join(folder.path, 'cache'), {}, Date.now);
  for (let index = 0; index < 1_200; index += 1) await store.put([entry('a', { id: `${index}` })]);
  const steps: number[] = [];
  for await (const removed of store.deleteExpired(2_000)) steps.push(removed);
  expect(steps.filter((removed) => removed > 0)).toEqual(Array.from({ length: 12 }, () => 100));
  await store.close();
});

test('deleting expired entries uses an index', async () => {
  await using folder = await temporaryFolder();
  const store = new SqliteStore(path.join(folder.path, 'cache'), {}, Date.now);
  await store.ready();
  const plan = async (sql: string) =>
    JSON.stringify(await rawQuery(store.file, `EXPLAIN QUERY PLAN ${sql}`, Buffer.from('1')));
  expect(await plan(`DELETE FROM ${TABLE} WHERE substr(value, 20, 13) <= ?`)).toContain(
    `USING INDEX ${TABLE}_stale_at`,
  );
  await store.close();
});

test.each([
  ['is no database', 'this is no database at all, but some text'],
  ['is damaged', `SQLite format 3\0${'x'.repeat(5_000)}`],
])('a file that %s: requests go on, an event says so, and clear() starts a new one', async (_, content) => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'cache.sqlite');
  writeFileSync(file, content);
  await using bench = await startBench({ backend: 'sqlite', cacheName: file });
  expect((await bench.api.get('/')).data.count).toBe(1);
  expect((await bench.api.get('/')).data.count).toBe(2);
  expect(bench.events.filter(({ type }) => type === 'error')).toHaveLength(1);
  await bench.api.cache.clear();
  await bench.api.cache.ready();
  expect(await bench.api.cache.responseCount()).toBe(0);
});

test('a cache survives the process: another instance on the same file is served', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache');
  await using bench = await startBench({ backend: 'sqlite', cacheName });
  await bench.api.get('/');
  const other = setupCache(
    axios.create({ baseURL: bench.origin.url }),
    { backend: new SqliteCache({ cacheName }, bench.clock) },
    bench.clock,
  );
  expect((await other.get('/')).fromCache).toBe(true);
  await other.detachCache();
  await other.cache?.close();
});

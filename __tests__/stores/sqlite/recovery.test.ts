import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { startBench, temporaryFolder } from '../../support/api.js';
import { program } from '../../support/child.js';
import { entryOf, idOf } from '../../support/entries.js';
import { DRIVERS, fill, numbersIn, rawQuery } from '../../support/sqlite.js';

const PAGE = 4096;
const ENTRIES = 200;

/** Overwrites pages of a file: from one number to before another. */
function overwrite(file: string, from: number, to: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0xaa, from * PAGE, to * PAGE);
  writeFileSync(file, bytes);
}

function overwriteEach(file: string, pages: readonly number[]): void {
  for (const page of pages) overwrite(file, page, page + 1);
}

function pagesOf(file: string): number {
  return readFileSync(file).byteLength / PAGE;
}

function setAside(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^cache\.sqlite\.damaged-\d{8}T\d{9}Z$/.test(name));
}

describe.each(DRIVERS)('a damaged file of driver %s', (driver) => {
  const open = (folder: string, options = {}) => {
    const store = new SqliteStore(path.join(folder, 'cache'), { driver, ...options }, Date.now);
    const notices: string[] = [];
    store.onReplaced(({ message }) => void notices.push(message));
    return { store, notices };
  };
  const filled = async (folder: string, options = {}) => {
    const { store } = open(folder, options);
    await fill(store, 0, ENTRIES, 1_000);
    await store.invalidate(['d'.repeat(32)]);
    await store.close();
    return store.file;
  };

  test.each<[string, (file: string) => void, number]>([
    ['whose first page is overwritten', (file) => overwrite(file, 0, 1), ENTRIES],
    ['whose header is overwritten', (file) => writeFileSync(file, readFileSync(file).fill(0xaa, 0, 100)), ENTRIES],
    [
      'whose first page has another format',
      (file) => writeFileSync(file, readFileSync(file).fill(0xaa, 100, 200)),
      ENTRIES,
    ],
    ['with the pages of indexes overwritten', (file) => overwrite(file, 3, 12), ENTRIES],
    ['without the root of its entries', (file) => overwrite(file, 2, 3), 0],
    ['with pages in the middle overwritten', (file) => overwrite(file, 30, 40), ENTRIES - 60],
    ['with its last pages overwritten', (file) => overwrite(file, pagesOf(file) - 8, pagesOf(file)), ENTRIES - 60],
    ['with many gaps', (file) => overwriteEach(file, [20, 24, 28, 32, 36]), ENTRIES - 60],
    ['that is cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, 40 * PAGE)), 50],
    ['of which a part of the header is left', (file) => writeFileSync(file, readFileSync(file).subarray(0, 100)), 0],
    ['that is all zeros', (file) => writeFileSync(file, readFileSync(file).fill(0)), 0],
  ])('%s is replaced by one with the entries that can be read', async (_, damage, least) => {
    await using folder = await temporaryFolder();
    const file = await filled(folder.path);
    damage(file);
    const { store, notices } = open(folder.path);
    for (let number = 0; number < ENTRIES; number += 1) await store.find(idOf(number));
    const order = Number(await store.currentOrder());
    expect(await store.put([entryOf(ENTRIES, { order })])).toBe(true);
    const kept = await numbersIn(store);
    expect(kept.length).toBeGreaterThan(least);
    for (const number of kept) expect((await store.find(idOf(number)))?.kind).toBe('response');
    for (let number = 0; number < ENTRIES; number += 1)
      expect(await store.put([entryOf(number, { order })])).toBe(true);
    expect(await numbersIn(store)).toHaveLength(ENTRIES + 1);
    expect(await rawQuery(file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    await store.close();
    const [aside] = setAside(folder.path);
    expect([notices, setAside(folder.path)]).toEqual([[expect.stringContaining(String(aside))], [aside]]);
    expect(readdirSync(folder.path).sort()).toEqual(['cache.sqlite', aside]);
  });

  test.each([
    ['text', Buffer.from('some text that is no database at all, although it mentions responses_v2')],
    ['a text in the place of a database', Buffer.from(`SQLite format 3\0${'x'.repeat(5_000)}`)],
    ['bytes', Buffer.alloc(20_000, 0x5a)],
  ])('a file of %s, which is not ours, stays until clear() moves it', async (_, content) => {
    await using folder = await temporaryFolder();
    const file = path.join(folder.path, 'cache.sqlite');
    writeFileSync(file, content);
    const { store, notices } = open(folder.path);
    await expect((async () => store.find(idOf(0)))()).rejects.toMatchObject({ kind: 'outage' });
    await expect((async () => store.put([entryOf(0)]))()).rejects.toMatchObject({ kind: 'outage' });
    expect([readFileSync(file), notices, readdirSync(folder.path)]).toEqual([content, [], ['cache.sqlite']]);
    for await (const _step of store.clear());
    await fill(store, 0, 1);
    expect(await numbersIn(store)).toEqual([0]);
    await store.close();
    const [aside] = readdirSync(folder.path).filter((name) => name.startsWith('cache.sqlite.replaced-'));
    expect(readFileSync(path.join(folder.path, String(aside)))).toEqual(content);
  });

  test.each<[string, (file: string) => void]>([
    ['pages in the middle', (file) => overwrite(file, 30, 40)],
    ['its first page', (file) => overwrite(file, 0, 1)],
  ])('a database with tables of others, damaged in %s, is never moved', async (_, damage) => {
    await using folder = await temporaryFolder();
    const file = await filled(folder.path);
    await rawQuery(file, 'CREATE TABLE accounts (name TEXT)');
    damage(file);
    const before = readFileSync(file);
    const { store, notices } = open(folder.path);
    const put = async () => store.put([entryOf(0)]);
    for (let attempt = 0; attempt < 3; attempt += 1) await put().catch(() => {});
    await (async () => {
      for await (const _step of store.clear());
    })().catch(() => {});
    await store.close();
    expect([notices, readdirSync(folder.path)]).toEqual([[], ['cache.sqlite']]);
    expect(readFileSync(file).subarray(30 * PAGE, 40 * PAGE)).toEqual(before.subarray(30 * PAGE, 40 * PAGE));
  });

  test('invalidations are kept, so that an older response is not stored', async () => {
    await using folder = await temporaryFolder();
    const { store } = open(folder.path);
    await fill(store, 0, ENTRIES, 1_000);
    const order = Number(await store.currentOrder());
    await store.invalidate(['e'.repeat(32)]);
    await store.close();
    overwrite(store.file, 40, 44);
    const { store: again } = open(folder.path);
    for (let number = 0; number < ENTRIES; number += 1) await again.find(idOf(number));
    expect(await again.put([entryOf(1, { order, indexes: ['e'.repeat(32)] })])).toBe(false);
    expect(await again.put([entryOf(1, { order, indexes: ['f'.repeat(32)] })])).toBe(true);
    await again.close();
  });

  test('without readable invalidations every response requested before the replacement is refused', async () => {
    await using folder = await temporaryFolder();
    const { store } = open(folder.path);
    await fill(store, 0, ENTRIES, 1_000);
    const order = Number(await store.currentOrder());
    await store.close();
    overwrite(store.file, 0, 1);
    const { store: again } = open(folder.path);
    await again.find(idOf(0));
    expect(await again.put([entryOf(1, { order })])).toBe(false);
    expect(await again.put([entryOf(1, { order: Number(await again.currentOrder()) })])).toBe(true);
    await again.close();
  });

  test('that is bounded stays within its bounds', async () => {
    await using folder = await temporaryFolder();
    const bounds = { maxEntries: ENTRIES };
    const file = await filled(folder.path, bounds);
    overwrite(file, 0, 1);
    const { store } = open(folder.path, bounds);
    await store.ready();
    const order = Number(await store.currentOrder());
    for (let number = ENTRIES; number < ENTRIES + 50; number += 1) await store.put([entryOf(number, { order })]);
    expect(await numbersIn(store)).toHaveLength(ENTRIES);
    await store.close();
  });

  test('the damaged file of an earlier replacement, clear() and a killed process leave nothing', async () => {
    await using folder = await temporaryFolder();
    const file = await filled(folder.path);
    const abandoned = `${file}.${'0'.repeat(16)}.tmp`;
    const others = [`${file}.0.tmp`, `${file}.damaged-mine`];
    for (const name of [abandoned, ...others]) writeFileSync(name, 'x');
    utimesSync(abandoned, 0, 0);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      overwrite(file, 0, 1);
      const { store } = open(folder.path);
      await store.ready();
      expect([setAside(folder.path).length, existsSync(abandoned)]).toEqual([1, false]);
      await store.close();
    }
    const { store } = open(folder.path);
    for await (const _ of store.clear());
    await store.close();
    expect(readdirSync(folder.path).sort()).toEqual([
      'cache.sqlite',
      'cache.sqlite.0.tmp',
      'cache.sqlite.damaged-mine',
    ]);
  });

  test('that a link refers to is replaced where it is', async () => {
    await using folder = await temporaryFolder();
    const file = await filled(folder.path);
    const target = path.join(folder.path, 'target.db');
    renameSync(file, target);
    symlinkSync(target, file);
    overwrite(target, 0, 1);
    const { store } = open(folder.path);
    expect(await numbersIn(store)).toHaveLength(ENTRIES);
    await store.close();
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('target.db.damaged-'))).toHaveLength(1);
  });

  test('is noticed by a cache that has it open', async () => {
    await using folder = await temporaryFolder();
    const { store, notices } = open(folder.path);
    const reader = open(folder.path);
    await fill(store, 0, ENTRIES, 1_000);
    await rawQuery(store.file, 'PRAGMA wal_checkpoint(TRUNCATE)');
    await reader.store.find(idOf(0));
    overwrite(store.file, 20, pagesOf(store.file));
    for (let round = 0; round < 2; round += 1) {
      for (let number = 0; number < ENTRIES; number += 1) {
        await store.put([entryOf(number, { body: Buffer.alloc(1_000) })]);
      }
    }
    expect(notices.length).toBeLessThanOrEqual(1);
    await reader.store.put([entryOf(ENTRIES)]);
    expect(await numbersIn(store)).toHaveLength(ENTRIES + 1);
    expect(await numbersIn(reader.store)).toHaveLength(ENTRIES + 1);
    expect(await rawQuery(store.file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    await store.close();
    await reader.store.close();
  });

  test('is replaced once, by one of the processes that find it', async () => {
    await using folder = await temporaryFolder();
    const file = await filled(folder.path);
    overwrite(file, 0, 1);
    await using child = program(`
      import { SqliteStore } from './lib/stores/sqlite/index.js';
      import { entryOf } from './__tests__/support/entries.js';
      const [, , file, driver, own] = process.argv;
      const store = new SqliteStore(file, { driver }, Date.now);
      let notices = 0;
      store.onReplaced(() => notices += 1);
      for (let n = 0; n < 50; n += 1) {
        try { await store.put([entryOf(1000 * own + n, { order: Number(await store.currentOrder()) })]); } catch (error) { console.log('failed', error.message); }
      }
      await store.close();
      console.log(notices);
    `);
    const outputs = await Promise.all(['1', '2', '3'].map((own) => child.run(file, driver, own)));
    expect(outputs.map((output) => output.trim()).sort()).toEqual(['0', '0', '1']);
    const { store } = open(folder.path);
    expect(await numbersIn(store)).toHaveLength(ENTRIES + 150);
    expect(setAside(folder.path)).toHaveLength(1);
    await store.close();
  });
});

test('a damaged file is reported by one event, and requests are hits again', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache.sqlite');
  await using bench = await startBench({ backend: 'sqlite', cacheName });
  for (let number = 0; number < 20; number += 1) await bench.api.get(`/${number}`);
  await bench.api.detachCache();
  overwrite(cacheName, 0, 1);
  const api = bench.more({ backend: 'sqlite', cacheName });
  await api.cache.ready();
  for (let number = 0; number < 20; number += 1) expect((await api.get(`/${number}`)).fromCache).toBe(true);
  const errors = bench.events.filter(({ type }) => type === 'error');
  expect(errors).toMatchObject([{ reason: 'store-replaced', store: 'sqlite' }]);
  expect(String(errors[0]?.error)).toContain('20 entries');
});

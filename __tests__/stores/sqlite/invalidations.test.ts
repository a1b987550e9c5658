import { rmSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { TABLE } from '../../../lib/stores/sqlite/schema.js';
import { temporaryFolder } from '../../support/api.js';
import { TestClock } from '../../support/clock.js';
import { entryOf, idOf } from '../../support/entries.js';
import { DRIVERS, rawQuery } from '../../support/sqlite.js';

const digest = (letter: string) => letter.repeat(32);

describe.each(DRIVERS)('invalidations with driver %s', (driver) => {
  const start = async (folder: { readonly path: string }) => {
    const clock = new TestClock();
    const store = new SqliteStore(path.join(folder.path, 'cache'), { driver }, clock.now);
    const put = (number: number, order: number, ...letters: string[]) =>
      store.put([entryOf(number, { order, indexes: letters.map(digest) })]);
    return { clock, store, put, order: async () => store.currentOrder() };
  };

  test('are removed after an hour, and an older order is refused nevertheless', async () => {
    await using folder = await temporaryFolder();
    const { clock, store, put, order } = await start(folder);
    const before = await order();
    await store.invalidate([digest('1'), digest('2')]);
    const after = await order();
    clock.advance(3_500);
    await store.invalidate([digest('3')]);
    expect([await put(1, before, '4'), await put(1, before, '1')]).toEqual([true, false]);
    clock.advance(3_500);
    await store.invalidate([digest('5')]);
    const rows = await rawQuery(store.file, `SELECT digest FROM ${TABLE}_invalidations ORDER BY digest`);
    expect(rows.map((row) => row.digest)).toEqual(['', '#', digest('3'), digest('5')]);
    expect([await put(2, before, '1'), await put(2, before, '4')]).toEqual([false, false]);
    expect([await put(2, after, '1'), await put(2, after, '3'), await put(2, await order(), '3')]).toEqual([
      true,
      false,
      true,
    ]);
    await store.close();
  });

  test('one of several entries that is out of date keeps all of them out', async () => {
    await using folder = await temporaryFolder();
    const { store, order } = await start(folder);
    const before = await order();
    await store.invalidate([digest('2')]);
    const entries = [
      entryOf(1, { order: before, indexes: [digest('1')] }),
      entryOf(2, { order: before, indexes: [digest('1'), digest('2')] }),
    ];
    expect(await store.put(entries)).toBe(false);
    expect([await store.find(idOf(1)), await store.find(idOf(2))]).toEqual([undefined, undefined]);
    await store.close();
  });

  test('an omitted redirect is distinguished from one that is out of date', async () => {
    await using folder = await temporaryFolder();
    const { store, put, order } = await start(folder);
    const before = await order();
    await put(1, before, '1');
    const redirect = (at: number) =>
      entryOf(1, { kind: 'redirect', group: idOf(2), order: at, indexes: [digest('1')] });
    expect(await store.put([redirect(before)])).toBe(true);
    await store.invalidate([digest('1')]);
    expect([await store.put([redirect(before)]), await store.put([redirect(await order())])]).toEqual([false, true]);
    expect((await store.find(idOf(1)))?.kind).toBe('response');
    await store.close();
  });

  test('the order of a file that was deleted is older than every invalidation of the new one', async () => {
    await using folder = await temporaryFolder();
    const { store, put, order } = await start(folder);
    const before = await order();
    for (const suffix of ['', '-wal', '-shm']) rmSync(store.file + suffix, { force: true });
    await store.invalidate([digest('1')]);
    expect(await order()).toBeGreaterThan(before);
    expect([await put(1, before, '1'), await put(1, before, '2')]).toEqual([false, true]);
    // As after the clock was set back: the counter of the new file is below that of the old one.
    await rawQuery(store.file, `UPDATE ${TABLE}_invalidations SET stamp = 5`);
    expect([await put(2, before, '1'), await put(2, 5, '1')]).toEqual([false, true]);
    await store.close();
  });
});

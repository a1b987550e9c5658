import { isBuiltin } from 'node:module';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import KeyvSqlite from '@keyv/sqlite';
import Keyv from 'keyv';
import { KeyvCache } from '../../../lib/cache/backends/keyv-cache.js';
import { NodeSqliteAdapter } from '../../../lib/stores/sqlite/node-sqlite-adapter.js';
import { startBench, temporaryFolder } from '../../support/api.js';
import { DRIVERS, rawQuery } from '../../support/sqlite.js';

const keyv = (store: NodeSqliteAdapter, namespace?: string) =>
  new Keyv({ store, throwOnErrors: true, ...(namespace === undefined ? {} : { namespace }) } as object);

async function entriesOf(one: Keyv): Promise<unknown[]> {
  const found: unknown[] = [];
  // Keyv 5 has the generator function only for adapters over which it can iterate.
  for await (const entry of one.iterator?.(undefined) ?? []) found.push(entry);
  return found.sort();
}

test.each([
  ['file', { file: 4 }],
  ['file', { file: '' }],
  ['table', { table: 'a"; DROP TABLE b' }],
  ['table', { table: 'sqlite_master' }],
  ['busyTimeout', { busyTimeout: -1 }],
])('a wrong %s is refused', (option, options) => {
  expect(() => new NodeSqliteAdapter(options as object)).toThrow(new RegExp(`^${option}: .* is not accepted`));
});

if (!isBuiltin('node:sqlite')) {
  test('a runtime without node:sqlite is refused', () => {
    expect(() => new NodeSqliteAdapter()).toThrow(/needs node:sqlite/);
  });
} else {
  describe('under Keyv', () => {
    test('keeps values, and deletes and lists them by namespace', async () => {
      await using folder = await temporaryFolder();
      const file = path.join(folder.path, 'keyv.sqlite');
      const [one, other, plain] = [
        keyv(new NodeSqliteAdapter(file), 'user_1'),
        keyv(new NodeSqliteAdapter(`sqlite://${file}`), 'userX1'),
        keyv(new NodeSqliteAdapter({ file, table: 'plain' })),
      ];
      const text = 'NUL \0, ü, 😀 and "quotes"';
      for (const store of [one, other, plain]) {
        await store.set('a', { text });
        await store.set('b', 2);
        await store.set('c', 3);
      }
      expect(await one.get('a')).toEqual({ text });
      expect(await one.get(['a', 'x', 'b'])).toEqual([{ text }, undefined, 2]);
      expect([await one.has('b'), await one.has('x')]).toEqual([true, false]);
      expect([await one.delete('b'), await one.delete('x'), await one.get('b')]).toEqual([true, false, undefined]);
      expect(await entriesOf(one)).toEqual([
        ['a', { text }],
        ['c', 3],
      ]);
      await one.clear();
      expect([await entriesOf(one), (await entriesOf(other)).length, await plain.get('b')]).toEqual([[], 3, 2]);
      await plain.clear();
      expect([await plain.get('b'), await other.get('b')]).toEqual([undefined, 2]);
      for (const store of [one, other, plain]) await store.disconnect();
    });

    test('a ttl ends by Keyv, and many values are written at once', async () => {
      const store = keyv(new NodeSqliteAdapter(), 'brief');
      await store.set('a', 1, 30);
      await store.setMany([
        { key: 'b', value: 2 },
        { key: 'c', value: 3, ttl: 60_000 },
      ]);
      expect(await store.get(['a', 'b', 'c'])).toEqual([1, 2, 3]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([await store.get('a'), await store.get('c')]).toEqual([undefined, 3]);
      await store.delete(['b', 'c']);
      expect(await store.get(['b', 'c'])).toEqual([undefined, undefined]);
      await store.disconnect();
    });

    test('iterates over thousands of entries while they are deleted', async () => {
      const adapter = new NodeSqliteAdapter();
      await adapter.setMany(Array.from({ length: 1_100 }, (_, index) => ({ key: `k${index}`, value: String(index) })));
      let number = 0;
      for await (const [key] of adapter.iterator()) {
        await adapter.delete(key);
        number += 1;
      }
      expect([number, await adapter.has('k1')]).toEqual([1_100, false]);
      await adapter.disconnect();
    });

    test('serves a KeyvCache', async () => {
      await using folder = await temporaryFolder();
      const adapter = new NodeSqliteAdapter(path.join(folder.path, 'keyv'));
      const cache = new KeyvCache(adapter as never, { cacheName: 'mine' });
      await using bench = await startBench({ backend: cache });
      await bench.api.get('/a');
      expect([(await bench.api.get('/a')).fromCache, await cache.responseCount()]).toEqual([true, 1]);
      await cache.close();
      await adapter.disconnect();
    });
  });

  test('keeps bytes, and refuses values that SQLite cannot keep', async () => {
    const adapter = new NodeSqliteAdapter({ table: 'bytes' });
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await adapter.set('a', bytes);
    expect(Buffer.compare(Buffer.from((await adapter.get('a')) as Uint8Array), bytes)).toBe(0);
    await expect(adapter.set('b', { an: 'object' } as never)).rejects.toThrow(TypeError);
    await adapter.disconnect();
    await adapter.disconnect();
    await expect(adapter.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
  });

  if (DRIVERS.includes('keyv')) {
    test('shares the table of @keyv/sqlite 4', async () => {
      await using folder = await temporaryFolder();
      const file = path.join(folder.path, 'shared.sqlite');
      const theirs = new Keyv({ store: new KeyvSqlite(`sqlite://${file}`), namespace: 'n' });
      await theirs.set('a', { from: 'sqlite3' });
      await theirs.disconnect();
      const ours = keyv(new NodeSqliteAdapter(file), 'n');
      expect(await ours.get('a')).toEqual({ from: 'sqlite3' });
      await ours.set('b', { from: 'node' });
      await ours.disconnect();
      const again = new Keyv({ store: new KeyvSqlite(`sqlite://${file}`), namespace: 'n' });
      expect([await again.get('a'), await again.get('b')]).toEqual([{ from: 'sqlite3' }, { from: 'node' }]);
      await again.disconnect();
      expect(await rawQuery(file, 'SELECT count(*) AS number FROM keyv')).toEqual([{ number: 2 }]);
    });
  }
}

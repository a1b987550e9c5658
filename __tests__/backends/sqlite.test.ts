import { existsSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { SqliteCache } from '../../lib/cache/backends/sqlite-cache.js';
import { setupCache } from '../../lib/setup-cache.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { expectPermissions } from '../support/permissions.js';
import { DRIVERS, rawStore } from '../support/sqlite.js';
import { describeBackend } from './contract.js';
import { testSharedInvalidation } from './shared-invalidation.js';

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
  for (const suffix of ['', '-wal', '-shm']) expectPermissions(store.file + suffix, 0o600);
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

testSharedInvalidation((folder) => ({ backend: 'sqlite', cacheName: path.join(folder, 'cache') }));

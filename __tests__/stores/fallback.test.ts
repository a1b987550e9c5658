import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DefaultCache } from '../../lib/cache/backends/default-cache.js';
import { SqliteCache } from '../../lib/cache/backends/sqlite-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';

let warnings: unknown[];

beforeEach(() => {
  warnings = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
});

afterEach(() => {
  jest.restoreAllMocks();
});

test.each<[string, (folder: string) => string]>([
  [
    'its folder is a file',
    (folder) => {
      writeFileSync(path.join(folder, 'file'), '');
      return path.join(folder, 'file', 'cache');
    },
  ],
  [
    'it is a folder',
    (folder) => {
      mkdirSync(path.join(folder, 'cache.sqlite'));
      return path.join(folder, 'cache.sqlite');
    },
  ],
])('memory takes the place of a default file if %s; a named backend reports it', async (_, name) => {
  await using folder = await temporaryFolder();
  const cacheName = name(folder.path);
  const cache = new DefaultCache({ cacheName });
  await using bench = await startBench({ backend: cache });
  await Promise.all([bench.api.get('/a'), bench.api.get('/b')]);
  const hit = await bench.api.get('/a');
  expect(hit.fromCache).toBe(true);
  expect(warnings).toEqual([expect.stringMatching(/cannot use the file .*cache.*; memory takes its place/)]);
  expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
  await cache.clear();
  expect(await cache.responseCount()).toBe(0);
  await cache.close();

  const named = new SqliteCache({ cacheName });
  await expect(named.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_STORE' });
  await named.close();
});

test('a default file that works, or that is only damaged, is not replaced by memory', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache.sqlite');
  await using bench = await startBench({ backend: new DefaultCache({ cacheName }) });
  await bench.api.get('/a');
  expect((await bench.api.get('/a')).fromCache).toBe(true);

  const damaged = path.join(folder.path, 'damaged.sqlite');
  writeFileSync(damaged, 'some text that is no database at all');
  const cache = new DefaultCache({ cacheName: damaged });
  await expect(cache.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_STORE' });
  await cache.clear();
  await cache.ready();
  expect(warnings.filter((warning) => String(warning).includes('memory'))).toEqual([]);
  await cache.close();
});

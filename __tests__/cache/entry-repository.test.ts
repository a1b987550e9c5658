import { expect, test } from '@jest/globals';
import { internalsOf } from '../../lib/cache/internals.js';
import type { Entry } from '../../lib/models/entry.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';
import { STORES } from '../support/stores.js';

test.each(STORES)('over %s a response, its variant marker and its redirects are one write', async (_, options) => {
  await using folder = await temporaryFolder();
  await using bench = await startBench(options(folder.path), ({ url }, response) => {
    if (url === '/a') response.writeHead(302, { location: '/b' }).end();
    else if (url === '/b') response.writeHead(302, { location: '/c' }).end();
    else sendJson(response, url, { vary: 'X-Mode' });
  });
  const { api } = bench;
  await api.cache.ready();
  const { store } = internalsOf(api.cache).breaker;
  const put = store.put.bind(store);
  const writes: string[][] = [];
  const noted = (entries: readonly Entry[]) => {
    writes.push(entries.map(({ kind }) => kind).sort());
    return put(entries);
  };
  Object.assign(store, { put: noted });
  for (const mode of ['1', '2']) {
    expect((await api.get('/a', { headers: { 'X-Mode': mode } })).cacheStatus).toContain('stored');
  }
  const whole = ['redirect', 'redirect', 'response', 'variants'];
  expect(writes).toEqual([whole, whole]);
  expect((await api.get('/b', { headers: { 'X-Mode': '2' } })).fromCache).toBe(true);
});

test.each<[string, (folder: string) => CacheOptions]>([
  ['memory', () => ({ backend: 'memory' })],
  ['sqlite', (folder) => ({ backend: 'sqlite', cacheName: `${folder}/cache` })],
  ['files', (folder) => ({ backend: 'filesystem', cacheName: `${folder}/cache` })],
])('an entry above maxSize of %s is not stored, and replaces none', async (_, options) => {
  await using folder = await temporaryFolder();
  const bounded = {
    ...options(folder.path),
    backendOptions: { maxSize: 50_000 },
    maxBodySize: 1_000_000,
  } as CacheOptions;
  await using bench = await startBench(bounded, ({ url }, response) => {
    response.end(Buffer.alloc(url === '/large' ? 100_000 : 100, 'x'));
  });
  const { api, events } = bench;
  for (const url of ['/a', '/b', '/c']) await api.get(url);
  const large = await api.get('/large', { responseType: 'arraybuffer' });
  expect([large.data.byteLength, large.cacheStatus]).toEqual([
    100_000,
    'axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=too-large-for-store',
  ]);
  expect(events.filter(({ type }) => type === 'error')).toEqual([]);
  for (const url of ['/a', '/b', '/c']) expect((await api.get(url)).fromCache).toBe(true);
  expect((await api.get('/large', { responseType: 'arraybuffer' })).fromCache).toBe(false);
});

import { describe, expect, test } from '@jest/globals';
import type { BaseCache } from '../../lib/cache/base-cache.js';
import type { ResponseFilter } from '../../lib/cache/queries.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';
import { describeStores } from '../support/stores.js';

/** A stored response from the future has an unknown age: it would be fresh for longer than its lifetime. */

describe.each([
  ['without cacheControl', { expireAfter: 60 }],
  ['with cacheControl', { cacheControl: true }],
])('a clock that was set back, %s', (_, settings) => {
  const start = () =>
    startBench(settings, (_request, response, count) => {
      if (count > 1 && fails) response.destroy();
      else sendJson(response, { count }, { 'cache-control': 'max-age=60' });
    });
  let fails = false;

  test.each([1, 30, 3600])('%d seconds: the response is fetched anew, and then served', async (seconds) => {
    await using bench = await start();
    const { api, clock } = bench;
    await api.get('/a');
    clock.advance(-seconds);
    const next = await api.get('/a');
    expect([next.fromCache, next.data.count]).toEqual([false, 2]);
    expect((await api.get('/a')).fromCache).toBe(true);
  });

  test('a bounded staleness does not cover it, an unbounded one does', async () => {
    await using bench = await start();
    const { api, clock } = bench;
    await api.get('/a');
    clock.advance(-3600);
    fails = true;
    await expect(api.get('/a', { oldDataOnError: 60 })).rejects.toThrow();
    const stale = await api.get('/a', { oldDataOnError: true });
    expect([stale.fromCache, stale.isExpired]).toEqual([true, true]);
  });
});

test('a response that never expires is served', async () => {
  await using bench = await startBench({ expireAfter: -1 });
  await bench.api.get('/a');
  bench.clock.advance(-3600);
  expect((await bench.api.get('/a')).fromCache).toBe(true);
  expect((await bench.api.get('/a', { maxAge: 60 })).fromCache).toBe(false);
});

test.each<[string, (cache: BaseCache, key: string) => Promise<unknown>]>([
  ['resetExpiration', (cache) => cache.resetExpiration('1h')],
  ['resetExpiration with a pattern', (cache) => cache.resetExpiration('1h', { urls: ['*/a'] })],
  ['revalidate', async (cache, key) => (await cache.getResponse(key))?.revalidate('1h')],
])('a lifetime given by %s after the clock was set back counts from then', async (_, give) => {
  await using bench = await startBench({ expireAfter: 60 });
  const { api, clock } = bench;
  const { cacheKey = '' } = await api.get('/a');
  clock.advance(-3600);
  await give(api.cache, cacheKey);
  clock.advance(3_599);
  expect((await api.get('/a')).fromCache).toBe(true);
  clock.advance(2);
  expect((await api.get('/a')).fromCache).toBe(false);
});

describeStores((options) => {
  test('management sees the responses from the future as requests do', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench({ ...options(folder.path), expireAfter: 60 });
    const { api, clock } = bench;
    await api.get('/future');
    await api.get('/never', { expireAfter: -1 });
    clock.advance(-3600);
    await api.get('/fresh');
    await api.get('/expired', { expireAfter: 1 });
    clock.advance(2);

    const urlsOf = async (filter: ResponseFilter) => {
      const urls: string[] = [];
      for await (const response of api.cache.filter(filter)) urls.push(new URL(response.url).pathname);
      return urls.sort();
    };
    expect(await urlsOf({ expired: false })).toEqual(['/fresh', '/never']);
    expect(await urlsOf({ valid: false })).toEqual(['/expired', '/future']);
    expect(await urlsOf({ valid: false, sort: 'url' })).toEqual(['/expired', '/future']);
    expect(await api.cache.responseCount({ expired: false })).toBe(2);
    expect(await api.cache.responseCount({ valid: false, olderThan: new Date(clock.now() + 1) })).toBe(1);
    expect(await api.cache.responseCount({})).toBe(4);
    expect(await api.removeExpiredResponses()).toEqual({ removed: 2, kept: 2 });
    expect(await urlsOf({})).toEqual(['/fresh', '/never']);
  });
});

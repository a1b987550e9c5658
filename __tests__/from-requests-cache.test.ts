import { afterEach, describe, expect, test } from '@jest/globals';
import axios, { Axios } from 'axios';
import * as api from '../lib/index.js';
import { startBench, temporaryFolder } from './support/api.js';
import { sendJson, startOrigin } from './support/origin.js';

/** A test named after each entry of requests-cache's reference, in its order. */

const MEMORY = { backend: 'memory' } as const;

afterEach(() => api.uninstallCache());

describe('Sessions', () => {
  test('CachedSession', async () => {
    await using origin = await startOrigin();
    const session = new api.CachedAxios({ baseURL: origin.url }, MEMORY);
    await session.get('/');
    expect((await session.get('/')).fromCache).toBe(true);
    await session.detachCache();
  });

  test('cache_name', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench();
    const session = (name: string) => bench.more({ backend: 'sqlite', cacheName: `${folder.path}/${name}` });
    await session('one').get('/');
    expect([(await session('one').get('/')).fromCache, (await session('other').get('/')).fromCache]).toEqual([
      true,
      false,
    ]);
    expect(() => new api.SqliteCache({ cacheName: '../x' })).toThrow('cacheName: "../x"');
  });

  test('backend', async () => {
    const backend = new api.MemoryCache();
    for (const given of ['memory', api.MemoryCache, backend] as const) {
      const session = api.setupCache(axios.create(), { backend: given });
      expect(session.cache).toBeInstanceOf(api.MemoryCache);
      await session.detachCache();
    }
  });

  test('expire_after', async () => {
    await using bench = await startBench({ expireAfter: 10 });
    await bench.api.get('/');
    bench.clock.advance(11);
    expect((await bench.api.get('/')).fromCache).toBe(false);
  });

  test('urls_expire_after', async () => {
    await using bench = await startBench({ urlsExpireAfter: { '*/short': 1 } });
    expect([(await bench.api.get('/short')).expires, (await bench.api.get('/long')).expires]).toEqual([
      new Date(bench.clock.now() + 1_000),
      null,
    ]);
  });

  test('allowable_codes', async () => {
    await using bench = await startBench({ allowableCodes: [404] });
    expect((await bench.api.get('/')).cacheStatus).toContain('detail=status');
  });

  test('allowable_methods', async () => {
    await using bench = await startBench({ allowableMethods: ['POST'] });
    await bench.api.post('/', 'x');
    expect([(await bench.api.post('/', 'x')).fromCache, (await bench.api.get('/')).cacheKey]).toEqual([
      true,
      undefined,
    ]);
  });

  test('include_get_headers', async () => {
    await using bench = await startBench({ includeGetHeaders: true });
    await bench.api.get('/', { headers: { 'X-A': '1' } });
    expect((await bench.api.get('/', { headers: { 'X-A': '2' } })).fromCache).toBe(false);
  });

  test('ignored_parameters', async () => {
    await using bench = await startBench({ ignoredParameters: ['a'] });
    await bench.api.get('/?a=1');
    expect((await bench.api.get('/?a=2')).fromCache).toBe(true);
  });

  test('filter_fn', async () => {
    await using bench = await startBench({ filterFn: ({ url }) => !url.endsWith('/no') });
    for (const url of ['/yes', '/no']) await bench.api.get(url);
    expect(await bench.api.cache.responseCount()).toBe(1);
  });

  test('old_data_on_error', async () => {
    await using bench = await startBench({ expireAfter: 1, oldDataOnError: true });
    await bench.api.get('/');
    bench.clock.advance(2);
    await bench.origin.stop();
    expect((await bench.api.get('/')).isExpired).toBe(true);
  });

  test('cache_control', async () => {
    await using bench = await startBench({ cacheControl: true }, (_, response) =>
      sendJson(response, 1, { 'cache-control': 'max-age=5' }),
    );
    const { expires } = await bench.api.get('/');
    expect(expires).toEqual(new Date(bench.clock.now() + 5_000));
  });

  test('secret_key', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench();
    const session = (letter: string) =>
      bench.more({ backend: 'filesystem', cacheName: folder.path, secretKey: letter.repeat(32) });
    await session('s').get('/');
    expect([(await session('s').get('/')).fromCache, (await session('x').get('/')).fromCache]).toEqual([true, false]);
  });

  test('cache_disabled', async () => {
    await using bench = await startBench();
    await bench.api.get('/');
    expect((await bench.api.cacheDisabled(() => bench.api.get('/'))).fromCache).toBe(false);
  });

  test('remove_expired_responses', async () => {
    await using bench = await startBench({ expireAfter: 1 });
    await bench.api.get('/');
    bench.clock.advance(2);
    expect(await bench.api.removeExpiredResponses()).toEqual({ removed: 1, kept: 0 });
  });

  test('request', async () => {
    await using bench = await startBench();
    const { expires } = await bench.api.request({ url: '/', expireAfter: 7 });
    expect(expires).toEqual(new Date(bench.clock.now() + 7_000));
  });

  test('send', async () => {
    await using bench = await startBench();
    const { config } = await bench.api.get('/');
    expect((await bench.api.request(config)).fromCache).toBe(true);
  });

  test('CacheMixin', async () => {
    await using origin = await startOrigin();
    class Session extends api.CacheMixin(Axios) {}
    const session = new Session({ baseURL: origin.url }, MEMORY);
    await session.get('/');
    expect((await session.get('/')).fromCache).toBe(true);
    await session.detachCache();
  });
});

describe('Patching', () => {
  test('clear', async () => {
    await using origin = await startOrigin();
    api.installCache(MEMORY);
    await axios.get(origin.url);
    await api.clear();
    expect(await api.getCache()?.responseCount()).toBe(0);
  });

  test('disabled', () => {
    api.installCache(MEMORY);
    expect(api.disabled(api.isInstalled)).toBe(false);
  });

  test('enabled', async () => {
    expect(await api.enabled(MEMORY, api.isInstalled)).toBe(true);
  });

  test('get_cache', () => {
    expect(api.getCache()).toBeUndefined();
    api.installCache(MEMORY);
    expect(api.getCache()).toBeInstanceOf(api.MemoryCache);
  });

  test('install_cache', async () => {
    await using origin = await startOrigin();
    api.installCache(MEMORY);
    await axios.get(origin.url);
    expect((await axios(origin.url)).fromCache).toBe(true);
  });

  test('session_factory', async () => {
    await using origin = await startOrigin();
    api.installCache({
      ...MEMORY,
      instanceFactory: (instance, options) => api.setupCache(instance, { ...options, expireAfter: 5 }),
    });
    expect((await axios.create().get(origin.url)).expires).not.toBeNull();
  });

  test('is_installed', () => {
    expect(api.isInstalled()).toBe(false);
  });

  test('patched remove_expired_responses', async () => {
    await using origin = await startOrigin();
    expect(await api.removeExpiredResponses()).toEqual({ removed: 0, kept: 0 });
    api.installCache(MEMORY);
    await axios.get(origin.url);
    expect(await api.removeExpiredResponses()).toEqual({ removed: 0, kept: 1 });
    expect(await api.removeExpiredResponses(0)).toEqual({ removed: 1, kept: 0 });
  });

  test('uninstall_cache', async () => {
    api.installCache(MEMORY);
    const closing = api.uninstallCache();
    expect(api.isInstalled()).toBe(false);
    await closing;
  });
});

describe('Cache backends, models, serializers', () => {
  test.each([
    ['SQLiteCache', api.SqliteCache],
    ['MongoCache', api.MongoCache],
    ['GridFSCache', api.GridFSCache],
    ['RedisCache', api.RedisCache],
    ['DynamoDbCache', api.DynamoDbCache],
    ['FileCache', api.FileCache],
    ['memory', api.MemoryCache],
  ])('%s', (_, backend) => {
    expect(backend.prototype).toBeInstanceOf(api.BaseCache);
  });

  test('the body of a response can be read many times', async () => {
    await using bench = await startBench();
    const { cacheKey = '' } = await bench.api.get('/');
    const stored = await bench.api.cache.getResponse(cacheKey);
    expect(stored).toBeInstanceOf(api.CachedResponse);
    expect(stored?.request).toBeInstanceOf(api.CachedRequest);
    expect(String(stored?.body)).toBe(String(stored?.body));
  });

  test('pickle_serializer is v8, with signatures', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench();
    const cacheName = `${folder.path}/cache`;
    const session = bench.more({ backend: 'sqlite', cacheName, serializer: 'v8', secretKey: 's'.repeat(32) });
    await session.get('/');
    expect((await session.get('/')).fromCache).toBe(true);
  });

  test('DO_NOT_CACHE', async () => {
    await using bench = await startBench();
    expect((await bench.api.get('/', { expireAfter: api.DO_NOT_CACHE })).cacheStatus).toContain('detail=do-not-cache');
    expect((await bench.api.get('/', { expireAfter: api.NEVER_EXPIRE })).expires).toBe(null);
  });
});

test('utilities: get_expiration_datetime and url_match', () => {
  expect(api.toExpirationDate('1m', new Date(0))).toEqual(new Date(60_000));
  expect(api.urlMatch('https://site.com/a/b', 'site.com/a')).toBe(true);
});

describe('Names of 1.x', () => {
  test('normalize_url', () => {
    expect(api.normalizeUrl('HTTPS://Example.COM:443/A?b=2&a=1&b=1#part')).toBe('https://example.com/A?a=1&b=2&b=1');
    expect(() => api.normalizeUrl('/relative')).toThrow('Invalid URL');
  });

  test('options of sessions, and aliases', async () => {
    await using bench = await startBench({
      matchHeaders: ['Accept'],
      staleIfError: true,
      staleWhileRevalidate: true,
      alwaysRevalidate: true,
      keyFn: (config) => `key of ${config.url}`,
      readOnly: false,
    });
    expect((await bench.api.get('/')).cacheKey).toBe(`key of ${bench.origin.url}/`);
    expect(bench.api.cacheSettings).toMatchObject({ includeGetHeaders: ['Accept'], alwaysRevalidate: true });
  });

  test('only_if_cached, refresh, force_refresh', async () => {
    await using bench = await startBench();
    await expect(bench.api.get('/', { onlyIfCached: true })).rejects.toMatchObject({ response: { status: 504 } });
    await bench.api.get('/');
    expect((await bench.api.get('/', { refresh: true })).cacheStatus).toContain('detail=refresh');
    expect((await bench.api.get('/', { forceRefresh: true })).cacheStatus).toContain('detail=force-refresh');
  });

  test('members of the cache and of responses', async () => {
    await using bench = await startBench();
    const response = await bench.api.get('/');
    const { cache } = bench.api;
    const stored = await cache.getResponse(response.cacheKey ?? '');
    expect([response.revalidated, stored?.size, stored?.expires]).toEqual([false, expect.any(Number), null]);
    expect(await cache.contains({ url: `${bench.origin.url}/` })).toBe(true);
    await cache.resetExpiration(0);
    expect(await cache.delete({ expired: true })).toBe(1);
  });

  test('options of SQLite', async () => {
    const cache = new api.SqliteCache({ cacheName: ':memory:', busyTimeout: 1, fastSave: true });
    await cache.ready();
    expect(await cache.responseCount()).toBe(0);
    await cache.close();
  });
});

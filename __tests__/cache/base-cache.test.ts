import { readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import Keyv from 'keyv';
import { MemoryCache } from '../../lib/cache/backends/memory-cache.js';
import { SqliteCache } from '../../lib/cache/backends/sqlite-cache.js';
import type { BaseCache } from '../../lib/cache/base-cache.js';
import type { CachedResponse } from '../../lib/models/cached-response.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { setupCache } from '../../lib/setup-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';
import { sendJson, startOrigin, type TestOrigin } from '../support/origin.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const BACKENDS = [
  ['memory', (_: string, clock: TestClock) => new MemoryCache({}, clock)],
  ['sqlite', (folder: string, clock: TestClock) => new SqliteCache({ cacheName: path.join(folder, 'cache') }, clock)],
] as const;

describe.each(BACKENDS)('BaseCache over %s', (_, open) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let origin: TestOrigin;
  let clock: TestClock;
  let cache: BaseCache;
  let api: ReturnType<typeof setupCache>;

  beforeEach(async () => {
    folder = await temporaryFolder();
    clock = new TestClock();
    origin = await startOrigin(({ url, headers }, response, count) => {
      if (url === '/from') response.writeHead(302, { location: '/to' }).end();
      else sendJson(response, { url, count }, headers['x-mode'] ? { vary: 'X-Mode' } : {});
    });
    cache = open(folder.path, clock);
    api = setupCache(axios.create({ baseURL: origin.url }), { backend: cache, expireAfter: 60 }, clock);
  });

  afterEach(async () => {
    await api.detachCache();
    await cache.close();
    await origin.stop();
    await folder[Symbol.asyncDispose]();
  });

  test('keys, values, urls and counts return the stored responses', async () => {
    const { cacheKey } = await api.get('/a?api_key=secret');
    await api.get('/v', { headers: { 'X-Mode': '1' } });
    await api.get('/v', { headers: { 'X-Mode': '2' } });
    expect(await cache.responseCount()).toBe(3);
    const keys = await all(cache.keys());
    expect(keys).toHaveLength(2);
    expect(keys).toContain(cacheKey);
    expect((await all(cache.urls())).sort()).toEqual([
      `${origin.url}/a?api_key=REDACTED`,
      `${origin.url}/v`,
      `${origin.url}/v`,
    ]);
    const values = await all(cache.values());
    expect(values.map(({ data }) => (data as { url: string }).url).sort()).toEqual(['/a?api_key=secret', '/v', '/v']);
  });

  test('responseCount of a filter counts each variant', async () => {
    const tagged = (mode: string, tags: string[]) => api.get('/v', { headers: { 'X-Mode': mode }, tags });
    await tagged('1', ['a']);
    await tagged('2', ['a', 'b']);
    clock.advance(61);
    await tagged('3', ['a']);
    await api.get('/w', { tags: ['b'] });
    const filters = [{}, { tags: 'a' }, { tags: ['b'] }, { expired: false }, { valid: false }, { olderThan: 30 }];
    expect(await Promise.all(filters.map((filter) => cache.responseCount(filter)))).toEqual([4, 3, 2, 2, 2, 2]);
    expect(await cache.responseCount({ tags: 'a', expired: false, sort: 'url' })).toBe(1);
  });

  test('filter by age, and by tags of which a response has one', async () => {
    await api.get('/old', { tags: ['a'] });
    clock.advance(10);
    await api.get('/new', { tags: ['a', 'b'] });
    await api.get('/none');
    const paths = async (filter: object) =>
      (await all(cache.filter(filter))).map((response) => new URL((response as CachedResponse).url).pathname).sort();
    expect(await paths({ olderThan: 5 })).toEqual(['/old']);
    expect(await paths({ olderThan: 10 })).toEqual([]);
    expect(await paths({ tags: 'a' })).toEqual(['/new', '/old']);
    expect(await paths({ tags: ['b', 'c'] })).toEqual(['/new']);
    expect(await paths({ tags: 'a', olderThan: 5, sort: '-url' })).toEqual(['/old']);
  });

  test('getResponse returns a stored response with its request', async () => {
    const { cacheKey = '' } = await api.get('/a');
    const stored = (await cache.getResponse(cacheKey)) as CachedResponse;
    expect(stored).toMatchObject({ status: 200, url: `${origin.url}/a`, isExpired: false, cacheKey });
    expect(stored.body.toString()).toBe('{"url":"/a","count":1}');
    expect([stored.size, stored.request.toString()]).toEqual([22, `GET ${origin.url}/a`]);
    expect(Number(stored.expires) - Number(stored.createdAt)).toBe(60_000);
    stored.body.fill(0);
    Object.assign(stored.headers, { 'content-type': 'changed' });
    Object.assign(stored.request.headers, { accept: 'changed' });
    expect([stored.headers['content-type'], stored.request.headers.accept]).toEqual([
      'application/json',
      expect.stringContaining('json'),
    ]);
    expect((await api.get('/a')).data.count).toBe(1);
    expect(await cache.getResponse('0'.repeat(64))).toBeUndefined();
    clock.advance(61);
    expect(stored.isExpired).toBe(true);
    expect(String(stored)).toMatch(/^<CachedResponse \[200\] GET http:.*, 22 bytes, created /);
  });

  test("a stored response can be given a new lifetime, and be had as one of axios's", async () => {
    const { cacheKey = '' } = await api.get('/a');
    const stored = (await cache.getResponse(cacheKey)) as CachedResponse;
    expect([await stored.revalidate('1h'), await stored.revalidate(new Date(0))]).toEqual([false, true]);
    expect((await cache.getResponse(cacheKey))?.isExpired).toBe(true);
    const response = await stored.toAxiosResponse();
    expect([response.status, response.data, response.headers['content-type']]).toEqual([
      200,
      { url: '/a', count: 1 },
      'application/json',
    ]);
  });

  test('hasKey, hasUrl and contains follow redirects', async () => {
    const { cacheKey = '' } = await api.get('/from');
    const toKey = await cache.createKey({ url: `${origin.url}/to`, headers: { Accept: '*/*' } });
    expect(await Promise.all([cache.hasKey(cacheKey), cache.hasKey(toKey), cache.hasKey('x')])).toEqual([
      true,
      true,
      false,
    ]);
    const urls = ['/from', '/to', '/other'].map((url) => cache.hasUrl(origin.url + url));
    expect(await Promise.all(urls)).toEqual([true, true, false]);
    expect(await cache.contains({ url: `${origin.url}/to` })).toBe(true);
    expect(await cache.contains({ request: { url: `${origin.url}/from` } })).toBe(true);
    expect(await cache.redirects.get(toKey)).toBe(cacheKey);
    expect(await all(cache.redirects.keys())).toEqual([toKey]);
    expect((await api.get('/to')).fromCache).toBe(true);
  });

  test('deleting a key, by either end of a redirect, removes its responses', async () => {
    await api.get('/from');
    const toKey = await cache.createKey({ url: `${origin.url}/to` });
    expect(await cache.delete(toKey)).toBe(1);
    expect([await cache.responseCount(), await cache.redirects.count()]).toEqual([0, 0]);
  });

  test('deleteUrl removes every variant of every principal', async () => {
    for (const mode of ['1', '2']) await api.get('/v', { headers: { 'X-Mode': mode } });
    await api.get('/v', { headers: { Authorization: 'one' } });
    await api.get('/w');
    expect(await cache.deleteUrl(`${origin.url}/v`)).toBe(3);
    expect(await all(cache.urls())).toEqual([`${origin.url}/w`]);
  });

  test('redirects are copied into a cache that was cleared before, and saved in one', async () => {
    await api.get('/from');
    const other = open(path.join(folder.path, 'other'), clock);
    await other.clear();
    await other.update(cache);
    expect(await other.redirects.count()).toBe(1);
    const { cacheKey } = await api.get('/to');
    await other.saveRedirect({ url: `${origin.url}/alias` }, cacheKey as string);
    expect(await other.redirects.count()).toBe(2);
    await other.close();
  });

  test('filter distinguishes fresh and expired responses', async () => {
    await api.get('/old');
    clock.advance(61);
    await api.get('/new');
    const urls = async (filter: object) =>
      (await all(cache.filter(filter))).map((response) => new URL((response as CachedResponse).url).pathname).sort();
    expect(await urls({})).toEqual(['/new', '/old']);
    expect(await urls({ expired: false })).toEqual(['/new']);
    expect(await urls({ valid: false })).toEqual(['/old']);
  });

  test.each([
    ['createdAt', ['/b', '/long', '/a']],
    ['-createdAt', ['/a', '/long', '/b']],
    ['expires', ['/a', '/b', '/long']],
    ['-expires', ['/long', '/b', '/a']],
    ['size', ['/a', '/b', '/long']],
    ['-size', ['/long', '/b', '/a']],
    ['url', ['/a', '/b', '/long']],
    ['-url', ['/long', '/b', '/a']],
  ])('filter sorts by %s', async (sort, sorted) => {
    await api.get('/b', { expireAfter: 50, params: { text: 'x' } });
    clock.advance(1);
    await api.get('/long', { expireAfter: -1, params: { text: 'x'.repeat(50) } });
    clock.advance(1);
    await api.get('/a', { expireAfter: 10 });
    const paths = async (filter: object) =>
      (await all(cache.filter(filter))).map((response) => new URL((response as CachedResponse).url).pathname);
    expect(await paths({ sort })).toEqual(sorted);
    // Sorting reads whole responses.
    const [first] = await all(cache.filter({ sort: sort as 'size' }));
    expect((first as CachedResponse).data).toMatchObject({ url: expect.stringContaining(sorted[0] as string) });
    clock.advance(20);
    expect(await paths({ sort, expired: false })).toEqual(sorted.filter((path) => path !== '/a'));
  });

  test('filter refuses another order, before it yields', () => {
    expect(() => cache.filter({ sort: '-name' as 'url' })).toThrow(/^filter.sort: "-name" is not accepted; expected/);
    expect(() => cache.filter({ sort: 1 as unknown as 'url' })).toThrow(TypeError);
  });

  test.each([
    ['keys', async () => ({ keys: [(await api.get('/a')).cacheKey ?? ''] }), ['/b', '/c']],
    ['urls', async () => ({ urls: [`${origin.url}/a`] }), ['/b', '/c']],
    ['patterns', async () => ({ urls: ['127.0.0.1/a', /\/b$/] }), ['/c']],
    ['requests', async () => ({ requests: [{ url: `${origin.url}/a` }] }), ['/b', '/c']],
    ['age', async () => ({ olderThan: 30 }), ['/c']],
    ['expiry', async () => ({ expired: true }), ['/b', '/c']],
    ['nothing', async () => ({}), ['/a', '/b', '/c']],
  ])('delete by %s', async (_what, query, left) => {
    await api.get('/a', { expireAfter: 20 });
    await api.get('/b');
    clock.advance(31);
    await api.get('/c');
    const what = await query();
    const before = await cache.responseCount();
    expect(await cache.delete(what)).toBe(before - left.length);
    expect((await all(cache.urls())).map((url) => new URL(url).pathname).sort()).toEqual(left);
  });

  test('removeExpiredResponses removes just those', async () => {
    await api.get('/old');
    clock.advance(61);
    await api.get('/new');
    expect(await api.removeExpiredResponses()).toEqual({ removed: 1, kept: 1 });
    expect(await api.removeExpiredResponses(0)).toEqual({ removed: 1, kept: 0 });
  });

  test('resetExpiration counts from now, and 0 expires without removing', async () => {
    await api.get('/a');
    clock.advance(50);
    await cache.resetExpiration('1m');
    clock.advance(50);
    expect((await api.get('/a')).fromCache).toBe(true);
    await cache.resetExpiration(0);
    expect(await cache.responseCount()).toBe(1);
    expect((await api.get('/a')).fromCache).toBe(false);
  });

  test('resetExpiration of tags or URLs leaves other responses as they are', async () => {
    const urls = ['/a', '/b', '/c'];
    const isFresh = async () => {
      const keys = await Promise.all(urls.map((url) => cache.createKey({ url: origin.url + url })));
      const found = await Promise.all(keys.map((key) => cache.getResponse(key)));
      return found.map((response) => response?.isExpired === false);
    };
    for (const url of urls) await api.get(url, { tags: [`tag ${url}`] });
    await cache.resetExpiration(0, { tags: 'tag /a' });
    expect(await isFresh()).toEqual([false, true, true]);
    await cache.resetExpiration(0, { urls: `${origin.url}/b` });
    expect(await isFresh()).toEqual([false, false, true]);
    await cache.resetExpiration('1h', { tags: ['tag /a', 'tag /none'] });
    clock.advance(61);
    expect(await isFresh()).toEqual([true, false, false]);
    expect(await cache.responseCount()).toBe(3);
  });

  test('clear removes everything', async () => {
    await api.get('/from');
    await cache.clear();
    expect([await cache.responseCount(), await cache.redirects.count()]).toEqual([0, 0]);
  });

  test('update copies another cache, and reports its progress', async () => {
    await api.get('/from');
    await api.get('/v', { headers: { 'X-Mode': '1' } });
    const other = new MemoryCache({}, clock);
    const reported: number[] = [];
    await other.update(cache, { onProgress: ({ copied, total }) => reported.push(copied / total) });
    expect(reported).toEqual([0.5, 1]);
    const second = setupCache(axios.create({ baseURL: origin.url }), { backend: other }, clock);
    expect((await second.get('/to')).fromCache).toBe(true);
    expect((await second.get('/v', { headers: { 'X-Mode': '1' } })).fromCache).toBe(true);
    await second.detachCache();
    expect(await other.responseCount()).toBe(2);
  });

  test('saveResponse stores a response that was obtained elsewhere', async () => {
    const response = await axios.get(`${origin.url}/elsewhere`);
    const key = await cache.saveResponse(response, { expireAfter: '1h' });
    expect(key).toBe(await cache.createKey({ url: `${origin.url}/elsewhere` }));
    expect((await api.get('/elsewhere')).data).toEqual({ url: '/elsewhere', count: 1 });
    await cache.saveRedirect({ url: `${origin.url}/alias` }, key);
    expect((await api.get('/alias')).fromCache).toBe(true);
  });

  test('the responses view works like a dictionary', async () => {
    const { cacheKey = '' } = await api.get('/a');
    const { responses } = cache;
    expect([await responses.has(cacheKey), await responses.count()]).toEqual([true, 1]);
    const [[key, response] = ['', undefined]] = await all(responses.entries());
    expect(key).toBe(cacheKey);
    await responses.set('copy', response as CachedResponse);
    expect((await responses.get('copy'))?.data).toEqual({ url: '/a', count: 1 });
    expect([await responses.delete('copy'), await responses.delete('copy')]).toEqual([true, false]);
    await responses.bulkDelete([cacheKey]);
    expect(await all(responses.keys())).toEqual([]);
  });

  test('after close, management rejects and requests go on without it', async () => {
    await cache.close();
    await expect(cache.responseCount()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
    expect((await api.get('/a')).data.count).toBe(1);
  });
});

test('a cache shows its backend, location and counts', async () => {
  await using bench = await startBench({});
  await bench.api.get('/');
  const { cache } = bench.api;
  expect(JSON.parse(JSON.stringify(cache))).toMatchObject({ backend: 'memory', stats: { stored: 1, miss: 1 } });
  expect(inspect(cache)).toMatch(/^MemoryCache \{\s+backend: 'memory'/);
});

test('saveRedirect stores nothing for a key without a stored response', async () => {
  await using bench = await startBench({});
  const { cacheKey = '' } = await bench.api.get('/target');
  await bench.api.cache.delete(cacheKey);
  await bench.api.cache.saveRedirect({ url: '/other' }, cacheKey);
  expect(await bench.api.cache.hasUrl(`${bench.origin.url}/other`)).toBe(false);
  // Nor later, when the target has a response.
  await bench.api.get('/target');
  expect((await bench.api.get('/other')).fromCache).toBe(false);
});

test('saveRedirect maps the URL that axios would send', async () => {
  await using bench = await startBench({});
  const { cacheKey = '' } = await bench.api.get('/target');
  await bench.api.cache.saveRedirect({ url: '/other', params: { b: 2, a: 1 } }, cacheKey);
  expect(await bench.api.cache.hasUrl(`${bench.origin.url}/other?a=1&b=2`)).toBe(true);
  expect((await bench.api.get('/other', { params: { a: 1, b: 2 } })).fromCache).toBe(true);
});

test.each<[string, (folder: string) => CacheOptions, (folder: string) => string | undefined]>([
  ['memory', () => ({ backend: 'memory' }), () => undefined],
  [
    'sqlite',
    (folder) => ({ backend: 'sqlite', cacheName: `${folder}/cache` }),
    (folder) => path.join(folder, 'cache.sqlite'),
  ],
  [
    'files',
    (folder) => ({ backend: 'filesystem', cacheName: `${folder}/cache` }),
    (folder) => path.join(folder, 'cache'),
  ],
])('size() counts the bytes of %s, and location says where they are', async (name, options, place) => {
  await using folder = await temporaryFolder();
  await using bench = await startBench(options(folder.path), (_, response) => void response.end('x'.repeat(100_000)));
  const { cache } = bench.api;
  await bench.api.get('/a');
  const one = await cache.size();
  await bench.api.get('/b');
  const two = await cache.size();
  // Besides the entries, sqlite has pages of its own.
  expect([one >= 100_000, two - one >= 100_000, two - one < 250_000]).toEqual([true, true, true]);
  expect(cache.location).toBe(place(folder.path));
  if (name === 'sqlite') await cache.vacuum();
  else await expect(cache.vacuum()).rejects.toMatchObject({ name: 'UnsupportedOperationError' });
});

test('size() of a store that cannot say it is unsupported', async () => {
  await using bench = await startBench({ backend: new Keyv() });
  const { cache } = bench.api;
  await expect(cache.size()).rejects.toMatchObject({
    name: 'UnsupportedOperationError',
    code: 'ERR_CACHE_UNSUPPORTED',
  });
  expect(cache.location).toBeUndefined();
});

test.each(['sqlite', 'filesystem'] as const)(
  'after close() nothing reopens the store: %s, in the middle of iterations and a request',
  async (backend) => {
    await using folder = await temporaryFolder();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    await using bench = await startBench(
      { backend, cacheName: path.join(folder.path, 'cache'), expireAfter: 60 },
      async ({ url }, response, count) => {
        if (url === '/slow') {
          isAsked();
          await released;
        }
        sendJson(response, { url, count });
      },
    );
    const { api, origin } = bench;
    const { cache } = api;
    await Promise.all(Array.from({ length: 300 }, (_, index) => api.get(`/${index}`)));
    const url = `${origin.url}/1`;
    const key = await cache.createKey({ url });
    const iterations = [cache.keys(), cache.values(), cache.urls(), cache.filter({ valid: true })];
    for (const iteration of iterations) await iteration.next();
    const slow = api.get('/slow');
    await asked;
    await cache.close();
    for (const name of readdirSync(folder.path)) rmSync(path.join(folder.path, name), { recursive: true });
    release();
    expect((await slow).data.url).toBe('/slow');
    expect((await api.get('/1')).fromCache).toBe(false);
    const calls: Promise<unknown>[] = [
      ...iterations.map((iteration) => all(iteration as AsyncIterable<unknown>)),
      all(cache.keys()),
      cache.ready(),
      cache.hasKey(key),
      cache.getResponse(key),
      cache.responseCount(),
      cache.deleteUrl(url),
      cache.delete({ expired: true }),
      cache.clear(),
      cache.removeExpiredResponses(),
      cache.resetExpiration('1h'),
      cache.recreateKeys(),
      cache.updateResponse(key, () => 'new'),
      cache.size(),
    ];
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CACHE_CLOSED' } });
    expect(readdirSync(folder.path)).toEqual([]);
  },
);

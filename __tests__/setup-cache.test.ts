import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import axios from 'axios';
import { MemoryCache } from '../lib/cache/backends/memory-cache.js';
import { SqliteCache } from '../lib/cache/backends/sqlite-cache.js';
import type { CacheOptions } from '../lib/settings/types.js';
import { type CachedAxiosInstance, setupCache } from '../lib/setup-cache.js';
import { startBench, temporaryFolder } from './support/api.js';
import { program } from './support/child.js';
import { until } from './support/faults.js';
import { sendJson } from './support/origin.js';

describe('the main job', () => {
  test('a second request is answered from the cache, and says so', async () => {
    await using bench = await startBench();
    const first = await bench.api.get('/a');
    expect([first.data, first.fromCache, first.cacheStatus]).toEqual([
      { url: '/a', count: 1 },
      false,
      'axios-keyv-cache; fwd=uri-miss; fwd-status=200; stored',
    ]);
    expect([first.createdAt, first.expires, first.isExpired]).toEqual([new Date(bench.clock.now()), null, false]);
    const second = await bench.api.get('/a');
    expect([second.data, second.fromCache, second.cacheStatus]).toEqual([
      { url: '/a', count: 1 },
      true,
      'axios-keyv-cache; hit',
    ]);
    expect(second.cacheKey).toBe(first.cacheKey);
  });

  test('two processes share one SQLite file', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench();
    await using client = program(`
      import axios from 'axios';
      import { setupCache } from './lib/setup-cache.js';
      const api = setupCache(axios.create(), { backend: 'sqlite', cacheName: ${JSON.stringify(path.join(folder.path, 'shared'))}, expireAfter: '1h' });
      const { data, fromCache } = await api.get(${JSON.stringify(`${bench.origin.url}/shared`)});
      console.log(JSON.stringify([data.count, fromCache]));
    `);
    // Neither closes its cache: a process whose work is done exits by itself.
    const outputs = [(await client.run()).trim(), (await client.run()).trim()];
    expect(outputs).toEqual(['[1,false]', '[1,true]']);
  });
});

describe('precedence of the lifetime that is stored', () => {
  type Given = { response?: string; request?: number; url?: number; instance?: number; lastModified?: number };
  test.each<[string, boolean, Given, number | null | undefined]>([
    [
      'headers win with cacheControl',
      true,
      { response: 'max-age=5', request: 4, url: 3, instance: 2, lastModified: 100 },
      5,
    ],
    ['then the request', true, { request: 4, url: 3, instance: 2, lastModified: 100 }, 4],
    ['then the URL', true, { url: 3, instance: 2, lastModified: 100 }, 3],
    ['then the instance', true, { instance: 2, lastModified: 100 }, 2],
    ['at last heuristics', true, { lastModified: 100 }, 10],
    ['no-store of the response wins', true, { response: 'no-store', request: 4 }, undefined],
    ['0 of the request is decided before headers', true, { response: 'max-age=5', request: 0 }, undefined],
    ['0 of the URL too', true, { response: 'max-age=5', url: 0 }, undefined],
    ['0 of the instance too', true, { response: 'max-age=5', instance: 0 }, undefined],
    ['but not where something else is set', true, { response: 'max-age=5', request: 4, instance: 0 }, 5],
    [
      'without cacheControl headers are not read',
      false,
      { response: 'max-age=5, no-store', request: 4, url: 3, instance: 2 },
      4,
    ],
    ['then the URL', false, { url: 3, instance: 2 }, 3],
    ['then the instance', false, { instance: 2 }, 2],
    ['then forever', false, { lastModified: 100 }, null],
  ])('%s (cacheControl: %p)', async (_, cacheControl, given, expected) => {
    const options: CacheOptions = {
      cacheControl,
      ...(given.instance === undefined ? {} : { expireAfter: given.instance }),
      ...(given.url === undefined ? {} : { urlsExpireAfter: { '*': given.url } }),
    };
    await using bench = await startBench(options, (_asked, response) => {
      const headers: Record<string, string> = { date: new Date(bench.clock.now()).toUTCString() };
      if (given.response) headers['cache-control'] = given.response;
      if (given.lastModified)
        headers['last-modified'] = new Date(bench.clock.now() - given.lastModified * 1000).toUTCString();
      sendJson(response, 1, headers);
    });
    bench.clock.advance(1 - (bench.clock.now() % 1000) / 1000);
    const { expires, createdAt } = await bench.api.get(
      '/',
      given.request === undefined ? {} : { expireAfter: given.request },
    );
    const lifetime = expires ? (Number(expires) - Number(createdAt)) / 1000 : expires;
    expect(lifetime).toBe(expected);
  });

  test('expireAfter of a request that is a hit changes nothing', async () => {
    await using bench = await startBench();
    await bench.api.get('/', { expireAfter: 100 });
    const hit = await bench.api.get('/', { expireAfter: 5 });
    expect(Number(hit.expires) - bench.clock.now()).toBe(100_000);
  });
});

describe('an instance', () => {
  test('can be set up once', async () => {
    await using bench = await startBench();
    expect(() => setupCache(bench.api, { backend: 'memory' })).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_STATE' }),
    );
  });

  test('is itself: callable, with all its verbs', async () => {
    await using bench = await startBench();
    const instance = axios.create();
    const api = setupCache(instance, { backend: 'memory' });
    expect(api).toBe(instance);
    await api(`${bench.origin.url}/x`);
    expect((await api.request({ url: `${bench.origin.url}/x` })).fromCache).toBe(true);
    await api.detachCache();
  });

  test('on the default instance: instances of axios.create() stay plain', async () => {
    await using bench = await startBench();
    const { create } = axios;
    const api = setupCache(axios, { backend: 'memory' });
    try {
      expect(api.create).toBe(create);
      const made = axios.create({ baseURL: bench.origin.url });
      expect(made).not.toHaveProperty('cache');
      const responses = [await made.get('/'), await api.get(bench.origin.url), await api.get(bench.origin.url)];
      expect(responses.map(({ fromCache }) => fromCache)).toEqual([undefined, false, true]);
    } finally {
      await api.detachCache();
    }
    expect(axios).not.toHaveProperty('cache');
    expect((await axios.get(bench.origin.url)).fromCache).toBeUndefined();
  });

  test('shares its cache with children, which follow it', async () => {
    await using bench = await startBench();
    await bench.api.get('/');
    const child = bench.api.create({ baseURL: bench.origin.url }) as CachedAxiosInstance;
    const grandchild = child.create({ baseURL: bench.origin.url }) as CachedAxiosInstance;
    expect([(await child.get('/')).fromCache, (await grandchild.get('/')).fromCache]).toEqual([true, true]);
    expect(grandchild.cache).toBe(bench.api.cache);
    expect(() => bench.api.create({ expireAfter: 1 } as object)).toThrow('expireAfter: not accepted in create()');
    const off = bench.api.cacheDisabled();
    expect((await grandchild.get('/')).cacheStatus).toContain('detail=disabled');
    off[Symbol.dispose]();
    off.dispose();
    expect((await grandchild.get('/')).fromCache).toBe(true);
  });

  test('may give a child a cache of its own, and covers it again afterwards', async () => {
    await using bench = await startBench();
    const child = bench.api.create({ baseURL: bench.origin.url }) as CachedAxiosInstance;
    const own = setupCache(child, { backend: 'memory' });
    expect(own.cache).not.toBe(bench.api.cache);
    await bench.api.get('/');
    expect((await own.get('/')).fromCache).toBe(false);
    await own.detachCache();
    expect(child.cache).toBe(bench.api.cache);
    expect((await child.get('/')).fromCache).toBe(true);
  });

  test('is as it was after detachCache, and so are its children', async () => {
    await using bench = await startBench();
    const instance = axios.create({ baseURL: bench.origin.url });
    const before = Object.getOwnPropertyNames(instance).sort();
    const create = instance.create;
    const api = setupCache(instance, { backend: 'memory' });
    const child = api.create({ baseURL: bench.origin.url });
    await api.get('/');
    await api.detachCache();
    expect([Object.getOwnPropertyNames(instance).sort(), instance.create]).toEqual([before, create]);
    expect([(await instance.get('/')).fromCache, (await child.get('/')).fromCache]).toEqual([undefined, undefined]);
    expect(setupCache(instance, { backend: 'memory' })).toBe(instance);
    await (instance as CachedAxiosInstance).detachCache();
  });

  test('waits for requests in flight before the store is closed', async () => {
    let answer = () => {};
    await using bench = await startBench({}, (_, response) => {
      answer = () => void response.end('late');
    });
    const api = bench.more();
    let received: unknown;
    const pending = api.get('/').then(({ data }) => {
      received = data;
    });
    await until('the origin is asked', () => bench.origin.asked.length === 1);
    const closing = api.detachCache();
    answer();
    await closing;
    expect(received).toBe('late');
    await pending;
  });
});

describe('cacheDisabled(fn)', () => {
  test('bypasses the cache for the requests that fn starts, and for no others', async () => {
    await using bench = await startBench();
    await bench.api.get('/');
    const outcomes = await Promise.all([
      bench.api.cacheDisabled(async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return (await bench.api.get('/')).fromCache;
      }),
      bench.api.get('/').then(({ fromCache }) => fromCache),
    ]);
    expect(outcomes).toEqual([false, true]);
  });

  test('returns the result of fn, or throws its error', () => {
    const api = setupCache(axios.create(), { backend: 'memory' });
    expect(api.cacheDisabled(() => 5)).toBe(5);
    expect(() =>
      api.cacheDisabled(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
  });
});

describe('a store in trouble never fails a request', () => {
  test('dead from the start: one event, or one warning', async () => {
    await using folder = await temporaryFolder();
    const notAFolder = path.join(folder.path, 'file');
    await writeFile(notAFolder, 'x');
    await using bench = await startBench({ backend: 'sqlite', cacheName: path.join(notAFolder, 'cache') });
    for (const count of [1, 2, 3]) expect((await bench.api.get('/')).data.count).toBe(count);
    expect((await bench.api.get('/')).cacheStatus).toContain('detail=store-down');
    expect(bench.events.filter(({ type }) => type === 'error')).toHaveLength(1);

    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const quiet = setupCache(axios.create({ baseURL: bench.origin.url }), {
      backend: 'sqlite',
      cacheName: path.join(notAFolder, 'cache'),
    });
    for (let time = 0; time < 3; time += 1) await quiet.get('/');
    expect(emitWarning.mock.calls).toEqual([
      [expect.stringContaining("the cache's store is not available"), 'CacheWarning'],
    ]);
    emitWarning.mockRestore();
    await quiet.detachCache();
  });

  test('an outage is reported once to a listener that parent and children share', async () => {
    await using folder = await temporaryFolder();
    const notAFolder = path.join(folder.path, 'file');
    await writeFile(notAFolder, 'x');
    await using bench = await startBench({ backend: 'sqlite', cacheName: path.join(notAFolder, 'cache') });
    const child = bench.api.create({ baseURL: bench.origin.url });
    await child.get('/');
    expect(bench.events.filter(({ type }) => type === 'error')).toHaveLength(1);
  });

  test('with strict it rejects with a coded error', async () => {
    await using folder = await temporaryFolder();
    const notAFolder = path.join(folder.path, 'file');
    await writeFile(notAFolder, 'x');
    const cache = new SqliteCache({ cacheName: path.join(notAFolder, 'cache'), strict: true });
    await using bench = await startBench({ backend: cache });
    await expect(bench.api.get('/')).rejects.toMatchObject({ name: 'CacheError', code: 'ERR_CACHE_STORE' });
    await cache.close();
  });

  test('closed by other code', async () => {
    const cache = new MemoryCache();
    await using bench = await startBench({ backend: cache });
    await bench.api.get('/');
    await cache.close();
    expect((await bench.api.get('/')).data.count).toBe(2);
  });

  test('removed while requests run', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache.sqlite');
    await using bench = await startBench({ backend: 'sqlite', cacheName });
    const requests = Array.from({ length: 40 }, async (_, index) => {
      if (index === 20) await writeFile(cacheName, 'x'.repeat(20_000));
      return (await bench.api.get(`/${index}`)).status;
    });
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
  });
});

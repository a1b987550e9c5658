import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { internalsOf } from '../../lib/cache/internals.js';
import { type CachedAxiosInstance, setupCache } from '../../lib/setup-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';

/** An origin that delays its responses from a moment on, until they are released. */
function delaying() {
  let isDelaying = false;
  const waiting: (() => void)[] = [];
  const handler: Handler = async ({ headers }, response, count) => {
    if (isDelaying) await new Promise<void>((resolve) => waiting.push(resolve));
    sendJson(response, { count, mode: headers['x-mode'] });
  };
  return {
    handler,
    delay() {
      isDelaying = true;
    },
    release() {
      isDelaying = false;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

describe.each(['http', 'fetch'] as const)('networkFirst with the %s adapter', (adapter) => {
  test('asks the origin although the stored response is fresh', async () => {
    await using bench = await startBench({ networkFirst: true }, delaying().handler);
    for (const count of [1, 2]) expect((await bench.api.get('/', { adapter })).data.count).toBe(count);
  });

  test('with a time, serves the stored response meanwhile, and stores the later one', async () => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.02 }, origin.handler);
    await bench.api.get('/', { adapter });
    origin.delay();
    const early = await bench.api.get('/', { adapter });
    expect([early.data.count, early.fromCache, early.cacheStatus]).toEqual([
      1,
      true,
      expect.stringContaining('detail=network-first'),
    ]);
    origin.release();
    expect(await early.refreshed).toMatchObject({ data: { count: 2 }, fromCache: false });
    expect(await bench.api.get('/', { adapter, networkFirst: false })).toMatchObject({
      data: { count: 2 },
      fromCache: true,
    });
  });

  test.each<[string, object]>([
    ['forceRefresh', { forceRefresh: true }],
    ['refresh', { refresh: true }],
    ['alwaysRevalidate', { alwaysRevalidate: true }],
    ['an exceeded maxAge', { maxAge: 5 }],
    ['the request directive no-cache', { cacheControl: true, headers: { 'Cache-Control': 'no-cache' } }],
    ['the request directive max-age', { cacheControl: true, headers: { 'Cache-Control': 'max-age=5' } }],
  ])('never serves a response early that %s excludes', async (_, config) => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.01, expireAfter: 60 }, origin.handler);
    await bench.api.get('/', { adapter });
    bench.clock.advance(10);
    origin.delay();
    let isServed = false;
    const asked = bench.api.get('/', { adapter, ...config }).finally(() => {
      isServed = true;
    });
    await until('the origin is asked', () => bench.origin.asked.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isServed).toBe(false);
    origin.release();
    expect(await asked).toMatchObject({ data: { count: 2 }, fromCache: false });
  });

  test('without a stored response waits for the origin', async () => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.01 }, origin.handler);
    origin.delay();
    const asked = bench.api.get('/', { adapter });
    await until('the origin is asked', () => bench.origin.asked.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    origin.release();
    expect(await asked).toMatchObject({ data: { count: 1 }, fromCache: false });
  });

  test('never serves a stream early', async () => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.01 }, origin.handler);
    await bench.api.get('/', { adapter });
    origin.delay();
    let isServed = false;
    const asked = bench.api.get('/', { adapter, responseType: 'stream' }).finally(() => {
      isServed = true;
    });
    await until('the origin is asked', () => bench.origin.asked.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isServed).toBe(false);
    origin.release();
    const { fromCache, data } = await asked;
    let text = '';
    for await (const chunk of data) text += Buffer.from(chunk).toString();
    expect([fromCache, JSON.parse(text).count]).toEqual([false, 2]);
  });

  test.each([true, 5])(
    '%s serves the stored response if the origin fails, also after its expiration',
    async (value) => {
      await using bench = await startBench({ networkFirst: value, expireAfter: 60 }, delaying().handler);
      await bench.api.get('/', { adapter });
      await bench.origin.stop();
      bench.clock.advance(61);
      expect(await bench.api.get('/', { adapter })).toMatchObject({ data: { count: 1 }, fromCache: true });
    },
  );

  test('sends the request that its caller made, whatever happens to the config before', async () => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.02 }, origin.handler);
    const headers = { 'X-Mode': 'a' };
    await bench.api.get('/', { adapter, headers });
    let answer: (order: number) => void = () => {};
    const order = new Promise<number>((resolve) => {
      answer = resolve;
    });
    // The store is asked before the origin.
    Object.assign(internalsOf(bench.api.cache).breaker.store, { currentOrder: () => order });
    const early = await bench.api.get('/', { adapter, headers });
    early.config.headers.set('X-Mode', 'b');
    answer(0);
    const refreshed = await early.refreshed;
    expect([refreshed?.data.mode, refreshed?.config === early.config]).toEqual(['a', true]);
  });
});

describe('a stored response that is removed while the origin is asked', () => {
  const failing: Handler = ({ url, headers }, response, count) => {
    if (headers['x-mode'] !== 'fail') return sendJson(response, { url, count });
    response.writeHead(503).end();
  };

  test.each([
    ['oldDataOnError', { oldDataOnError: true }],
    ['networkFirst', { networkFirst: true, oldDataOnError: true }],
  ])('is not served after an error: %s', async (_, option) => {
    await using folder = await temporaryFolder();
    for (const backend of ['memory', 'sqlite'] as const) {
      let remove = async () => {};
      const handler: Handler = async (asked, response, count) => {
        if (asked.headers['x-mode'] === 'fail') await remove();
        return failing(asked, response, count);
      };
      await using bench = await startBench(
        { backend, cacheName: path.join(folder.path, 'cache'), tags: ['t'] },
        handler,
      );
      const get = () => bench.api.get('/', { ...option, forceRefresh: true, headers: { 'X-Mode': 'fail' } });
      await bench.api.get('/');
      expect((await get()).data.count).toBe(1);
      remove = async () => void (await bench.api.cache.delete({ tags: ['t'] }));
      await expect(get()).rejects.toMatchObject({ response: { status: 503 } });
    }
  });

  test.each<[string, (api: CachedAxiosInstance, url: string) => Promise<unknown>]>([
    ['deleteUrl', ({ cache }, url) => cache.deleteUrl(url)],
    ['a pattern', ({ cache }, url) => cache.delete({ urls: [`${url}*`] })],
    ['a key', async ({ cache }, url) => cache.delete(await cache.createKey({ url }))],
    ['clear', ({ cache }) => cache.clear()],
    ['a write', (api) => api.post('/', {}, { invalidates: true })],
  ])('is not served after an error, in another cache on the store: %s', async (_, remove) => {
    await using folder = await temporaryFolder();
    const options = { backend: 'sqlite', cacheName: path.join(folder.path, 'cache'), oldDataOnError: true } as const;
    let url = '';
    let isRemoving = false;
    const handler: Handler = async (asked, response, count) => {
      if (asked.headers['x-mode'] === 'fail' && isRemoving) await remove(other, url);
      return failing(asked, response, count);
    };
    await using bench = await startBench(options, handler);
    url = `${bench.origin.url}/`;
    const other = setupCache(axios.create({ baseURL: bench.origin.url }), options);
    try {
      const get = () => bench.api.get(url, { forceRefresh: true, headers: { 'X-Mode': 'fail' } });
      await bench.api.get(url);
      expect((await get()).fromCache).toBe(true);
      isRemoving = true;
      await expect(get()).rejects.toMatchObject({ response: { status: 503 } });
    } finally {
      await other.detachCache();
    }
  });

  test('is served as updateResponse changed it', async () => {
    let change: () => Promise<unknown> = async () => {};
    const handler: Handler = async (asked, response, count) => {
      if (asked.headers['x-mode'] === 'fail') await change();
      return failing(asked, response, count);
    };
    await using bench = await startBench({ oldDataOnError: true }, handler);
    const url = `${bench.origin.url}/`;
    await bench.api.get(url);
    change = () => bench.api.cache.updateResponse(url, () => ({ changed: true }));
    const { data } = await bench.api.get(url, { forceRefresh: true, headers: { 'X-Mode': 'fail' } });
    expect(data).toEqual({ changed: true });
  });

  test('is not served after the time of networkFirst', async () => {
    const origin = delaying();
    await using bench = await startBench({ networkFirst: 0.05, tags: ['t'] }, origin.handler);
    await bench.api.get('/');
    origin.delay();
    const early = bench.api.get('/');
    await until('the origin was asked', () => bench.origin.asked.length === 2);
    await bench.api.cache.delete({ tags: ['t'] });
    const first = await Promise.race([early.then(() => 'served'), pause(200)]);
    expect(first).toBeUndefined();
    origin.release();
    expect((await early).data.count).toBe(2);
  });
});

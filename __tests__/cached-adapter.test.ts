import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { MemoryCache } from '../lib/cache/backends/memory-cache.js';
import { cachingAdapter } from '../lib/cached-adapter.js';
import type { CacheEvent } from '../lib/models/events.js';
import { temporaryFolder } from './support/api.js';
import { TestClock } from './support/clock.js';
import { until } from './support/faults.js';
import { sendJson, startOrigin } from './support/origin.js';

const MEMORY = { backend: 'memory' } as const;

describe('cachingAdapter', () => {
  test('serves instances that accept an adapter, and single requests', async () => {
    await using origin = await startOrigin();
    const clock = new TestClock();
    const events: CacheEvent[] = [];
    const options = { ...MEMORY, expireAfter: 60, onEvent: (event: CacheEvent) => void events.push(event) };
    const adapter = cachingAdapter(options, clock);
    const sdk = axios.create({ baseURL: origin.url, adapter });
    const responses = [
      await sdk.get('/a'),
      await sdk.get('/a'),
      await axios.get('/a', { baseURL: origin.url, adapter }),
    ];
    expect(responses.map(({ fromCache }) => fromCache)).toEqual([false, true, true]);
    clock.advance(61);
    expect((await sdk.get('/a')).fromCache).toBe(false);
    expect(events.map(({ type }) => type)).toContain('hit');
    expect(await adapter.cache.responseCount()).toBe(1);
    adapter.cacheSettings.readOnly = true;
    await sdk.get('/b');
    expect(await adapter.cache.responseCount()).toBe(1);
    await adapter.close();
  });

  test('takes the options of a request, and gives back a config that can be sent again', async () => {
    await using origin = await startOrigin(({ url }, response) =>
      url === '/denied' ? void response.writeHead(403).end() : sendJson(response, { url }),
    );
    const adapter = cachingAdapter(MEMORY);
    const sdk = axios.create({ baseURL: origin.url, adapter });
    await sdk.get('/a');
    expect((await sdk.get('/a', { forceRefresh: true })).fromCache).toBe(false);
    const { config } = await sdk.get('/a');
    expect([config.adapter === adapter, (await sdk.request(config)).fromCache]).toEqual([true, true]);
    const error = await sdk.get('/denied').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ config: { adapter }, response: { status: 403, fromCache: false } });
    await expect(sdk.get('/a', { expireAfter: 'soon' as never })).rejects.toThrow(/^expireAfter: "soon"/);
    await adapter.close();
  });

  test.each(['memory', 'sqlite'] as const)(
    'refreshes a %s cache in the background from the origin',
    async (backend) => {
      await using folder = await temporaryFolder();
      await using origin = await startOrigin(({ headers }, response, count) =>
        sendJson(response, { count, mode: headers['x-mode'] }),
      );
      const clock = new TestClock();
      const cacheName = path.join(folder.path, 'cache.sqlite');
      const adapter = cachingAdapter({ backend, cacheName, expireAfter: 60, staleWhileRevalidate: true }, clock);
      const sdk = axios.create({ baseURL: origin.url, adapter, headers: { 'X-Mode': 'a' } });
      await sdk.get('/');
      clock.advance(61);
      const stale = await sdk.get('/');
      // A later change of the config applies to the next request.
      stale.config.headers.set('X-Mode', 'b');
      expect(await stale.refreshed).toMatchObject({ data: { count: 2, mode: 'a' }, fromCache: false });
      expect(await sdk.get('/')).toMatchObject({ data: { count: 2, mode: 'a' }, fromCache: true });
      await adapter.close();
    },
  );

  test('gives the error of a background refresh a config that can be sent again', async () => {
    await using origin = await startOrigin(({ url }, response, count) =>
      count === 2 ? void response.destroy() : sendJson(response, { url, count }),
    );
    const clock = new TestClock();
    const adapter = cachingAdapter({ ...MEMORY, expireAfter: 60, staleWhileRevalidate: true }, clock);
    const sdk = axios.create({ baseURL: origin.url, adapter });
    await sdk.get('/');
    clock.advance(61);
    const error = await (await sdk.get('/')).refreshed?.catch((reason: unknown) => reason);
    const { config } = error as { config: InternalAxiosRequestConfig };
    expect(config.adapter).toBe(adapter);
    expect(await (await sdk.request(config)).refreshed).toMatchObject({ data: { count: 3 } });
    expect((await sdk.request(config)).fromCache).toBe(true);
    await adapter.close();
  });

  test('close() waits for requests, closes its own store alone, and later requests bypass the cache', async () => {
    let answer = () => {};
    await using origin = await startOrigin(({ url }, response) => {
      answer = () => sendJson(response, { url });
      if (url !== '/slow') answer();
    });
    const cache = new MemoryCache();
    const shared = cachingAdapter({ backend: cache });
    const adapter = cachingAdapter({ ...MEMORY, backendOptions: { backendTimeout: 0 } });
    const sdk = axios.create({ baseURL: origin.url, adapter });
    const slow = sdk.get('/slow');
    await until('the origin is asked', () => origin.asked.length > 0);
    let isClosed = false;
    const closing = adapter.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    answer();
    expect((await slow).data).toEqual({ url: '/slow' });
    await closing;
    await adapter.close();
    expect((await sdk.get('/a')).cacheStatus).toContain('detail=disabled');
    await shared.close();
    expect(await cache.responseCount()).toBe(0);
  });

  test('refuses wrong options', () => {
    expect(() => cachingAdapter({ expireAfterwards: 1 } as object)).toThrow(TypeError);
  });
});

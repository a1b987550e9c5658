import { afterEach, describe, expect, jest, test } from '@jest/globals';
import axios from 'axios';
import type { CacheEvent } from '../../lib/models/events.js';
import { monotonicNow } from '../../lib/platform/real-time.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { setupCache } from '../../lib/setup-cache.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';
import { temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { counting, type Handler, sendJson, startOrigin, type TestOrigin } from '../support/origin.js';

/** Jest's fake timers replace the program's clock and timers. The cache's freshness follows them; its budgets do not. */

afterEach(() => {
  jest.useRealTimers();
});

const KINDS: readonly (readonly [string, () => void])[] = [
  ['modern', () => void jest.useFakeTimers()],
  ['legacy', () => void jest.useFakeTimers({ legacyFakeTimers: true })],
];

/** A Keyv storage adapter over a Map that can stop answering. */
class Hanging {
  readonly opts = {};
  readonly #map = new Map<string, unknown>();
  hangs = false;

  on(): this {
    return this;
  }

  get(key: string): Promise<unknown> {
    return this.#answer(() => this.#map.get(key));
  }

  set(key: string, value: unknown): Promise<unknown> {
    return this.#answer(() => this.#map.set(key, value) && true);
  }

  delete(key: string): Promise<unknown> {
    return this.#answer(() => this.#map.delete(key));
  }

  async clear(): Promise<void> {
    this.#map.clear();
  }

  async #answer<T>(value: () => T): Promise<T> {
    if (this.hangs) await new Promise(() => {});
    return value();
  }
}

async function withCache(
  options: CacheOptions,
  handler: Handler | undefined,
  fake: () => void,
  begin: 'before' | 'after',
  work: (parts: { api: ReturnType<typeof setupCache>; origin: TestOrigin; events: CacheEvent[] }) => Promise<void>,
): Promise<void> {
  await using origin = await startOrigin(handler);
  const events: CacheEvent[] = [];
  if (begin === 'before') fake();
  const all: CacheOptions = { backend: 'memory', onEvent: (event) => events.push(event), ...options };
  const api = setupCache(axios.create({ baseURL: origin.url }), all);
  if (begin === 'after') fake();
  try {
    await work({ api, origin, events });
  } finally {
    await api.detachCache();
  }
}

describe.each(KINDS)('%s fake timers', (kind, fake) => {
  describe.each(['before', 'after'] as const)('begun %s the cache', (begin) => {
    test('a store that hangs costs its budget alone, and is used again when it answers', async () => {
      const adapter = new Hanging();
      const options = { backend: adapter as never, backendOptions: { backendTimeout: 0.05 } };
      await withCache(options, undefined, fake, begin, async ({ api, events }) => {
        await api.get('/');
        expect((await api.get('/')).fromCache).toBe(true);
        adapter.hangs = true;
        for (let time = 0; time < 2; time += 1) {
          expect((await api.get('/')).cacheStatus).toContain('detail=store-down');
        }
        expect(events.find(({ type }) => type === 'error')).toMatchObject({ reason: 'store-timeout' });
        adapter.hangs = false;
        await until('the outage is over', () => events.some(({ type }) => type === 'recovered'));
        expect((await api.get('/')).fromCache).toBe(true);
      });
    });

    test('with strict a request to a store that hangs rejects, and close() ends', async () => {
      const adapter = new Hanging();
      const options = { backend: adapter as never, backendOptions: { backendTimeout: 0.05, strict: true } };
      await withCache(options, undefined, fake, begin, async ({ api }) => {
        await api.get('/');
        adapter.hangs = true;
        await expect(api.get('/')).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_TIMEOUT' });
        await expect(api.get('/')).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_DOWN' });
      });
    });

    test('identical requests in flight share one origin request', async () => {
      let release = () => {};
      const opened = new Promise<void>((resolve) => {
        release = resolve;
      });
      const gated: Handler = async ({ url }, response, count) => {
        await opened;
        sendJson(response, { url, count });
      };
      await withCache({}, gated, fake, begin, async ({ api, origin }) => {
        const requests = Array.from({ length: 100 }, () => api.get('/'));
        await until('the origin is asked', () => origin.asked.length > 0);
        const controller = new AbortController();
        const leaving = api.get('/', { signal: controller.signal });
        controller.abort();
        await expect(leaving).rejects.toMatchObject({ code: 'ERR_CANCELED' });
        release();
        const counts = (await Promise.all(requests)).map(({ data }) => data.count);
        expect([new Set(counts), origin.asked.length]).toEqual([new Set([1]), 1]);
        expect((await api.get('/')).fromCache).toBe(true);
      });
    });

    test('a loop of hits lets sockets and timers run', async () => {
      await withCache({}, undefined, fake, begin, async ({ api }) => {
        await api.get('/');
        let isDone = false;
        const other = api.get('/other').then(() => {
          isDone = true;
        });
        // Nothing in the loop waits for anything but hits.
        for (const began = monotonicNow(); !isDone && monotonicNow() - began < 2_000; ) await api.get('/');
        expect(isDone).toBe(true);
        await other;
      });
    });

    test('leases are granted and end, and nobody waits for them longer than twice their time', async () => {
      await using folder = await temporaryFolder();
      const cacheName = `${folder.path}/leased.sqlite`;
      const other = new SqliteStore(cacheName, {}, Date.now);
      await withCache({ backend: 'sqlite', cacheName, lease: 0.2 }, undefined, fake, begin, async ({ api }) => {
        expect([(await api.get('/')).fromCache, (await api.get('/')).fromCache]).toEqual([false, true]);
        expect(await other.acquireLease(await api.cache.createKey({ url: '/held' }), 'other', 60)).toBe(true);
        const began = monotonicNow();
        expect((await api.get('/held')).fromCache).toBe(false);
        expect(monotonicNow() - began).toBeGreaterThan(390);
      });
      await other.close();
    });

    if (kind === 'modern') {
      test('freshness follows the fake clock', async () => {
        await withCache({ expireAfter: 60 }, counting, fake, begin, async ({ api }) => {
          const count = async () => (await api.get('/')).data.count;
          expect([await count(), await count()]).toEqual([1, 1]);
          jest.setSystemTime(Date.now() + 61_000);
          expect([await count(), await count()]).toEqual([2, 2]);
        });
      });

      test('a refresh in the background ends', async () => {
        const options: CacheOptions = { expireAfter: 60, staleWhileRevalidate: true };
        await withCache(options, counting, fake, begin, async ({ api }) => {
          await api.get('/');
          jest.setSystemTime(Date.now() + 61_000);
          const stale = await api.get('/');
          expect([stale.data.count, (await stale.refreshed)?.data.count]).toEqual([1, 2]);
          expect((await api.get('/')).data.count).toBe(2);
        });
      });
    }
  });
});

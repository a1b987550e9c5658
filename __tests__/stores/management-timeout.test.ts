import { expect, jest, test } from '@jest/globals';
import type { EntrySummary } from '../../lib/models/entry.js';
import { entryOf } from '../support/entries.js';

/** A thousandth of the real time, so that 30 seconds are over at once. */
const limits: number[] = [];
const realTime = await import('../../lib/platform/real-time.js');
jest.unstable_mockModule('../../lib/platform/real-time.js', () => ({
  ...realTime,
  withinTime: <T>(work: Promise<T>, milliseconds: number, timeoutError: () => Error) => {
    limits.push(milliseconds);
    return realTime.withinTime(work, milliseconds / 1_000, timeoutError);
  },
}));
const { CircuitBreaker } = await import('../../lib/stores/circuit-breaker.js');
const { MemoryStore } = await import('../../lib/stores/memory/index.js');
const { BaseCache } = await import('../../lib/cache/base-cache.js');
const { codecFor } = await import('../../lib/cache/backend-options.js');

test('an iteration ends when a step is not done in time, although the store never ends that step', async () => {
  class SilentStore extends MemoryStore {
    override async *list(): AsyncGenerator<never> {
      await new Promise(() => {});
    }
  }
  const breaker = new CircuitBreaker(new SilentStore({}, Date.now), {}, () => {});
  const listing = async () => {
    for await (const _ of breaker.iterate((store) => store.list({})));
  };
  await expect(listing()).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_TIMEOUT' });
  expect(limits).toEqual([30_000]);
});

test('each step of an iteration has 30 seconds of its own', async () => {
  class SlowStore extends MemoryStore {
    override async *list(): AsyncGenerator<EntrySummary> {
      for (const name of ['a', 'b', 'c', 'd']) {
        // Two thirds of the time of a step.
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield entryOf(name);
      }
    }
  }
  const breaker = new CircuitBreaker(new SlowStore({}, Date.now), {}, () => {});
  limits.length = 0;
  const listed = [];
  for await (const { id } of breaker.iterate((store) => store.list({}))) listed.push(id[0]);
  expect(listed).toEqual(['a', 'b', 'c', 'd']);
  expect(limits.slice(0, 5)).toEqual([30_000, 30_000, 30_000, 30_000, 30_000]);
});

test.each([undefined, 0])(
  'an iteration ends although the end of its generator hangs: backendTimeout %s',
  async (backendTimeout) => {
    class HangingStore extends MemoryStore {
      override async *list(): AsyncGenerator<EntrySummary> {
        try {
          yield entryOf('a');
        } finally {
          await new Promise(() => {});
        }
      }
    }
    const breaker = new CircuitBreaker(new HangingStore({}, Date.now), { backendTimeout }, () => {});
    const first = async () => {
      for await (const { id } of breaker.iterate((store) => store.list({}))) return id;
      return undefined;
    };
    expect(await first()).toBe(entryOf('a').id);
  },
);

test('closing ends although work in the background and the store hang, without a limit for requests', async () => {
  class HangingStore extends MemoryStore {
    override close(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const breaker = new CircuitBreaker(new HangingStore({}, Date.now), { backendTimeout: 0 }, () => {});
  breaker.track(new Promise(() => {}));
  expect(await breaker.close()).toBeUndefined();
});

test('a store that does not count its responses in time is cleared', async () => {
  class UncountableStore extends MemoryStore {
    override count(): Promise<number> {
      return new Promise(() => {});
    }
  }
  const store = new UncountableStore({}, Date.now);
  const cache = new BaseCache({ store, codec: codecFor({ cacheName: 'uncountable' }), now: Date.now });
  store.put([entryOf('a')]);
  expect(await store.size()).toBeGreaterThan(0);
  await cache.clear();
  expect([await store.size(), cache.stats().removed]).toEqual([0, 0]);
});

import { describe, expect, test } from '@jest/globals';
import type { CacheEvent } from '../../lib/models/events.js';
import { CircuitBreaker, type CircuitBreakerOptions } from '../../lib/stores/circuit-breaker.js';
import { MemoryStore } from '../../lib/stores/memory/index.js';
import type { Store } from '../../lib/stores/store.js';
import { StoreFailure } from '../../lib/stores/store-failure.js';
import { until } from '../support/faults.js';

/** A store that can be made to fail or hang, over one that works. */
class FaultyStore extends MemoryStore implements Store {
  fault: 'none' | 'throw' | 'reject' | 'hang' | 'refuse' | 'slow' = 'none';

  constructor() {
    super({}, Date.now);
  }

  #answer<T>(value: () => T): T | Promise<T> {
    switch (this.fault) {
      case 'none':
        return Promise.resolve(value());
      case 'throw':
        throw new Error('thrown');
      case 'reject':
        return Promise.reject(new Error('connection lost'));
      case 'refuse':
        return Promise.reject(new StoreFailure('refusal', new Error('full')));
      case 'hang':
        return new Promise(() => {});
      case 'slow':
        return new Promise((resolve) => setTimeout(() => resolve(value()), 60));
    }
  }

  override find(id: string) {
    return this.#answer(() => super.find(id)) as never;
  }

  override put(entry: never) {
    return this.#answer(() => super.put(entry)) as never;
  }

  probes = 0;

  override async ready(): Promise<void> {
    this.probes += 1;
    await this.#answer(() => undefined);
  }
}

function storeWithBreaker(options: CircuitBreakerOptions = {}) {
  const store = new FaultyStore();
  const events: CacheEvent[] = [];
  const breaker = new CircuitBreaker(store, { backendTimeout: 0.02, ...options }, (event) => events.push(event));
  const access = () => breaker.request((event) => events.push(event));
  return { store, events, breaker, access };
}

describe.each([
  ['throw', 'store-error'],
  ['reject', 'store-error'],
  ['hang', 'store-timeout'],
] as const)('a store that does %s', (fault, failure) => {
  test('is a miss, then left alone, probed, and back again', async () => {
    const { store, events, breaker, access } = storeWithBreaker();
    await breaker.read(access(), (one) => one.find('a'));
    store.fault = fault;
    const first = access();
    expect(await breaker.read(first, (one) => one.find('a'))).toBeUndefined();
    expect(first.failure).toBe(failure);
    const second = access();
    expect([
      await breaker.read(second, (one) => one.find('a')),
      await breaker.write(second, (one) => one.delete(['a'])),
    ]).toEqual([undefined, undefined]);
    expect(second.failure).toBe('store-down');
    expect(events.map(({ type }) => type)).toEqual(['error']);
    store.fault = 'none';
    await until('the outage ends', () => events.length === 2);
    expect(events[1]).toMatchObject({ type: 'recovered', duration: expect.any(Number) });
    expect(await breaker.write(access(), (one) => one.delete(['a']))).toBe(0);
    await breaker.close();
  });

  test('rejects with strict', async () => {
    const { store, breaker, access } = storeWithBreaker({ strict: true });
    await breaker.read(access(), (one) => one.find('a'));
    store.fault = fault;
    const attempt = async () => breaker.read(access(), (one) => one.find('a'));
    await expect(attempt()).rejects.toMatchObject({
      name: 'CacheError',
      code: fault === 'hang' ? 'ERR_CACHE_STORE_TIMEOUT' : 'ERR_CACHE_STORE',
    });
    await expect(attempt()).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_DOWN' });
    await breaker.close();
  });
});

test('a store that answers, but too late for a request, is still out', async () => {
  const { store, events, breaker, access } = storeWithBreaker();
  await breaker.read(access(), (one) => one.find('a'));
  store.fault = 'slow';
  await breaker.read(access(), (one) => one.find('a'));
  await until('it was probed', () => store.probes >= 3);
  expect(events.map(({ type }) => type)).toEqual(['error']);
  store.fault = 'none';
  await until('the outage ends', () => events.length === 2);
  expect(events[1]).toMatchObject({ type: 'recovered' });
  await breaker.close();
});

test('a write that the server refuses is an event, but no outage', async () => {
  const { store, events, breaker, access } = storeWithBreaker();
  store.fault = 'refuse';
  const refused = access();
  expect(await breaker.write(refused, (one) => one.put([] as never))).toBeUndefined();
  expect([refused.failure, events.map(({ type }) => type)]).toEqual(['store-error', ['error']]);
  store.fault = 'none';
  const next = access();
  await breaker.read(next, (one) => one.find('a'));
  expect(next.failure).toBeUndefined();
  await breaker.close();
});

test('a slow write goes on in the background, and close waits for it', async () => {
  const { breaker, access } = storeWithBreaker();
  await breaker.read(access(), (one) => one.find('a'));
  let done = false;
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    done = true;
  };
  expect(await breaker.write(access(), slow)).toBeUndefined();
  expect(done).toBe(false);
  await breaker.close();
  expect(done).toBe(true);
});

test('all reads of a call share one budget', async () => {
  const backendTimeout = 0.6;
  const { store, breaker, access } = storeWithBreaker({ backendTimeout });
  await breaker.read(access(), (one) => one.find('a'));
  const one = access();
  for (let read = 0; read < 2; read += 1) {
    await breaker.read(one, () => new Promise((resolve) => setTimeout(resolve, 30)));
  }
  expect(one.failure).toBeUndefined();
  expect(one.readsLeft).toBeLessThanOrEqual(backendTimeout * 1000 - 50);
  store.fault = 'hang';
  await breaker.read(one, (again) => again.find('a'));
  expect(one.failure).toBe('store-timeout');
  expect(one.readsLeft).toBeLessThan(50);
  await breaker.close();
});

test('management rejects with why not', async () => {
  const { store, breaker } = storeWithBreaker();
  store.fault = 'reject';
  await expect(breaker.ready()).rejects.toMatchObject({
    code: 'ERR_CACHE_STORE',
    message: expect.stringContaining('connection lost'),
  });
  await breaker.close();
  await expect(breaker.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
});

test('is half-open while a probe asks the store', async () => {
  const { store, breaker, access, events } = storeWithBreaker();
  await breaker.read(access(), (one) => one.find('a'));
  store.fault = 'reject';
  await breaker.read(access(), (one) => one.find('a'));
  expect(breaker.state).toBe('open');
  store.fault = 'slow';
  await until('a probe runs', () => breaker.state === 'half-open');
  store.fault = 'none';
  await until('the store answers', () => breaker.state === 'closed');
  expect(events.map(({ breaker: state }) => state)).toEqual(['open', 'closed']);
  await breaker.close();
});

test('measures the time that a request waits for the store, if it is asked to', async () => {
  const { store, breaker } = storeWithBreaker({ backendTimeout: 1 });
  store.fault = 'slow';
  const access = breaker.request(() => {}, true);
  await breaker.read(access, (one) => one.find('a'));
  await breaker.read(access, (one) => one.find('a'));
  await breaker.write(access, (one) => one.put([]));
  expect(access.waited?.reads).toBeGreaterThan(110);
  expect(access.waited?.writes).toBeGreaterThan(50);
  expect(access.waited?.writes).toBeLessThan(access.waited?.reads ?? 0);
});

test('an iteration that its reader leaves waits for the end of the store within the budget of a request', async () => {
  const { breaker } = storeWithBreaker();
  const entries = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: 1 }),
      return: () => new Promise<never>(() => {}),
    }),
  };
  for await (const entry of breaker.iterate(() => entries)) {
    expect(entry).toBe(1);
    break;
  }
  expect(breaker.state).toBe('closed');
});

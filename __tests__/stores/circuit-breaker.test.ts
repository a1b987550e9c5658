import { describe, expect, test } from '@jest/globals';
import type { CacheEvent } from '../../lib/models/events.js';
import { CircuitBreaker, type GuardOptions } from '../../lib/stores/circuit-breaker.js';
import { MemoryStore } from '../../lib/stores/memory/index.js';
import type { Store } from '../../lib/stores/store.js';

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
        return Promise.reject(new Error('SQLITE_FULL: database or disk is full'));
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

function guarded(options: GuardOptions = {}) {
  const store = new FaultyStore();
  const events: CacheEvent[] = [];
  const guard = new CircuitBreaker(
    store,
    { backendTimeout: 0.02, ...options },
    (event) => events.push(event),
    Date.now,
  );
  const call = () => guard.call((event) => events.push(event));
  return { store, events, guard, call };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each([
  ['throw', 'store-error'],
  ['reject', 'store-error'],
  ['hang', 'store-timeout'],
] as const)('a store that does %s', (fault, failure) => {
  test('is a miss, then left alone, probed, and back again', async () => {
    const { store, events, guard, call } = guarded();
    await guard.read(call(), (one) => one.find('a'));
    store.fault = fault;
    const first = call();
    expect(await guard.read(first, (one) => one.find('a'))).toBeUndefined();
    expect(first.failure).toBe(failure);
    const second = call();
    expect([
      await guard.read(second, (one) => one.find('a')),
      await guard.write(second, (one) => one.delete(['a'])),
    ]).toEqual([undefined, false]);
    expect(second.failure).toBe('store-down');
    expect(events.map(({ type }) => type)).toEqual(['error']);
    store.fault = 'none';
    await until(() => events.length === 2);
    expect(events[1]).toMatchObject({ type: 'recovered', duration: expect.any(Number) });
    expect(await guard.write(call(), (one) => one.delete(['a']))).toBe(true);
    await guard.close();
  });

  test('rejects with strict', async () => {
    const { store, guard, call } = guarded({ strict: true });
    await guard.read(call(), (one) => one.find('a'));
    store.fault = fault;
    const attempt = async () => guard.read(call(), (one) => one.find('a'));
    await expect(attempt()).rejects.toMatchObject({
      name: 'CacheError',
      code: fault === 'hang' ? 'ERR_CACHE_STORE_TIMEOUT' : 'ERR_CACHE_STORE',
    });
    await expect(attempt()).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_DOWN' });
    await guard.close();
  });
});

test('a store that answers, but too late for a request, is still out', async () => {
  const { store, events, guard, call } = guarded();
  await guard.read(call(), (one) => one.find('a'));
  store.fault = 'slow';
  await guard.read(call(), (one) => one.find('a'));
  await until(() => store.probes >= 3);
  expect(events.map(({ type }) => type)).toEqual(['error']);
  store.fault = 'none';
  await until(() => events.length === 2);
  expect(events[1]).toMatchObject({ type: 'recovered' });
  await guard.close();
});

test('a write that the server refuses is an event, but no outage', async () => {
  const { store, events, guard, call } = guarded();
  store.fault = 'refuse';
  const refused = call();
  expect(await guard.write(refused, (one) => one.put([] as never))).toBe(false);
  expect([refused.failure, events.map(({ type }) => type)]).toEqual(['store-error', ['error']]);
  store.fault = 'none';
  const next = call();
  await guard.read(next, (one) => one.find('a'));
  expect(next.failure).toBeUndefined();
  await guard.close();
});

test('a slow write goes on in the background, and close waits for it', async () => {
  const { guard, call } = guarded();
  await guard.read(call(), (one) => one.find('a'));
  let done = false;
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    done = true;
  };
  expect(await guard.write(call(), slow)).toBe(false);
  expect(done).toBe(false);
  await guard.close();
  expect(done).toBe(true);
});

test('all reads of a call share one budget', async () => {
  const { store, guard, call } = guarded({ backendTimeout: 0.05 });
  await guard.read(call(), (one) => one.find('a'));
  const one = call();
  await guard.read(one, () => new Promise((resolve) => setTimeout(resolve, 30)));
  expect(one.failure).toBeUndefined();
  store.fault = 'hang';
  await guard.read(one, (again) => again.find('a'));
  expect(one.failure).toBe('store-timeout');
  await guard.close();
});

test('management rejects with why not', async () => {
  const { store, guard } = guarded();
  store.fault = 'reject';
  await expect(guard.ready()).rejects.toMatchObject({
    code: 'ERR_CACHE_STORE',
    message: expect.stringContaining('connection lost'),
  });
  await guard.close();
  await expect(guard.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
});

import { expect, test } from '@jest/globals';
import type { CacheEvent } from '../../lib/models/events.js';
import { CircuitBreaker, type CircuitBreakerOptions } from '../../lib/stores/circuit-breaker.js';
import { MemoryStore } from '../../lib/stores/memory/index.js';
import type { Store } from '../../lib/stores/store.js';
import { StoreFailure } from '../../lib/stores/store-failure.js';
import { until } from '../support/faults.js';

/** Milliseconds. */
const BUDGET = 30;

type Work = (store: Store) => Promise<unknown>;

const never: Work = () => new Promise(() => {});
const inTime: Work = async () => 'done';

/** A breaker over a store that answers, with an unsettled write for each call of `late`. */
async function startBreaker(options: CircuitBreakerOptions = {}) {
  const store = new MemoryStore({}, Date.now);
  const events: CacheEvent[] = [];
  const breaker = new CircuitBreaker(store, { backendTimeout: BUDGET / 1000, ...options }, (event) =>
    events.push(event),
  );
  const writes = async (work: Work) => {
    const access = breaker.request((event) => events.push(event));
    const value = await breaker.write(access, work);
    return value ?? access.failure;
  };
  const reads = async (work: Work = inTime) => {
    const access = breaker.request((event) => events.push(event));
    const value = await breaker.read(access, work);
    return value ?? access.failure;
  };
  await reads();
  const reported = () => events.map(({ type, reason, breaker: state }) => [type, reason, state]);
  return { store, breaker, events, reported, writes, reads };
}

const SUSPENDED = ['error', 'writes-suspended', undefined];
const RESUMED = ['recovered', 'writes-suspended', undefined];

test('a late write suspends the writes of requests, and reads continue', async () => {
  const { breaker, writes, reads, reported } = await startBreaker();
  expect(await writes(never)).toBe('store-timeout');
  let begun = 0;
  const counted: Work = async () => {
    begun += 1;
  };
  expect(await Promise.all([writes(counted), writes(counted), reads()])).toEqual([
    'writes-suspended',
    'writes-suspended',
    'done',
  ]);
  expect([begun, breaker.state, reported()]).toEqual([0, 'closed', [SUSPENDED]]);
});

/** A write that settles when the test says so. */
function heldWrite() {
  let settle: { done(): void; failed(error: Error): void } | undefined;
  const late: Work = () =>
    new Promise((resolve, reject) => {
      settle = { done: () => resolve(undefined), failed: reject };
    });
  return { late, done: () => settle?.done(), failed: () => settle?.failed(new Error('busy')) };
}

test('after the late write has failed and a pause, one write is tried, and ends the suspension', async () => {
  const { writes, reported, events, breaker } = await startBreaker();
  const { late, failed } = heldWrite();
  await writes(late);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await writes(inTime)).toBe('writes-suspended');
  failed();
  let recoveries = 0;
  breaker.onRecovery(() => {
    recoveries += 1;
  });
  await until('a write is tried', async () => (await writes(inTime)) === 'done');
  expect([await writes(inTime), recoveries, reported()]).toEqual(['done', 1, [SUSPENDED, RESUMED]]);
  expect(events[1]?.duration).toBeGreaterThan(0.29);
});

test('after the late write is done and a pause, the end is reported without another write', async () => {
  const { breaker, writes, reported } = await startBreaker();
  const { late, done } = heldWrite();
  await writes(late);
  await until('it is reported', () => reported().length === 1);
  let recoveries = 0;
  breaker.onRecovery(() => {
    recoveries += 1;
  });
  done();
  await until('the end is reported', () => reported().length === 2);
  // The next write is tried alone.
  expect(await Promise.all([writes(inTime), writes(inTime)])).toEqual(['done', 'writes-suspended']);
  expect([await writes(inTime), recoveries, reported()]).toEqual(['done', 1, [SUSPENDED, RESUMED]]);
});

test('a store whose writes are always late makes few requests wait', async () => {
  const { writes, reads, reported } = await startBreaker();
  const late: Work = () => new Promise((resolve) => setTimeout(resolve, BUDGET + 20));
  const tries: number[] = [];
  await until('three writes were late', async () => {
    const outcomes = await Promise.all([writes(late), writes(late), reads()]);
    expect(outcomes[2]).toBe('done');
    if (outcomes[0] !== 'writes-suspended') {
      tries.push(performance.now());
      // Only the first two began together.
      if (tries.length > 1) expect(outcomes[1]).toBe('writes-suspended');
    }
    return tries.length === 3;
  });
  const [first = 0, second = 0, third = 0] = tries;
  expect(second - first).toBeGreaterThanOrEqual(250);
  // With this budget, a pause does not grow.
  expect(third - second).toBeGreaterThanOrEqual(250);
  expect(reported()).toEqual([SUSPENDED, RESUMED, SUSPENDED, RESUMED, SUSPENDED].slice(0, reported().length));
});

test('pauses grow up to five budgets', async () => {
  const budget = 100;
  const { writes } = await startBreaker({ backendTimeout: budget / 1000 });
  const late: Work = () => new Promise((resolve) => setTimeout(resolve, budget + 20));
  const tries: number[] = [];
  await until('three writes were late', async () => {
    if ((await writes(late)) !== 'writes-suspended') tries.push(performance.now());
    return tries.length === 4;
  });
  const pauses = tries.slice(1).map((time, index) => time - (tries[index] ?? 0) - budget);
  expect(pauses[0]).toBeGreaterThanOrEqual(240);
  for (const pause of pauses.slice(1)) expect(pause).toBeGreaterThanOrEqual(490);
});

test('a late write of a store that does not answer reads either is an outage', async () => {
  const { store, breaker, writes, reads, reported } = await startBreaker();
  let answers = false;
  store.ready = () => (answers ? Promise.resolve() : new Promise(() => {}));
  await writes(never);
  await until('the outage shows', () => breaker.state !== 'closed');
  expect([await writes(inTime), await reads()]).toEqual(['store-down', 'store-down']);
  answers = true;
  expect(reported()).toEqual([['error', 'store-timeout', 'open']]);
  await breaker.ready();
  expect([await writes(inTime), await reads()]).toEqual(['done', 'done']);
  expect(reported().at(-1)).toEqual(['recovered', undefined, 'closed']);
});

test('a late read is an outage while writes are suspended', async () => {
  const { breaker, writes, reads, reported } = await startBreaker();
  await writes(never);
  expect(await reads(never)).toBe('store-timeout');
  expect([breaker.state, reported()]).toEqual(['open', [SUSPENDED, RESUMED, ['error', 'store-timeout', 'open']]]);
  expect([await reads(), await writes(inTime)]).toEqual(['store-down', 'store-down']);
  breaker.close();
});

test('a write that the store refuses in time ends the suspension', async () => {
  const { writes } = await startBreaker();
  await writes(() => new Promise((resolve) => setTimeout(resolve, BUDGET + 20)));
  const refused: Work = () => Promise.reject(new StoreFailure('refusal', new Error('full')));
  await until('a write is tried', async () => (await writes(refused)) === 'store-error');
  expect(await writes(inTime)).toBe('done');
});

test('management writes while the writes of requests are suspended', async () => {
  const { breaker, writes } = await startBreaker();
  await writes(never);
  expect(await breaker.manage(inTime)).toBe('done');
});

test('with strict, a request that would write rejects while writes are suspended', async () => {
  const { writes, reads } = await startBreaker({ strict: true });
  await expect(writes(never)).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_TIMEOUT' });
  await expect(writes(inTime)).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_DOWN' });
  expect(await reads()).toBe('done');
});

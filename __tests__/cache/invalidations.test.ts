import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  type Invalidation,
  Invalidations,
  NO_INVALIDATION,
  RequestOrder,
  type Selectable,
} from '../../lib/cache/invalidations.js';
import type { ResponseRecord } from '../../lib/models/record.js';
import { compileUrlPattern } from '../../lib/policy/url-pattern.js';
import { startBench, temporaryFolder } from '../support/api.js';

const recordOf = (key: string, vary: readonly string[] = [], variant = '') =>
  ({ key, vary, variant }) as unknown as ResponseRecord;

describe('of two requests that are not coalesced, the response of the last is stored', () => {
  test.each<[string, object, object]>([
    ['buffered, in memory', {}, {}],
    ['with cacheControl', { cacheControl: true }, {}],
    ['as streams', {}, { responseType: 'stream' }],
    ['with the fetch adapter', {}, { adapter: 'fetch' }],
    ['in SQLite', { backend: 'sqlite' }, {}],
    ['in files', { backend: 'filesystem' }, {}],
  ])('%s', async (_, options, config) => {
    await using folder = await temporaryFolder();
    const cacheName = `${folder.path}/c`;
    const finish: (() => void)[] = [];
    await using bench = await startBench(
      { coalesce: false, cacheName, ...options },
      async (_request, response, count) => {
        if (count <= 2) await new Promise<void>((resolve) => finish.push(resolve));
        response.setHeader('cache-control', 'max-age=60').end(`answer ${count}`);
      },
    );
    const ask = async () => {
      const response = await bench.api.get('/a', config);
      if (typeof response.data === 'string') return response;
      let text = '';
      for await (const chunk of response.data) text += chunk;
      return { ...response, data: text };
    };
    const first = ask();
    while (finish.length < 1) await sleep(1);
    const second = ask();
    while (finish.length < 2) await sleep(1);
    finish[1]?.();
    await second;
    finish[0]?.();
    await first;
    const third = await ask();
    expect([third.fromCache, third.data]).toEqual([true, 'answer 2']);
  });
});

const invalidationOf = (more: Partial<Invalidation>): Invalidation => ({ ...NO_INVALIDATION, ...more });
const ofDigest = (digest: string) => invalidationOf({ digests: [digest] });
const ofPattern = (pattern: string) => invalidationOf({ patterns: [compileUrlPattern(pattern, 'pattern')] });
const selected = (...digests: string[]): Selectable => ({ digests, urls: ['https://a.com/x'] });

describe('Invalidations select responses of requests in flight', () => {
  test.each<[string, Invalidation, boolean]>([
    ['by a digest', ofDigest('d'), true],
    ['by a pattern', ofPattern('a.com/x'), true],
    ['by everything', invalidationOf({ everything: true }), true],
    ['not by another digest', ofDigest('other'), false],
    ['not by another pattern', ofPattern('a.com/y'), false],
  ])('%s', (_, invalidation, expected) => {
    const invalidations = new Invalidations();
    const since = invalidations.begin();
    expect([invalidations.anySince(since), invalidations.selectsSince(since, selected('d'))]).toEqual([false, false]);
    invalidations.record(invalidation);
    expect([invalidations.anySince(since), invalidations.selectsSince(since, selected('d'))]).toEqual([true, expected]);
    // A request that begins afterwards is not concerned.
    expect(invalidations.selectsSince(invalidations.begin(), selected('d'))).toBe(false);
  });

  test('while any request is in flight', () => {
    const invalidations = new Invalidations();
    const since = invalidations.begin();
    invalidations.begin();
    invalidations.record(ofDigest('d'));
    invalidations.record(ofPattern('a.com/x'));
    invalidations.end();
    expect(invalidations.selectsSince(since, selected('d'))).toBe(true);
    invalidations.end();
    expect(invalidations.selectsSince(since, selected('d'))).toBe(false);
  });

  test('all of them after more than a thousand digests', () => {
    const invalidations = new Invalidations();
    const since = invalidations.begin();
    const digests = Array.from({ length: 1_000 }, (_, index) => `d${index}`);
    invalidations.record(invalidationOf({ digests }));
    expect(invalidations.selectsSince(since, selected('other'))).toBe(false);
    invalidations.record(ofDigest('d1000'));
    expect(invalidations.selectsSince(since, selected('other'))).toBe(true);
    expect(invalidations.selectsSince(invalidations.begin(), selected('other'))).toBe(false);
  });
});

describe('Invalidations that are pending', () => {
  test.each<[string, Invalidation, boolean]>([
    ['by a digest', ofDigest('d'), true],
    ['by a pattern', ofPattern('a.com/x'), true],
    ['by everything', invalidationOf({ everything: true }), true],
    ['not by another digest', ofDigest('other'), false],
  ])('concern responses received until then: %s', (_, invalidation, expected) => {
    const invalidations = new Invalidations();
    const pending = { ...invalidation, at: 10 };
    invalidations.addPending(pending);
    const concerned = (receivedAt: number) => invalidations.isPendingFor(receivedAt, selected('d'));
    expect([concerned(9), concerned(10), concerned(11)]).toEqual([expected, expected, false]);
    invalidations.removePending(pending);
    expect(concerned(9)).toBe(false);
    expect(invalidations.isPendingFor(9, selected('d'), [pending])).toBe(expected);
  });

  test('are tried again if they failed; of more than a thousand digests one of everything remains', () => {
    const invalidations = new Invalidations();
    const digests = Array.from({ length: 1_000 }, (_, index) => `d${index}`);
    const many = { ...invalidationOf({ digests }), at: 10 };
    const one = { ...ofDigest('d'), at: 20 };
    invalidations.keepFailed(many);
    expect(invalidations.failed).toEqual([]);
    invalidations.addPending(many);
    invalidations.keepFailed(many);
    expect(invalidations.failed).toEqual([many]);
    invalidations.addPending(one);
    invalidations.keepFailed(one);
    expect(invalidations.failed).toEqual([{ ...invalidationOf({ everything: true }), at: 20 }]);
    expect(invalidations.isPendingFor(20, selected('other'))).toBe(true);
  });
});

describe('RequestOrder', () => {
  test('variants are independent, but for another Vary', () => {
    const order = new RequestOrder();
    const [older, newer] = [order.begin('k'), order.begin('k')];
    expect(order.claim(newer, recordOf('k', ['accept'], 'v1'))).toBe(true);
    expect(order.isSuperseded(older, recordOf('k', ['accept'], 'v2'))).toBe(false);
    expect(order.isSuperseded(older, recordOf('k', ['accept'], 'v1'))).toBe(true);
    expect(order.isSuperseded(older, recordOf('k'))).toBe(true);
    expect(order.isSuperseded(older, recordOf('other'))).toBe(false);
  });

  test('an overlapping write of the older one is noticed afterwards', () => {
    const order = new RequestOrder();
    const [older, newer] = [order.begin('k'), order.begin('k')];
    expect([order.claim(older, recordOf('k')), order.claim(newer, recordOf('k'))]).toEqual([true, true]);
    expect(order.isSuperseded(older, recordOf('k'))).toBe(true);
    expect(order.isSuperseded(newer, recordOf('k'))).toBe(false);
  });

  test('any number of requests at once are stored, each under its own key', () => {
    const order = new RequestOrder();
    const places = Array.from({ length: 3_000 }, (_, index) => order.begin(`k${index}`));
    expect(places.every((place, index) => order.claim(place, recordOf(`k${index}`)))).toBe(true);
  });

  test('a key is forgotten when no request for it is in flight', () => {
    const order = new RequestOrder();
    const [older, newer] = [order.begin('k'), order.begin('k')];
    order.claim(newer, recordOf('k'));
    order.end('k');
    expect(order.isSuperseded(older, recordOf('k'))).toBe(true);
    order.end('k');
    expect(order.isSuperseded(older, recordOf('k'))).toBe(false);
  });

  test('after a thousand variants of a key, what began before is not stored, and what begins later is', () => {
    const order = new RequestOrder();
    const older = order.begin('k');
    for (let index = 0; index < 1001; index += 1) {
      expect(order.claim(order.begin('k'), recordOf('k', ['accept'], `v${index}`))).toBe(true);
    }
    expect(order.claim(older, recordOf('k', ['accept'], 'v0'))).toBe(false);
    expect(order.claim(order.begin('k'), recordOf('k', ['accept'], 'v0'))).toBe(true);
  });
});

test('revalidate leaves a response deleted that was deleted, and one replaced that was replaced', async () => {
  await using bench = await startBench({ expireAfter: 60 });
  const { api } = bench;
  const { cacheKey = '' } = await api.get('/a');
  const old = await api.cache.getResponse(cacheKey);
  const { data } = await api.get('/a', { forceRefresh: true });
  expect(await old?.revalidate('1h')).toBe(false);
  expect((await api.get('/a')).data).toEqual(data);
  const present = await api.cache.getResponse(cacheKey);
  await api.cache.clear();
  await present?.revalidate('1h');
  expect((await api.get('/a')).fromCache).toBe(false);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { RequestOrder } from '../../lib/cache/invalidations.js';
import type { ResponseRecord } from '../../lib/models/record.js';
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

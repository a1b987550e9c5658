import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import axios, { type AxiosResponse } from 'axios';
import type { CacheOptions } from '../lib/options.js';
import { type CachedAxiosInstance, setupCache } from '../lib/setup-cache.js';
import '../lib/axios/types.js';
import { TestClock } from './support/clock.js';
import { type Handler, startOrigin, type TestOrigin } from './support/origin.js';

let origin: TestOrigin;
let clock: TestClock;
const open: CachedAxiosInstance[] = [];

beforeEach(() => {
  clock = new TestClock();
});

afterEach(async () => {
  for (const api of open.splice(0)) await api.detachCache();
  await origin.stop();
});

async function start(options: CacheOptions = {}, handler?: Handler): Promise<CachedAxiosInstance> {
  origin = await startOrigin(handler);
  const api = setupCache(axios.create({ baseURL: origin.url }), { backend: 'memory', ...options }, { now: clock.now });
  open.push(api);
  return api;
}

function seen(response: AxiosResponse) {
  const { data, fromCache, cacheStatus } = response;
  return { data: data as unknown, fromCache, cacheStatus };
}

describe('the main job', () => {
  test('a second request is answered from the cache', async () => {
    const api = await start();
    const first = await api.get('/a');
    expect(seen(first)).toEqual({
      data: { url: '/a', count: 1 },
      fromCache: false,
      cacheStatus: 'axios-keyv-cache; fwd=uri-miss; fwd-status=200; stored',
    });
    const second = await api.get('/a');
    expect(seen(second)).toEqual({
      data: { url: '/a', count: 1 },
      fromCache: true,
      cacheStatus: 'axios-keyv-cache; hit',
    });
    expect(origin.asked).toHaveLength(1);
  });
});

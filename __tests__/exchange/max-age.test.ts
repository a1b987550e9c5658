import { describe, expect, test } from '@jest/globals';
import type { RequestCacheOptions } from '../../lib/settings/types.js';
import { startBench } from '../support/api.js';
import { sendJson } from '../support/origin.js';

/** `maxAge`: nothing that was received longer ago is served without asking the origin, in every mode. */

describe.each([
  ['without cacheControl', { expireAfter: 3600 }],
  ['with cacheControl', { cacheControl: true }],
])('maxAge %s', (_, settings) => {
  const start = (options: object = {}, etag?: string) =>
    startBench({ ...settings, ...options }, ({ headers }, response, count) => {
      const fields = { 'cache-control': 'max-age=3600', ...(etag === undefined ? {} : { etag }) };
      if (etag !== undefined && headers['if-none-match'] === etag) response.writeHead(304, fields).end();
      else sendJson(response, { count }, fields);
    });

  test('a response that was received longer ago is fetched, and serves the next request', async () => {
    await using bench = await start();
    const { api, clock } = bench;
    const countWith = async (config: RequestCacheOptions = {}) => (await api.get('/a', config)).data.count;
    expect(await countWith()).toBe(1);
    clock.advance(9);
    expect(await countWith({ maxAge: 10 })).toBe(1);
    clock.advance(2);
    expect([await countWith(), await countWith({ maxAge: 10 })]).toEqual([1, 2]);
    expect(await countWith({ maxAge: '1s' })).toBe(2);
    clock.advance(2);
    expect(await countWith({ maxAge: '1s' })).toBe(3);
  });

  test('an instant: a response that was received before it is fetched', async () => {
    await using bench = await start();
    const { api, clock } = bench;
    const countSince = async (maxAge: Date) => (await api.get('/a', { maxAge })).data.count;
    clock.advance(10);
    await api.get('/a');
    const [before, after] = [-1, 1].map((seconds) => new Date(clock.now() + seconds * 1000));
    clock.advance(5);
    expect(await countSince(before as Date)).toBe(1);
    expect(await countSince(after as Date)).toBe(2);
    expect(await countSince(after as Date)).toBe(2);
  });

  test('one with a validator is revalidated, after which its age counts anew', async () => {
    await using bench = await start({}, '"1"');
    const { api, clock, origin } = bench;
    await api.get('/a');
    clock.advance(20);
    const renewed = await api.get('/a', { maxAge: 10 });
    expect([renewed.revalidated, renewed.data]).toEqual([true, { count: 1 }]);
    clock.advance(9);
    expect((await api.get('/a', { maxAge: 10 })).revalidated).toBe(false);
    expect(origin.asked).toHaveLength(2);
  });

  test('the setting of an instance applies, and a request overrides it', async () => {
    await using bench = await start({ maxAge: 10 });
    const { api, clock } = bench;
    await api.get('/a');
    clock.advance(20);
    expect((await api.get('/a', { maxAge: 60 })).data).toEqual({ count: 1 });
    expect((await api.get('/a')).data).toEqual({ count: 2 });
    api.cacheSettings.maxAge = undefined;
    clock.advance(60);
    expect((await api.get('/a')).data).toEqual({ count: 2 });
  });

  test('a failure is answered by the older response only with oldDataOnError', async () => {
    await using bench = await start();
    const { api, clock, origin } = bench;
    await api.get('/a');
    clock.advance(20);
    await origin.stop();
    await expect(api.get('/a', { maxAge: 10 })).rejects.toThrow();
    const stale = await api.get('/a', { maxAge: 10, oldDataOnError: true });
    expect([stale.fromCache, stale.data]).toEqual([true, { count: 1 }]);
  });

  test('it changes no stored lifetime', async () => {
    await using bench = await start();
    const first = await bench.api.get('/a', { maxAge: 1 });
    expect(first.expires?.getTime()).toBe(bench.clock.now() + 3600_000);
  });
});

test('a response of an unlimited lifetime has an age too', async () => {
  await using bench = await startBench();
  await bench.api.get('/a');
  bench.clock.advance(100);
  expect((await bench.api.get('/a')).fromCache).toBe(true);
  expect((await bench.api.get('/a', { maxAge: 99 })).fromCache).toBe(false);
});

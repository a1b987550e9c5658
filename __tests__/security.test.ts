import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { RedisCache } from '../lib/cache/backends/redis-cache.js';
import { internalsOf } from '../lib/cache/internals.js';
import { HEAD_LENGTH } from '../lib/stores/stored-form.js';
import { startBench, temporaryFolder } from './support/api.js';
import { sendJson } from './support/origin.js';
import { type RawStore, rawStore } from './support/sqlite.js';

/** The raw store, edited without the cache. */
function raw<T>(file: string, work: (store: RawStore) => Promise<T>): Promise<T> {
  return work(rawStore(file));
}

const KEY = 'k'.repeat(32);

describe('an attacker with write access to the store', () => {
  test.each<[string, (row: Buffer, other: Buffer) => Buffer]>([
    ['edits a body', (row) => Buffer.from(row.toString('latin1').replace('"count":1', '"count":9'), 'latin1')],
    ['puts one entry in the place of another', (_, other) => other],
    [
      'makes it expire later',
      (row) => Buffer.concat([row.subarray(0, 19), Buffer.from('9999999999999'), row.subarray(32)]),
    ],
    ['takes the signature away', (row) => Buffer.concat([row.subarray(0, 5), Buffer.from('-'), row.subarray(6)])],
    ['cuts it off', (row) => row.subarray(0, HEAD_LENGTH + 40)],
  ])('%s: detected if a key is set', async (_, change) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache.sqlite');
    await using bench = await startBench({
      backend: 'sqlite',
      cacheName,
      secretKey: KEY,
      expireAfter: '1h',
      oldDataOnError: true,
    });
    const { cacheKey = '' } = await bench.api.get('/good');
    const { cacheKey: otherKey = '' } = await bench.api.get('/evil');
    await raw(cacheName, async (store) => {
      const [row, other] = [
        Buffer.from((await store.get(cacheKey)) as Uint8Array),
        Buffer.from((await store.get(otherKey)) as Uint8Array),
      ];
      await store.set(cacheKey, change(row, other));
    });
    const again = await bench.api.get('/good');
    expect([again.fromCache, again.data]).toEqual([false, { url: '/good', count: 3 }]);
    expect(bench.events.filter(({ type }) => type === 'invalid')).toHaveLength(1);
  });

  test('a refused entry is never old data, and lends no validator', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache.sqlite');
    await using bench = await startBench(
      { backend: 'sqlite', cacheName, secretKey: KEY, oldDataOnError: true },
      (_, response, count) => sendJson(response, count, { etag: '"a"' }),
    );
    const { cacheKey = '' } = await bench.api.get('/');
    await raw(cacheName, async (store) => {
      const row = (await store.get(cacheKey)) as Uint8Array;
      await store.set(cacheKey, Buffer.concat([row, Buffer.from('x')]));
    });
    await bench.api.get('/', { refresh: true });
    expect(bench.origin.asked[1]?.headers['if-none-match']).toBeUndefined();
    await bench.origin.stop();
    await raw(cacheName, async (store) => {
      const row = (await store.get(cacheKey)) as Uint8Array;
      await store.set(cacheKey, Buffer.concat([row, Buffer.from('x')]));
    });
    await expect(bench.api.get('/')).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN(REFUSED|RESET)$/) });
  });
});

test('headers named __proto__ set no prototype', async () => {
  await using bench = await startBench();
  const headers = JSON.parse('{"__proto__":{"evil":"1"},"x-a":"1"}') as object;
  const adapter = async (config: object) => ({
    data: 'x',
    status: 200,
    statusText: 'OK',
    headers,
    config: config as never,
  });
  await bench.api.get('/', { adapter });
  const hit = await bench.api.get('/', { adapter });
  expect([hit.fromCache, hit.headers['x-a'], hit.headers.evil, ({} as { evil?: unknown }).evil]).toEqual([
    true,
    '1',
    undefined,
    undefined,
  ]);
});

test.each([['private=" authorization"'], ['private=""'], ['private, private="x"']])(
  'Cache-Control: %s is read strictly by a shared cache',
  async (directive) => {
    await using bench = await startBench({ cacheControl: true, shared: true }, (_, response, count) =>
      sendJson(response, count, { 'cache-control': `max-age=100, ${directive}` }),
    );
    await bench.api.get('/');
    expect((await bench.api.get('/')).fromCache).toBe(false);
  },
);

test('10,000 different URLs stay within the bound of memory', async () => {
  await using bench = await startBench({ backendOptions: { maxEntries: 100 } });
  const adapter = async (config: object) => ({
    data: 'x',
    status: 200,
    statusText: 'OK',
    headers: {},
    config: config as never,
  });
  for (let r = 0; r < 10_000; r += 1) await bench.api.get(`/?r=${r}`, { adapter });
  expect(await bench.api.cache.responseCount()).toBe(100);
});

describe('names', () => {
  test.each([['x;DROP TABLE'], ['/abs'], ['a b'], ['..'], ['ü']])(
    '%p is refused where a plain name is meant',
    (cacheName) => {
      expect(() => new RedisCache({ cacheName })).toThrow(
        `cacheName: ${JSON.stringify(cacheName)} is not accepted; expected a name of letters`,
      );
    },
  );

  test('a password in a URL is not shown', () => {
    expect(() => new RedisCache({ url: 'http://user:s3cr3t@host' })).toThrow(/^url: the given value is not accepted/);
  });
});

test('a polluted Object.prototype.secretKey signs nothing', async () => {
  Object.defineProperty(Object.prototype, 'secretKey', { value: KEY, configurable: true, writable: true });
  try {
    await using bench = await startBench({ backendOptions: { maxEntries: 10 } });
    const { cacheKey = '' } = await bench.api.get('/');
    const entry = await internalsOf(bench.api.cache).breaker.store.find(cacheKey);
    expect(entry?.protection).toBe('');
  } finally {
    Reflect.deleteProperty(Object.prototype, 'secretKey');
  }
});

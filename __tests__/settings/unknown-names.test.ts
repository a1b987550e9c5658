import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, jest, test } from '@jest/globals';
import { checkNames } from '../../lib/settings/unknown-names.js';
import { startBench } from '../support/api.js';

/** Returns the warnings that `work` causes. */
async function warningsOf(work: () => unknown): Promise<string[]> {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    await work();
    return emit.mock.calls.map(([warning]) => String(warning));
  } finally {
    emit.mockRestore();
  }
}

test.each([
  ['expireafter', 'expireAfter'],
  ['expire_after', 'expireAfter'],
  ['Cache', 'cache'],
  ['max-age', 'maxAge'],
  ['onlyifcached', 'onlyIfCached'],
  ['cache_name', 'cacheName'],
])('%s in a config rejects before the request is sent', async (name, meant) => {
  await using bench = await startBench();
  const message = `${name}: 60 is not accepted, there is no such option; did you mean ${meant}?`;
  await expect(bench.api.get('/', { [name]: 60 })).rejects.toThrow(new TypeError(message));
  expect(bench.origin.asked).toHaveLength(0);
});

test.each([
  ['expireAftr', 'expireAfter'],
  ['forceRefesh', 'forceRefresh'],
  ['oldDataOnErorr', 'oldDataOnError'],
  ['ttl', 'expireAfter'],
  ['staleTime', 'expireAfter'],
  ['tag', 'tags'],
  ['noCache', 'cache: false'],
  ['skipCache', 'cache: false'],
  ['override', 'forceRefresh'],
  ['etag', 'alwaysRevalidate'],
])('%s in a config causes one warning, since it may belong to another package', async (name, meant) => {
  await using bench = await startBench();
  const twice = async () => {
    for (const url of ['/a', '/b']) expect((await bench.api.get(url, { [name]: 60 })).status).toBe(200);
  };
  expect(await warningsOf(twice)).toEqual([
    `${name} is no option of the cache and has no effect on it; did you mean ${meant}?`,
  ]);
});

test.each([
  ['an object', { ttl: 1 }, 'cache: {"ttl":1} is not accepted; expected true, or false to bypass the cache; '],
])('cache with %s rejects with the right place of its options', async (_, cache, message) => {
  await using bench = await startBench();
  await expect(bench.api.get('/', { cache } as object)).rejects.toThrow(
    `${message}lifetimes and other options are properties of the config itself, such as expireAfter`,
  );
});

test.each([
  ['no-store', 'cache: false'],
  ['reload', 'forceRefresh: true'],
  ['no-cache', 'refresh: true'],
  ['only-if-cached', 'onlyIfCached: true'],
  ['force-cache', 'expireAfter: -1 (it never expires)'],
])('cache with the mode %s of fetch rejects with %s', async (cache, own) => {
  await using bench = await startBench();
  await expect(bench.api.get('/', { cache } as object)).rejects.toThrow(
    `cache: "${cache}" is not accepted; expected true, or false to bypass the cache; "${cache}" of fetch is ${own} here`,
  );
  expect(bench.origin.asked).toHaveLength(0);
});

test.each<[string, object, string]>([
  ['expireAfter', { expireAfter: 3_600_000 }, '41.7 days, since numbers are seconds; write "60m"'],
  ['maxAge', { maxAge: 300_000 }, '3.5 days, since numbers are seconds; write "5m"'],
  ['staleWhileRevalidate', { staleWhileRevalidate: 600_000 }, '6.9 days, since numbers are seconds; write "10m"'],
  ['networkFirst', { networkFirst: 3_000 }, '50 minutes, since numbers are seconds; write 3'],
])('%s in milliseconds causes one warning, and is seconds nevertheless', async (name, options, hint) => {
  await using bench = await startBench();
  const twice = async () => {
    for (const url of ['/a', '/b']) expect((await bench.api.get(url, options)).status).toBe(200);
  };
  const [value] = Object.values(options);
  expect(await warningsOf(twice)).toEqual([`${name}: ${value} is ${hint} if milliseconds were meant`]);
});

test('cache with options of axios-cache-interceptor rejects with the name that each has here', async () => {
  await using bench = await startBench();
  const cache = { ttl: 1, override: true, update: {}, hydrate: () => {}, staleIfError: true };
  const error: Error = await bench.api.get('/', { cache } as object).catch((reason) => reason);
  expect(error.message.split('; ').slice(2)).toEqual([
    'lifetimes and other options are properties of the config itself, such as expireAfter',
    'ttl: it is expireAfter here, in seconds',
    'override: it is forceRefresh here, an option of single requests',
    'update: it is invalidates here, an option of single requests',
    'cache.updateResponse() changes a stored body',
    'hydrate: it is staleWhileRevalidate here, with response.refreshed',
  ]);
  expect(bench.origin.asked).toHaveLength(0);
});

test('a config is compared with the one before it by all of its names', () => {
  expect(checkNames({ url: '/', params: {} })).toBe(false);
  expect(checkNames({ url: '/a', params: {} })).toBe(false);
  expect(() => checkNames({ url: '/', expireafter: 60 })).toThrow('did you mean expireAfter?');
  expect(() => checkNames({ url: '/', params: {}, expireafter: 60 })).toThrow('did you mean expireAfter?');
  expect(() => checkNames({ url: '/', expireafter: 60 })).toThrow('did you mean expireAfter?');
  expect(checkNames({ url: '/', expireAfter: 60 })).toBe(true);
  expect(checkNames({ url: '/' })).toBe(false);
  expect(checkNames({ url: '/', expireAfter: 30 })).toBe(true);
});

describe('names of others', () => {
  const types = readFileSync(
    createRequire(import.meta.url)
      .resolve('axios/package.json')
      .replace('package.json', 'index.d.ts'),
    'utf8',
  );
  const ofAxios = [
    ...(/interface AxiosRequestConfig[^{]*\{([\s\S]*?)\n\}/.exec(types)?.[1]?.matchAll(/^ {2}(\w+)\??:/gm) ?? []),
  ];

  test('options of axios and of its plugins cause no warning', async () => {
    const names = ofAxios.map(([, name]) => name as string);
    expect(names).toEqual(expect.arrayContaining(['withCredentials', 'maxRate', 'timeout']));
    const ofPlugins = [
      'axios-retry',
      'raxConfig',
      'jar',
      'id',
      'retry',
      'metadata',
      'skipAuth',
      'rateLimit',
      'refreshToken',
    ];
    expect(
      await warningsOf(() => checkNames(Object.fromEntries([...names, ...ofPlugins].map((one) => [one, 1])))),
    ).toEqual([]);
  });

  test('undefined and inherited properties do not count', async () => {
    const config = Object.assign(Object.create({ expire_after: 1 }), { expireafter: undefined });
    expect(await warningsOf(() => checkNames(config))).toEqual([]);
  });
});

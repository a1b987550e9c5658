import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { gzipStage, utf8Stage } from '../../lib/serializers/stages.js';
import { storeOptions } from '../../lib/settings/given-options.js';
import { InstanceSettings } from '../../lib/settings/instance.js';
import { setupCache } from '../../lib/setup-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';

describe('a wrong option throws before anything is created', () => {
  test.each<[string, object, string]>([
    [
      'an unknown name',
      { somethingElse: 1 },
      'somethingElse: 1 is not accepted, there is no such option; expected one of cacheName',
    ],
    ['a misspelled name', { expireAftr: 1 }, 'there is no such option; did you mean expireAfter?'],
    ['a name in another style', { stale_if_error: true }, 'did you mean staleIfError?'],
    ['the beginning of a name', { expire: '5m' }, 'did you mean expireAfter?'],
    [
      'a name of another cache',
      { ttl: 300 },
      'ttl: 300 is not accepted, there is no such option; it is expireAfter here, in seconds',
    ],
    [
      'an option of another cache without a counterpart',
      { debug: console.log },
      'use onEvent or DEBUG=axios-keyv-cache',
    ],
    ['an option of another cache that needs none', { etag: true }, 'no such option; validators are always used'],
    ['an option of another cache with another form', { hydrate: () => {} }, 'it is staleWhileRevalidate here, with'],
    [
      'an option of all backends',
      { retention: '1d' },
      'retention: "1d" is not accepted, there is no such option; it belongs in backendOptions',
    ],
    [
      'an option of some backends',
      { clientOptions: {} },
      'it belongs in backendOptions, of the backend redis, mongodb',
    ],
    [
      'an option of another backend',
      { backend: 'memory', backendOptions: { url: 'redis://user:pw@localhost' } },
      'url: "redis://...@localhost" is not accepted, there is no such option; it is an option of the backend redis',
    ],
    [
      'an option of setupCache in backendOptions',
      { backendOptions: { expireAfter: '5m' } },
      'backendOptions.expireAfter: "5m" is not accepted; it is an option of setupCache, beside backendOptions',
    ],
    [
      'an option of requests',
      { refresh: true },
      'refresh: true is not accepted, there is no such option; it is an option of single requests',
    ],
    ['expireAfter', { expireAfter: '60' }, 'expireAfter: "60" is not accepted; expected seconds'],
    ['urlsExpireAfter', { urlsExpireAfter: 'x' }, 'urlsExpireAfter: "x" is not accepted; expected a record'],
    ['a pair', { urlsExpireAfter: [['a.com']] }, 'urlsExpireAfter: ["a.com"] is not accepted; expected a pair'],
    [
      'a pattern',
      { urlsExpireAfter: { 'a.com/?q': 1 } },
      'urlsExpireAfter: "a.com/?q" is not accepted; expected a RegExp, or a pattern',
    ],
    ['a lifetime by URL', { urlsExpireAfter: { 'a.com': 'x' } }, 'urlsExpireAfter[a.com]: "x" is not accepted'],
    [
      'allowableCodes',
      { allowableCodes: 200 },
      'allowableCodes: 200 is not accepted; expected a list of HTTP statuses',
    ],
    ['a code', { allowableCodes: [200, 99] }, 'allowableCodes[1]: 99 is not accepted'],
    [
      'allowableMethods',
      { allowableMethods: ['GE T'] },
      'allowableMethods[0]: "GE T" is not accepted; expected a list of HTTP methods',
    ],
    [
      'includeGetHeaders',
      { includeGetHeaders: 'Accept Language' },
      'includeGetHeaders: "Accept Language" is not accepted; expected true, false or a list',
    ],
    ['matchHeaders', { matchHeaders: [1] }, 'matchHeaders[0]: 1 is not accepted'],
    [
      'an alias that disagrees',
      { matchHeaders: true, includeGetHeaders: false },
      'includeGetHeaders: false is not accepted; expected the same value as its alias matchHeaders',
    ],
    ['ignoredParameters', { ignoredParameters: [''] }, 'ignoredParameters[0]: "" is not accepted'],
    ['credentialNames', { credentialNames: [1] }, 'credentialNames[0]: 1 is not accepted'],
    [
      'credentials',
      { credentials: 'share' },
      'credentials: "share" is not accepted; expected "isolate", "ignore" or a function',
    ],
    ['filterFn', { filterFn: true }, 'filterFn: true is not accepted; expected a function'],
    [
      'oldDataOnError',
      { oldDataOnError: 'long' },
      'oldDataOnError: "long" is not accepted; expected true, false, { limit, codes }',
    ],
    ['its limit', { oldDataOnError: { limit: {} } }, 'oldDataOnError.limit: {} is not accepted'],
    ['its codes', { oldDataOnError: { codes: [1] } }, 'oldDataOnError.codes[0]: 1 is not accepted'],
    [
      'its members',
      { oldDataOnError: { limit: 1, code: 1 } },
      'oldDataOnError.code: 1 is not accepted, there is no such option; did you mean codes?',
    ],
    ['staleIfError', { staleIfError: [] }, 'staleIfError: [] is not accepted'],
    [
      'staleWhileRevalidate',
      { staleWhileRevalidate: new Date(0) },
      'staleWhileRevalidate: Date 1970-01-01T00:00:00.000Z is not accepted',
    ],
    ['cacheControl', { cacheControl: 'yes' }, 'cacheControl: "yes" is not accepted; expected true or false'],
    ['shared', { shared: 1 }, 'shared: 1 is not accepted'],
    ['tags', { tags: [''] }, 'tags[0]: "" is not accepted; expected up to 128 strings'],
    ['maxAge', { maxAge: null }, 'maxAge: null is not accepted; expected seconds'],
    ['networkFirst', { networkFirst: -5 }, 'networkFirst: -5 is not accepted; expected true, false, or a duration'],
    [
      'targetedFields',
      { targetedFields: ['CDN-Cache-Control', 'Cache-Control'] },
      'targetedFields[1]: "Cache-Control" is not accepted; expected a list of targeted fields',
    ],
    ['targetedFields with Expires', { targetedFields: 'expires' }, 'targetedFields: "expires" is not accepted'],
    ['a name that is no field', { targetedFields: ['a b'] }, 'targetedFields[0]: "a b" is not accepted'],
    ['a path without a base URL', { urlsExpireAfter: { '/a': 1 } }, 'urlsExpireAfter: "/a" is not accepted; expected'],
    ['lease', { lease: 0 }, 'lease: 0 is not accepted; expected true, false, or a number of seconds above 0'],
    ['alwaysRevalidate', { alwaysRevalidate: 1 }, 'alwaysRevalidate: 1 is not accepted'],
    ['readOnly', { readOnly: null }, 'readOnly: null is not accepted'],
    ['onlyIfCached', { onlyIfCached: 0 }, 'onlyIfCached: 0 is not accepted'],
    ['coalesce', { coalesce: 'no' }, 'coalesce: "no" is not accepted'],
    ['keyFn', { keyFn: 'url' }, 'keyFn: "url" is not accepted; expected a function'],
    ['maxBodySize', { maxBodySize: -1 }, 'maxBodySize: -1 is not accepted; expected a number of bytes'],
    ['onEvent', { onEvent: {} }, 'onEvent: {} is not accepted; expected a function'],
    ['serializer', { serializer: 'xml' }, 'serializer: "xml" is not accepted; expected "json"'],
    ['a stage alone', { serializer: gzipStage }, 'is not accepted; expected "json"'],
    ['another stage alone', { serializer: utf8Stage }, 'is not accepted; expected "json"'],
    ['backend', { backend: 'nothing' }, 'backend: "nothing" is not accepted; expected "sqlite"'],
    ...(
      [
        ['Redis', 'did you mean "redis"?'],
        ['mongo', 'did you mean "mongodb"?'],
        ['file', 'did you mean "filesystem"?'],
        ['sqlite3', 'did you mean "sqlite"?'],
        ['redis://127.0.0.1', 'for a URL, backend: "redis" and backendOptions: { url: ... }'],
        ['mongodb+srv://a', 'for a URL, backend: "mongodb" and backendOptions: { url: ... }'],
        ['mysql', 'such as new KeyvPostgres(url) of @keyv/postgres'],
      ] as const
    ).map(([backend, hint]): [string, object, string] => [
      `a hint for the backend ${backend}`,
      { backend },
      `or a Keyv storage adapter; ${backend === 'mysql' ? 'other stores by a Keyv storage adapter, ' : ''}${hint}`,
    ]),
    [
      'an option of axios',
      { baseURL: 'http://a.com' },
      'such option; it is an option of axios.create() or of a request',
    ],
    ['a guessed name', { dedupe: false }, 'there is no such option; it is coalesce here'],
    [
      'backendOptions',
      { backendOptions: { maxSiz: 1 } },
      'maxSiz: 1 is not accepted, there is no such option; did you mean maxSize?',
    ],
    ['a value in them', { backendOptions: { maxSize: 0 } }, 'maxSize: 0 is not accepted; expected a whole number'],
    [
      'backendTimeout',
      { backendOptions: { backendTimeout: '1s' } },
      'backendTimeout: "1s" is not accepted; expected a number, 0 or more',
    ],
    ['strict', { backendOptions: { strict: 1 } }, 'strict: 1 is not accepted'],
    ['retention', { backendOptions: { retention: 'x' } }, 'retention: "x" is not accepted'],
    [
      'a name with .. segments',
      { cacheName: 'a/../b' },
      'cacheName: "a/../b" is not accepted; expected a relative or absolute file path',
    ],
    ['a name with NUL', { cacheName: 'a\0b' }, 'cacheName: "a\\u0000b" is not accepted'],
    ['an empty name', { cacheName: '' }, 'cacheName: "" is not accepted'],
  ])('%s', async (_, options, message) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'new/cache');
    const attempt = () => setupCache(axios.create(), { backend: 'sqlite', cacheName, ...options });
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(message);
    expect(existsSync(path.dirname(cacheName))).toBe(false);
  });

  test('options that are not an object', () => {
    expect(() => setupCache(axios.create(), 'sqlite' as never)).toThrow(
      'options: "sqlite" is not accepted; expected an object',
    );
  });

  test('a value that is not an instance', () => {
    expect(() => setupCache({} as never)).toThrow('instance: {} is not accepted; expected an axios instance');
  });

  test('together with an open cache', async () => {
    await using bench = await startBench();
    const { cache } = bench.api;
    expect(() => setupCache(axios.create(), { backend: cache, cacheName: 'x' })).toThrow(
      'cacheName: not accepted beside a backend that is open already',
    );
  });

  test('cache options in the defaults of axios', () => {
    const instance = axios.create({ expireAfter: 1 });
    expect(() => setupCache(instance, { backend: 'memory' })).toThrow(
      'expireAfter: not accepted in the defaults of an axios instance',
    );
  });
});

describe('a wrong option of a request rejects before anything is sent', () => {
  test.each<[string, object, string]>([
    ['expireAfter', { expireAfter: {} }, 'expireAfter: {} is not accepted'],
    ['refresh', { refresh: 1 }, 'refresh: 1 is not accepted'],
    ['cache', { cache: 'no' }, 'cache: "no" is not accepted; expected true, or false to bypass the cache'],
    ['invalidates', { invalidates: false }, 'invalidates: false is not accepted; expected true, URL patterns, or'],
    ['a pattern', { invalidates: ['a.com', 'a.com/?q'] }, 'invalidates[1]: "a.com/?q" is not accepted'],
    ['a pattern by name', { invalidates: { urls: 'a b' } }, 'invalidates.urls: "a b" is not accepted'],
    ['tags to invalidate', { invalidates: { tags: ['a', ''] } }, 'invalidates.tags[1]: "" is not accepted'],
    [
      'a member of invalidates',
      { invalidates: { tag: 'a' } },
      'invalidates.tag: "a" is not accepted, there is no such',
    ],
    ['null as a lifetime', { expireAfter: null }, 'expireAfter: null is not accepted; expected seconds'],
    ['tags', { tags: ['a*'] }, 'tags[0]: "a*" is not accepted; expected up to 128 strings'],
    ['maxAge', { maxAge: 'soon' }, 'maxAge: "soon" is not accepted; expected seconds'],
    ['networkFirst', { networkFirst: 'soon' }, 'networkFirst: "soon" is not accepted; expected true, false, or'],
    [
      'an option of instances',
      { shared: true },
      'shared: true is not accepted per request; expected among the options of setupCache',
    ],
    ['aliases that disagree', { staleIfError: true, oldDataOnError: false }, 'oldDataOnError: false is not accepted'],
  ])('%s', async (_, config, message) => {
    await using bench = await startBench();
    await expect(bench.api.get('/', config)).rejects.toThrow(message);
    expect(bench.origin.asked).toHaveLength(0);
  });
});

describe('cacheSettings', () => {
  test('are written with validation, and take effect at once', async () => {
    await using bench = await startBench();
    const { cacheSettings } = bench.api;
    cacheSettings.expireAfter = '10s';
    const { expires, createdAt } = await bench.api.get('/');
    expect(Number(expires) - Number(createdAt)).toBe(10_000);
    expect(() => {
      cacheSettings.expireAfter = 'soon' as never;
    }).toThrow('expireAfter: "soon" is not accepted');
    expect(cacheSettings.expireAfter).toBe('10s');
  });

  test('show the defaults, and aliases have equal values', () => {
    const { view } = new InstanceSettings({});
    expect(Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined))).toEqual({
      expireAfter: -1,
      allowableCodes: [200],
      allowableMethods: ['GET', 'HEAD'],
      includeGetHeaders: false,
      matchHeaders: false,
      credentials: 'isolate',
      oldDataOnError: false,
      staleIfError: false,
      staleWhileRevalidate: false,
      cacheControl: false,
      networkFirst: false,
      shared: false,
      alwaysRevalidate: false,
      readOnly: false,
      onlyIfCached: false,
      coalesce: true,
      lease: false,
      maxBodySize: 64 * 1024 * 1024,
    });
    view.staleIfError = '1h';
    expect(view.oldDataOnError).toBe('1h');
    expect(new InstanceSettings({ matchHeaders: true }).view.includeGetHeaders).toBe(true);
  });

  test('limit bodies to an eighth of the bound of memory', async () => {
    await using bench = await startBench({ backendOptions: { maxSize: 8_000 } });
    expect(bench.api.cacheSettings.maxBodySize).toBe(1_000);
  });

  test('are copied and frozen', () => {
    const allowableCodes = [200];
    const { view, compiled } = new InstanceSettings({ allowableCodes });
    allowableCodes.push(500);
    expect([...(compiled.allowableCodes ?? [])]).toEqual([200]);
    expect(() => (view.allowableCodes as number[]).push(500)).toThrow(TypeError);
  });

  test('do not change the options of the store', () => {
    const { view } = new InstanceSettings({});
    expect(() => Object.assign(view, { cacheName: 'x' })).toThrow('cacheSettings.cacheName: cannot change');
    expect(() => Object.assign(view, { expireAfterwards: 1 })).toThrow(TypeError);
  });

  test('of a child are independent', async () => {
    await using bench = await startBench({ expireAfter: 10 });
    const child = bench.api.create({ baseURL: bench.origin.url }) as typeof bench.api;
    child.cacheSettings.expireAfter = 20;
    expect(bench.api.cacheSettings.expireAfter).toBe(10);
    await child.get('/');
    expect((await bench.api.get('/')).fromCache).toBe(true);
  });
});

describe('a polluted prototype', () => {
  afterEach(() => {
    for (const name of ['readOnly', 'backend']) Reflect.deleteProperty(Object.prototype, name);
  });

  test('names no backend', () => {
    Object.defineProperty(Object.prototype, 'backend', { value: 'redis', configurable: true });
    const { backend } = storeOptions({ cacheName: 'mine' });
    expect(backend).toBeUndefined();
  });

  test('sets no option', async () => {
    Object.defineProperty(Object.prototype, 'readOnly', { value: true, configurable: true });
    await using bench = await startBench();
    await bench.api.get('/');
    expect((await bench.api.get('/')).fromCache).toBe(true);
  });
});

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import Keyv from 'keyv';
import { readPath } from '../../lib/cache/backend-options.js';
import { DynamoDbCache } from '../../lib/cache/backends/dynamodb-cache.js';
import { MongoCache } from '../../lib/cache/backends/mongo-cache.js';
import { RedisCache } from '../../lib/cache/backends/redis-cache.js';
import { internalsOf } from '../../lib/cache/internals.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { expectPermissions } from '../support/permissions.js';

describe('the path of a file or a folder', () => {
  test.each([
    ['cache', 'cache'],
    ['./~', './~'],
    ['a/~/b', 'a/~/b'],
    ['~cache', '~cache'],
    ['/var/cache', '/var/cache'],
    ['~/cache', path.join(homedir(), 'cache')],
    ['~/a/b.sqlite', path.join(homedir(), 'a/b.sqlite')],
    ['~//cache', path.join(homedir(), 'cache')],
  ])('%j is %j', (given, expected) => {
    expect(readPath(given, 'cacheName')).toBe(expected);
  });

  test.each(['', '..', '../a', 'a/../b', '~/..', '~/../a', 'a/', '~/', '~', '~root/cache', 'a\0b', 7, null])(
    '%j is refused',
    (given) => {
      expect(() => readPath(given, 'cacheName')).toThrow(/^cacheName: .* is not accepted; expected a relative or/);
    },
  );
});

describe('a cacheName below the home directory', () => {
  const source = `
    import axios from 'axios';
    import { setupCache } from './lib/index.js';
    const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
    process.chdir(process.argv[2]);
    try {
      const api = setupCache(axios.create({ adapter }), { backend: 'filesystem', cacheName: '~/mine' });
      await api.get('http://a.example/');
      await api.detachCache();
    } catch (error) {
      console.log(error.message);
    }`;

  test('makes its folder there, and nothing named ~', async () => {
    await using folder = await temporaryFolder();
    await using home = await temporaryFolder();
    await using caller = program(source);
    expect(await caller.runWith({ HOME: home.path }, folder.path)).toBe('');
    expect(existsSync(path.join(folder.path, '~'))).toBe(false);
    expectPermissions(path.join(home.path, 'mine'), 0o700);
  });

  test.each(['', 'relative/home'])('is refused if HOME is %j', async (home) => {
    await using folder = await temporaryFolder();
    await using caller = program(source);
    expect(await caller.runWith({ HOME: home }, folder.path)).toMatch(/^cacheName: "~\/mine" is not accepted; .*HOME/);
  });
});

describe('options that are planted in Object.prototype', () => {
  const PLANTED: Readonly<Record<string, unknown>> = {
    maxEntries: 1,
    maxSize: 10,
    retention: 0.001,
    strict: true,
    secretKey: 's'.repeat(32),
    encryptionKey: 'e'.repeat(32),
    serializer: 'yaml',
    driver: 'none',
    durable: 'yes',
    backend: 'redis',
    url: 'mongodb://planted.example',
    client: 'planted',
    database: 'planted',
    collection: 'planted',
    clusterOptions: { rootNodes: [{ url: 'redis://planted.example' }] },
    endpoint: 'http://planted.example',
    useTemp: true,
  };

  const plant = (names = Object.keys(PLANTED)) => {
    for (const name of names)
      Object.defineProperty(Object.prototype, name, { value: PLANTED[name], configurable: true, writable: true });
  };

  afterEach(() => {
    for (const name of Object.keys(PLANTED)) Reflect.deleteProperty(Object.prototype, name);
  });

  test.each<[string, (folder: string) => CacheOptions]>([
    ['memory', () => ({ backend: 'memory' })],
    ['sqlite', (folder) => ({ backend: 'sqlite', cacheName: `${folder}/cache` })],
    ['files', (folder) => ({ backend: 'filesystem', cacheName: `${folder}/cache` })],
    [
      'files with an option',
      (folder) => ({
        backend: 'filesystem',
        cacheName: `${folder}/cache`,
        backendOptions: { backendTimeout: 5 },
      }),
    ],
    ['a Keyv', () => ({ backend: new Keyv() })],
  ])('change nothing of %s', async (_, options) => {
    await using folder = await temporaryFolder();
    const given = options(folder.path);
    plant();
    await using bench = await startBench(given);
    const { api, clock } = bench;
    const keys = [];
    for (const url of ['/a', '/b', '/c']) keys.push((await api.get(url, { expireAfter: 10 })).cacheKey ?? '');
    clock.advance(20);
    await api.get('/d');
    expect(await api.cache.responseCount()).toBe(4);
    const { store } = internalsOf(api.cache).breaker;
    for (const key of keys) {
      const entry = await store.find(key);
      expect([entry?.protection, Buffer.from(entry?.meta ?? '').toString()]).toEqual([
        '',
        expect.stringMatching(/^json/),
      ]);
    }
  });

  test('make no request reject', async () => {
    const fail = async () => {
      throw new Error('refused');
    };
    const adapter = { opts: {}, on: () => adapter, get: fail, set: fail, delete: fail, clear: fail };
    plant();
    await using bench = await startBench({ backend: adapter as never });
    expect((await bench.api.get('/')).data.count).toBe(1);
    expect(bench.events.map(({ type }) => type)).toContain('error');
  });

  test('give Redis, MongoDB and DynamoDB no other server', async () => {
    // node-redis itself takes `url` and `database` from there.
    plant(['client', 'clusterOptions', 'backend']);
    const redis = [new RedisCache({}), new RedisCache({ url: 'redis://mine.example' })];
    plant();
    const others = [new MongoCache({ cacheName: 'mine' }), new DynamoDbCache({})];
    const caches = [...redis, ...others];
    expect(caches.map(({ location }) => location)).toEqual([
      'redis://localhost:6379',
      'redis://mine.example',
      'mongodb://127.0.0.1:27017/mine',
      'dynamodb:http_cache',
    ]);
    for (const cache of caches) await cache.close();
  });
});

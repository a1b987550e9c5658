import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  createClient,
  createCluster,
  createSentinel,
  type RedisClientType,
  type RedisClusterType,
  type RedisSentinelType,
} from '@keyv/redis';
import { RedisCache } from '../../lib/index.js';
import { RedisStore, type RedisStoreOptions } from '../../lib/stores/redis/index.js';
import { Layout } from '../../lib/stores/redis/layout.js';
import { selfSigned } from '../../scripts/services/certificate.mjs';
import {
  MASTER,
  redis,
  redisCluster,
  redisSentinel,
  startRedis,
  startRedisWithTls,
} from '../../scripts/services/redis.mjs';
import type { Server, Service } from '../../scripts/services/server.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { entryOf } from '../support/entries.js';
import { until } from '../support/faults.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { startOrigin } from '../support/origin.js';
import { describeService } from '../support/services.js';
import { describeBackend } from './contract.js';

/** Redis beyond a URL: clusters, sentinels, TLS, and a full server. */

afterEach(() => {
  jest.restoreAllMocks();
});

const clusterAt = ({ url }: Server) => ({ rootNodes: [{ url }] });
const sentinelAt = ({ url }: Server) => ({
  name: MASTER,
  sentinelRootNodes: [{ host: '127.0.0.1', port: Number(new URL(url).port) }],
});

/**
 * Kills and freezes a whole cluster, for which one proxy is not enough, under a cache: requests go on, and the cache
 * works again afterwards.
 */
async function expectToSurvive(service: Service, backendOptionsFor: (server: Server) => object): Promise<void> {
  const server = await service.start();
  await using bench = await startBench({
    backend: 'redis',
    cacheName: 'faults',
    backendOptions: { ...backendOptionsFor(server), backendTimeout: 0.2 },
  } as object);
  const works = async () => {
    await bench.api.get('/works');
    return (await bench.api.get('/works')).fromCache;
  };
  const down = async (urls: readonly string[]) => {
    for (const url of urls) expect((await bench.api.get(url)).status).toBe(200);
  };
  try {
    await until('the cache works', works);
    await server.kill();
    await down(['/1', '/2', '/3']);
    await server.start();
    await until('the cache works', works);
    server.freeze();
    await down(['/4', '/5', '/6']);
    server.resume();
    await until('the cache works', works);
    // Until all masters were found to have failed, each is an error of its own and no outage.
    expect(bench.events.filter(({ type }) => type === 'error').length).toBeGreaterThanOrEqual(2);
  } finally {
    server.resume();
    await bench.api.detachCache();
    await server.stop();
  }
}

/** One request, with nothing closed after it. */
const ONE_REQUEST = `
  import axios from 'axios';
  import { setupCache } from './lib/index.js';
  const [, , baseURL, backendOptions] = process.argv;
  const api = setupCache(axios.create({ baseURL }), {
    backend: 'redis',
    cacheName: 'exits',
    backendOptions: JSON.parse(backendOptions),
  });
  const { fromCache, cacheStatus } = await api.get('/');
  console.log(JSON.stringify({ fromCache, stored: cacheStatus.includes('stored') }));
`;

/** A client of the test's own, ended with it. */
function ending<T extends { destroy(): unknown }>(client: T): T & AsyncDisposable {
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.destroy();
    },
  });
}

async function expectMainJob(backendOptions: object): Promise<void> {
  const options = { backend: 'redis', cacheName: 'main_job', lease: true, expireAfter: 60, backendOptions } as const;
  await using bench = await startBench(options);
  const { api, clock } = bench;
  await api.cache.ready();
  await api.cache.clear();
  const fromCache = async (url: string) => (await api.get(url)).fromCache;
  expect([await fromCache('/a'), await fromCache('/a'), await fromCache('/b'), await fromCache('/c')]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  expect((await api.get('/a', { responseType: 'arraybuffer' })).data.byteLength).toBeGreaterThan(0);
  expect([await api.cache.deleteUrl(`${bench.origin.url}/b`), await api.cache.responseCount()]).toEqual([1, 2]);
  clock.advance(90);
  expect(await fromCache('/a')).toBe(false);
  expect(await api.cache.removeExpiredResponses()).toEqual({ removed: 1, kept: 1 });
  await api.cache.clear();
  expect([await api.cache.responseCount(), await fromCache('/a')]).toEqual([0, false]);
  expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
}

async function expectExit(backendOptions: object): Promise<void> {
  await using origin = await startOrigin();
  await using one = program(ONE_REQUEST);
  const runs = [];
  for (let number = 0; number < 2; number += 1) {
    runs.push(JSON.parse(await one.run(origin.url, JSON.stringify(backendOptions))).fromCache);
  }
  expect(runs).toEqual([false, true]);
}

/** A client of the user stays open, and its reads stay text. */
async function expectToShare(given: RedisClientType | RedisClusterType | RedisSentinelType): Promise<void> {
  await using client = ending(given);
  await client.connect();
  const store = new RedisStore('own', { client }, Date.now);
  await store.put([entryOf('a')]);
  expect((await store.find('a'.repeat(64)))?.kind).toBe('response');
  await store.close();
  await client.set('{own}:text', 'text');
  expect(await client.get('{own}:text')).toBe('text');
}

describeService(redisCluster, (server) => {
  const options = (): RedisStoreOptions => ({ clusterOptions: clusterAt(server()) });

  describeBackend('redis cluster', {
    open: (folder, cacheName, more, now) => new RedisStore(nameIn(folder, cacheName), { ...more, ...options() }, now),
    persistent: true,
    ordered: true,
    bounded: false,
    expires: false,
    processModule: '__tests__/backends/redis-cluster-process.ts',
    processArgument: () => server().url,
    async plantGarbage(folder, cacheName, id) {
      await using cluster = ending(createCluster(clusterAt(server())));
      await cluster.connect();
      const keys = new Layout(nameIn(folder, cacheName), 64).keysOf(id);
      await cluster.set(keys.row(id), 'not ours');
      await cluster.zAdd(keys.responses, { score: 1, value: id });
    },
  });

  test('the main job', () => expectMainJob(options()));

  test('caches in slots of every master work, and one is cleared without the others', async () => {
    const stores = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => new RedisStore(name, options(), Date.now));
    for (const store of stores) await store.put([entryOf('a')]);
    for (const store of stores.slice(0, 1)) await managed(store).clear();
    expect(await Promise.all(stores.map((store) => managed(store).count()))).toEqual([0, 1, 1, 1, 1, 1]);
    for (const store of stores) await store.close();
  });

  test('an own cluster', () => expectToShare(createCluster(clusterAt(server())) as unknown as RedisClusterType));

  test('a process that is done exits by itself', () => expectExit(options()));

  test('killed, frozen and back: requests go on, and the cache works again', async () => {
    await expectToSurvive(redisCluster, (own) => ({ clusterOptions: clusterAt(own) }));
  }, 40_000);

  test('a root node that is down is no error where another is up', async () => {
    const rootNodes = [{ url: 'redis://127.0.0.1:1' }, { url: server().url }];
    for (const nodes of [rootNodes, [...rootNodes, ...rootNodes]]) {
      const store = new RedisStore('roots', { clusterOptions: { rootNodes: nodes } }, Date.now);
      await store.ready();
      await store.put([entryOf('a')]);
      expect(await managed(store).count()).toBe(1);
      await store.close();
    }
  });
});

describeService(redisSentinel, (server) => {
  const options = (): RedisStoreOptions => ({ sentinelOptions: sentinelAt(server()) });

  test('the main job', () => expectMainJob(options()));

  test('an own sentinel', () => expectToShare(createSentinel(sentinelAt(server())) as unknown as RedisSentinelType));

  test('a process that is done exits by itself', () => expectExit(options()));

  test('its master is killed, and later back as a replica: requests go on, and the cache works again', async () => {
    const own = await redisSentinel.start();
    const backendOptions = { sentinelOptions: sentinelAt(own), backendTimeout: 0.2 };
    await using bench = await startBench({ backend: 'redis', cacheName: 'failover', backendOptions });
    const hits = async () => {
      expect((await bench.api.get('/')).status).toBe(200);
      return (await bench.api.get('/')).fromCache === true;
    };
    try {
      await until('a hit', hits);
      await own.kill();
      expect(await hits()).toBe(false);
      await until('a hit', hits);
      await own.start();
      for (let number = 0; number < 20; number += 1) await hits();
      await until('a hit', hits);
      expect(bench.events.some(({ type }) => type === 'recovered')).toBe(true);
    } finally {
      await bench.api.detachCache();
      await own.stop();
    }
  }, 40_000);
});

describeService(redis, (server) => {
  test('TLS, by its own authority', async () => {
    await using folder = await temporaryFolder();
    const files = selfSigned(folder.path);
    const secured = await startRedisWithTls(files);
    try {
      const ca = await readFile(files.cert, 'utf8');
      await expectMainJob({ url: secured.url, clientOptions: { socket: { ca } } });
      const distrustful = new RedisStore('tls', { url: secured.url }, Date.now);
      await expect(distrustful.ready()).rejects.toThrow(/self-signed/);
      await distrustful.close();
    } finally {
      await secured.stop();
    }
  });

  test('many at once while it connects: all wait with one listener', async () => {
    await using client = ending(createClient({ url: server().url }));
    const store = new RedisStore('many', { client }, Date.now);
    const found = Array.from({ length: 20 }, () => store.find('a'.repeat(64)));
    let most = 0;
    client.on('newListener', () => {
      most = Math.max(most, client.listenerCount('error'));
    });
    expect(await Promise.all(found)).toEqual(found.map(() => undefined));
    expect(most).toBeLessThan(5);
  });

  test('an own client', () => expectToShare(createClient({ url: server().url }) as unknown as RedisClientType));

  test('a process that is done exits by itself', () => expectExit({ url: server().url }));

  test.each([
    ['allkeys-lru', {}],
    ['volatile-ttl', { retention: '7d' }],
  ])('a server that evicts by %s: no request fails, and counted entries are readable', async (policy, options) => {
    const full = await startRedis({ maxmemory: '3mb', 'maxmemory-policy': policy });
    const client = createClient({ url: full.url });
    try {
      await client.connect();
      await using bench = await startBench(
        { backend: 'redis', cacheName: 'full', expireAfter: 3_600, backendOptions: { url: full.url, ...options } },
        (_, response) => void response.end(Buffer.alloc(10_000, 'x')),
      );
      const { api } = bench;
      for (let first = 0; first < 1_500; first += 10) {
        const urls = Array.from({ length: 10 }, (_, index) => `/${first + index}`);
        const statuses = (await Promise.all(urls.map((url) => api.get(url)))).map(({ status }) => status);
        expect(new Set(statuses)).toEqual(new Set([200]));
      }
      expect(Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1])).toBeGreaterThan(1_000);
      const indexed = await client.zCard('{full}:e:responses');
      // The reads of the test need memory too.
      await client.configSet('maxmemory', '0');
      const keys = [];
      for await (const key of api.cache.keys()) keys.push(key);
      expect(await api.cache.responseCount()).toBe(keys.length);
      for (const key of keys) expect(await api.cache.hasKey(key)).toBe(true);
      // The listing has put the index right.
      expect(await client.zCard('{full}:e:responses')).toBe(keys.length);
      if (policy === 'volatile-ttl') {
        expect(indexed).toBeLessThan(700);
        expect((await client.keys('{full}:r:*')).length).toBe(keys.length);
      }
      expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
    } finally {
      client.destroy();
      await full.stop();
    }
  });

  test('ids without entries: listings remove them, and a deletion of them ends', async () => {
    await using client = ending(createClient({ url: server().url }));
    await client.connect();
    const group = 'g'.repeat(64);
    // No write of this test sweeps the index by chance.
    jest.spyOn(Math, 'random').mockReturnValue(0.99);
    const store = new RedisStore('gone', { url: server().url }, Date.now);
    for (const letter of ['a', 'b', 'c'])
      await store.put([entryOf(letter, { indexes: ['1'.repeat(32)], group: group })]);
    await client.del(`{gone}:r:${'a'.repeat(64)}`);
    for await (const _ of store.list({ index: '1'.repeat(32) }));
    for await (const _ of store.list({ group: group }));
    expect([await client.sCard(`{gone}:u:${'1'.repeat(32)}`), await client.sCard(`{gone}:g:${group}`)]).toEqual([2, 2]);
    expect(await client.zCard('{gone}:e:responses')).toBe(3);
    await client.del(`{gone}:r:${'b'.repeat(64)}`);
    expect([await managed(store).deleteExpired(2_000), await client.zCard('{gone}:e:responses')]).toEqual([1, 0]);
    await store.close();
  });

  test('with retention, sets of groups and URLs expire after their longest entry', async () => {
    await using client = ending(createClient({ url: server().url }));
    await client.connect();
    const store = new RedisStore('sets', { url: server().url, retention: 60 }, Date.now);
    const urls = ['1'.repeat(32)];
    const left = async () => Math.round((await client.pTTL(`{sets}:u:${urls[0]}`)) / 10_000);
    await store.put([entryOf('a', { indexes: urls, staleAt: Date.now() + 100_000 })]);
    expect(await left()).toBe(22);
    await store.put([entryOf('b', { indexes: urls, staleAt: Date.now() + 10_000 })]);
    expect(await left()).toBe(22);
    await store.put([entryOf('c', { indexes: urls, staleAt: Date.now() + 200_000 })]);
    expect(await left()).toBe(32);
    await store.put([entryOf('d', { indexes: urls, staleAt: Number.POSITIVE_INFINITY })]);
    expect(await client.pTTL(`{sets}:u:${urls[0]}`)).toBe(-1);
    await store.put([entryOf('e', { indexes: urls, staleAt: Date.now() + 10_000 })]);
    expect(await client.pTTL(`{sets}:u:${urls[0]}`)).toBe(-1);
    await store.close();
  });
});

describe('wrong options', () => {
  const secret = 's3cr3t';
  const cluster = { rootNodes: [{ url: `redis://:${secret}@host` }] };
  const sentinel = { name: 'main', sentinelRootNodes: [{ host: 'host', port: 1 }] };

  test.each([
    [{ clusterOptions: 5 }, 'clusterOptions: 5 is not accepted; expected options of node-redis'],
    [
      { clusterOptions: `redis://:${secret}@host` },
      'clusterOptions: the given value is not accepted; expected options',
    ],
    [{ clusterOptions: { rootNodes: [], defaults: { password: secret } } }, 'rootNodes as a list that is not empty'],
    [{ sentinelOptions: null }, 'sentinelOptions: null is not accepted; expected options of node-redis'],
    [
      { sentinelOptions: { ...sentinel, name: '', password: secret } },
      'sentinelOptions: the given value is not accepted',
    ],
    [{ sentinelOptions: { name: 'main' } }, 'sentinelRootNodes as a list that is not empty'],
    [{ client: `redis://:${secret}@host` }, 'client: the given value is not accepted; expected a node-redis client'],
    [
      { clusterOptions: cluster, url: 'redis://host' },
      'clusterOptions: the given value is not accepted; expected no url',
    ],
    [{ clusterOptions: cluster, shards: 0 }, 'shards: 0 is not accepted; expected a whole number from 1 to 1024'],
    [{ clusterOptions: cluster, shards: 1_025 }, 'expected a whole number from 1 to 1024'],
    [{ url: 'redis://host', shards: 2 }, 'shards: 2 is not accepted; expected 1 without clusterOptions or a cluster'],
    [{ clusterOptions: cluster, clientOptions: {} }, 'expected no clientOptions beside it'],
    [{ sentinelOptions: sentinel, client: {} }, 'sentinelOptions: the given value is not accepted; expected no client'],
    [
      { clusterOptions: cluster, sentinelOptions: sentinel },
      'expected no sentinelOptions beside it: one of url, client',
    ],
  ])('%#: name the option and the accepted values, and no secret', (options, message) => {
    const open = () => new RedisCache(options as object);
    expect(open).toThrow(TypeError);
    expect(open).toThrow(message);
    expect(open).not.toThrow(secret);
  });
});

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { createClient, createCluster } from '@keyv/redis';
import { RedisStore, type RedisStoreOptions } from '../../lib/stores/redis/index.js';
import { MASTER, redis, redisCluster, redisSentinel } from '../../scripts/services/redis.mjs';
import { startBench } from '../support/api.js';
import { entryOf, idOf, listedIds } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { describeService } from '../support/services.js';

/** A user with the rights that the documentation names, and no others, can do everything that a cache does. */

const CACHE_NAME = 'rights';
const DIGEST = '1'.repeat(32);
const login = { username: 'cache', password: 'password' };
const [forServer, forCluster] = [...readFileSync('docs/backends.md', 'utf8').matchAll(/^ACL SETUSER .*$/gm)].map(
  ([line]) => line.replaceAll('cacheName', CACHE_NAME).split(' '),
);

async function expectEverything(options: RedisStoreOptions): Promise<void> {
  const store = new RedisStore(CACHE_NAME, options, Date.now);
  const ids = (query = {}) => listedIds(store, query);
  try {
    await store.ready();
    const order = await store.currentOrder();
    expect(order).toBeGreaterThan(0);
    const entries = [
      entryOf('a', { order, indexes: [DIGEST] }),
      entryOf('b', { order, kind: 'variants' }),
      entryOf('c', { order, kind: 'redirect', group: idOf('a'), staleAt: 3_000 }),
    ];
    expect(await store.put(entries)).toBe(true);
    expect(
      (await Promise.all(['a', 'b', 'd'].map((letter) => store.find(idOf(letter))))).map((one) => one?.kind),
    ).toEqual(['response', 'variants', undefined]);
    expect([await ids(), await ids({ index: DIGEST }), await managed(store).count()]).toEqual([
      ['a', 'b', 'c'].map(idOf),
      [idOf('a')],
      1,
    ]);
    await store.invalidate([DIGEST]);
    expect(await store.put(entries)).toBe(false);
    // One write in a hundred sweeps the index.
    for (let number = 0; number < 300; number += 1) await store.put([entryOf(number, { staleAt: 9_000 })]);
    expect(await managed(store).deleteExpired(2_500)).toBe(1);
    expect(await store.deleteGroups([idOf(1), idOf(2)])).toBe(2);
    expect(await store.delete([idOf(3)])).toBe(1);
    expect(await store.acquireLease('lease', 'me', 60)).toBe(true);
    expect(await store.acquireLease('lease', 'you', 60)).toBe(false);
    await store.releaseLease('lease', 'me');
    expect(await store.acquireLease('lease', 'you', 60)).toBe(true);
    await managed(store).clear();
    expect([await ids(), await managed(store).count()]).toEqual([[], 0]);
  } finally {
    await store.close();
  }
}

async function grant(admin: ReturnType<typeof createClient>): Promise<void> {
  await admin.connect();
  await admin.sendCommand(forServer ?? []);
  admin.destroy();
}

async function expectRequests(options: RedisStoreOptions): Promise<void> {
  await using bench = await startBench({
    backend: 'redis',
    cacheName: CACHE_NAME,
    lease: true,
    backendOptions: { ...options, retention: '1d' },
  });
  const { api } = bench;
  await api.cache.ready();
  expect([(await api.get('/')).fromCache, (await api.get('/')).fromCache]).toEqual([false, true]);
  expect((await api.post('/', {}, { invalidates: true })).status).toBe(200);
  expect((await api.get('/')).fromCache).toBe(false);
  expect(await api.cache.deleteUrl(`${bench.origin.url}/`)).toBe(1);
  expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
}

describeService(redis, (server) => {
  test('a user with the documented rights can do everything', async () => {
    await grant(createClient({ url: server().url }));
    const options = { url: server().url, clientOptions: login };
    await expectEverything(options);
    await expectRequests(options);
  });
});

describeService(redisCluster, (server) => {
  test('a user with the documented rights can do everything', async () => {
    const rootNodes = [{ url: server().url }];
    const admin = createCluster({ rootNodes });
    await admin.connect();
    for (const master of admin.masters) await (await admin.nodeClient(master)).sendCommand(forCluster ?? []);
    await admin.destroy();
    const options = { clusterOptions: { rootNodes, defaults: login } };
    await expectEverything(options);
    await expectRequests(options);
  });
});

describeService(redisSentinel, (server) => {
  test('a user with the documented rights can do everything', async () => {
    const sentinel = { host: '127.0.0.1', port: Number(new URL(server().url).port) };
    const own = createClient({ url: server().url });
    await own.connect();
    const [host, port] = (await own.sendCommand([
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      MASTER,
    ])) as unknown as string[];
    own.destroy();
    await grant(createClient({ url: `redis://${host}:${port}` }));
    const options = { sentinelOptions: { name: MASTER, sentinelRootNodes: [sentinel], nodeClientOptions: login } };
    await expectEverything(options);
    await expectRequests(options);
  });
});

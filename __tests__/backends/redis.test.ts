import { expect, jest, test } from '@jest/globals';
import { createClient, type RedisClientType } from '@keyv/redis';
import { RedisStore } from '../../lib/stores/redis/index.js';
import { redis } from '../../scripts/services/redis.mjs';
import { entryOf, idOf } from '../support/entries.js';
import { testFaults, until } from '../support/faults.js';
import { nameIn } from '../support/names.js';
import { startProxy } from '../support/proxy.js';
import { describeService } from '../support/services.js';
import { describeBackend } from './contract.js';
import { testSharedInvalidation } from './shared-invalidation.js';

describeService(redis, (server) => {
  async function raw<T>(work: (client: RedisClientType) => Promise<T>): Promise<T> {
    const client = createClient({ url: server().url }) as unknown as RedisClientType;
    await client.connect();
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  }

  describeBackend('redis', {
    open: (folder, cacheName, options, now) =>
      new RedisStore(nameIn(folder, cacheName), { ...options, url: server().url }, now),
    persistent: true,
    ordered: true,
    bounded: false,
    expires: false,
    processModule: '__tests__/backends/redis-process.ts',
    processArgument: () => server().url,
    plantGarbage: (folder, cacheName, id) =>
      raw(async (client) => {
        await client.set(`{${nameIn(folder, cacheName)}}:r:${id}`, 'not ours');
        await client.zAdd(`{${nameIn(folder, cacheName)}}:e:responses`, { score: 1, value: id });
      }),
  });

  testSharedInvalidation((folder) => ({
    backend: 'redis',
    cacheName: nameIn(folder, 'shared'),
    backendOptions: { url: server().url },
  }));

  test('entries that the server removed by itself are counted until a listing finds that they are gone', async () => {
    // No write sweeps the index.
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.99);
    const store = new RedisStore('evicted', { url: server().url }, Date.now);
    for (const letter of ['a', 'b']) await store.put([entryOf(letter, { staleAt: Number.POSITIVE_INFINITY })]);
    await raw((client) => client.del(`{evicted}:r:${'a'.repeat(64)}`));
    expect(await store.count()).toBe(2);
    for await (const _ of store.list());
    expect(await store.count()).toBe(1);
    await store.close();
    random.mockRestore();
  });

  test('of two that remove one entry, one counts it', async () => {
    const stores = [1, 2].map(() => new RedisStore('counted', { url: server().url }, Date.now));
    await stores[0]?.put([entryOf('a')]);
    const counted = await Promise.all(stores.map((store) => store.delete([entryOf('a').id])));
    expect(counted.sort()).toEqual([0, 1]);
    for (const store of stores) await store.close();
  });

  test('retention is handed to the server', async () => {
    const store = new RedisStore('retained', { url: server().url, retention: 60 }, Date.now);
    const id = 'a'.repeat(64);
    await store.put([entryOf('a', { staleAt: Date.now() + 60_000 })]);
    const left = await raw((client) => client.pTTL(`{retained}:r:${id}`));
    expect(left).toBeGreaterThan(60_000);
    expect(left).toBeLessThanOrEqual(120_000);
    await store.close();
  });

  test("an idle connection stays, and an own client stays its owner's", async () => {
    const client = createClient({ url: server().url });
    let reconnected = 0;
    client.on('reconnecting', () => {
      reconnected += 1;
    });
    for (const _ of [1, 2, 3]) {
      const store = new RedisStore('own', { client }, Date.now);
      await store.ready();
      await store.close();
    }
    expect([client.isReady, reconnected]).toEqual([true, 0]);
    const left = client.eventNames().map((name) => [name, client.listenerCount(name)]);
    // One for errors, which would else end the process, and the test's own.
    expect(left.sort()).toEqual([
      ['error', 1],
      ['reconnecting', 1],
    ]);
    client.destroy();
    const own = new RedisStore('idle', { url: server().url, clientOptions: { name: 'idle' } }, Date.now);
    await own.ready();
    const connectedAt = () => raw(async (admin) => (await admin.sendCommand(['CLIENT', 'LIST'])) as unknown as string);
    const numberIn = (list: string) => /id=(\d+)[^\n]* name=idle /.exec(list)?.[1];
    const before = numberIn(await connectedAt());
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([before, numberIn(await connectedAt())]).toEqual([expect.any(String), before]);
    await own.close();
  });

  test('a connection that is closed while it is being opened leaves no socket', async () => {
    await using proxy = await startProxy(server().url);
    for (let turns = 0; turns < 20; turns += 1) {
      const store = new RedisStore('opening', { url: proxy.url }, Date.now);
      const found = Promise.resolve(store.find(idOf('a'))).catch(() => {});
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      await store.close();
      await found;
    }
    await until('no connection is left', () => proxy.connections() === 0);
  });

  testFaults('redis', server);
});

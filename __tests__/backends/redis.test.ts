import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type RedisClientType } from '@keyv/redis';
import { RedisStore } from '../../lib/stores/redis.js';
import { startBench } from '../support/api.js';
import { hasRedis, type RedisServer, redisServer } from '../support/redis.js';
import { describeBackend } from './contract.js';

const describeHere = hasRedis ? describe : describe.skip;

describeHere(
  hasRedis ? 'redis' : 'redis, left out because redis-server is not installed (apt-get install redis-server)',
  () => {
    let server: RedisServer;

    beforeAll(async () => {
      server = await redisServer();
    });

    afterAll(async () => {
      await server.stop();
    });

    /** A cache's name for each test's folder: the server is shared. */
    const nameIn = (folder: string, cacheName: string) => `${folder.replace(/\W/g, '_')}-${cacheName}`;

    async function raw<T>(work: (client: RedisClientType) => Promise<T>): Promise<T> {
      const client = createClient({ url: server.url }) as unknown as RedisClientType;
      await client.connect();
      try {
        return await work(client);
      } finally {
        client.destroy();
      }
    }

    describeBackend('redis', {
      open: (folder, cacheName, options, now) =>
        new RedisStore(nameIn(folder, cacheName), { ...options, url: server.url }, now),
      persistent: true,
      bounded: false,
      expires: false,
      plantGarbage: (folder, cacheName, id) =>
        raw(async (client) => {
          await client.set(`{${nameIn(folder, cacheName)}}:r:${id}`, 'not ours');
          await client.zAdd(`{${nameIn(folder, cacheName)}}:e:responses`, { score: 1, value: id });
        }),
    });

    test('rows that the server let go of by itself are not counted', async () => {
      const store = new RedisStore('evicted', { url: server.url }, Date.now);
      const entry = {
        kind: 'response',
        created: 1,
        urls: [],
        seal: '',
        signature: '',
        size: 1,
        meta: Buffer.from('m'),
        body: Buffer.from('b'),
      } as const;
      for (const id of ['a'.repeat(64), 'b'.repeat(64)])
        await store.put({ ...entry, id, group: id, expires: Number.POSITIVE_INFINITY });
      await raw((client) => client.del(`{evicted}:r:${'a'.repeat(64)}`));
      expect(await store.count()).toBe(1);
      await store.close();
    });

    test('retention is handed to the server', async () => {
      const store = new RedisStore('retained', { url: server.url, retention: 60 }, Date.now);
      const id = 'a'.repeat(64);
      await store.put({
        id,
        group: id,
        kind: 'response',
        created: 1,
        expires: Date.now() + 60_000,
        urls: [],
        seal: '',
        signature: '',
        size: 1,
        meta: Buffer.from('m'),
        body: Buffer.from('b'),
      });
      const left = await raw((client) => client.pTTL(`{retained}:r:${id}`));
      expect(left).toBeGreaterThan(60_000);
      expect(left).toBeLessThanOrEqual(120_000);
      await store.close();
    });

    test("an idle connection stays, and an own client stays its owner's", async () => {
      const client = createClient({ url: server.url });
      let reconnected = 0;
      client.on('reconnecting', () => {
        reconnected += 1;
      });
      const store = new RedisStore('own', { client }, Date.now);
      await store.ready();
      await store.close();
      expect([client.isReady, reconnected]).toEqual([true, 0]);
      client.destroy();
      const own = new RedisStore('idle', { url: server.url, clientOptions: { name: 'idle' } }, Date.now);
      await own.ready();
      const connectedAt = () =>
        raw(async (admin) => (await admin.sendCommand(['CLIENT', 'LIST'])) as unknown as string);
      const idOf = (list: string) => /id=(\d+)[^\n]* name=idle /.exec(list)?.[1];
      const before = idOf(await connectedAt());
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect([before, idOf(await connectedAt())]).toEqual([expect.any(String), before]);
      await own.close();
    });

    test('killed, frozen and back: requests go on, and the cache works again', async () => {
      const own = await redisServer();
      await using bench = await startBench({
        backend: 'redis',
        cacheName: 'faults',
        backendOptions: { url: own.url, backendTimeout: 0.2 },
      });
      const works = async () => {
        await bench.api.get('/works');
        return (await bench.api.get('/works')).fromCache;
      };
      const until = async (condition: () => boolean | Promise<boolean | undefined>) => {
        while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      expect(await works()).toBe(true);
      await own.kill();
      for (const url of ['/1', '/2', '/3']) expect((await bench.api.get(url)).status).toBe(200);
      await own.start();
      await until(works);
      own.freeze();
      for (const url of ['/4', '/5', '/6']) expect((await bench.api.get(url)).status).toBe(200);
      own.resume();
      await until(works);
      expect(bench.events.filter(({ type }) => type === 'error')).toHaveLength(2);
      expect(bench.events.filter(({ type }) => type === 'recovered')).toHaveLength(2);
      await own.stop();
    });
  },
);

import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createCluster } from '@keyv/redis';
import type { CachedAxiosInstance } from '../../lib/setup-cache.js';
import { Layout } from '../../lib/stores/redis/layout.js';
import { hashSlot } from '../../lib/stores/redis/slots.js';
import { redisCluster, startClusterWithReplicas } from '../../scripts/services/redis.mjs';
import { startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { sendJson } from '../support/origin.js';
import { describeService } from '../support/services.js';
import { testSharedInvalidation } from './shared-invalidation.js';

/** Requests through a cache that is spread over the masters of a cluster. */

const paths = Array.from({ length: 150 }, (_, number) => `/items/${number}`);

function optionsFor(cacheName: string, url: string, more: object = { backendTimeout: 30 }) {
  const backendOptions = { clusterOptions: { rootNodes: [{ url }] }, ...more };
  return { backend: 'redis', cacheName, backendOptions } as const;
}

describeService(redisCluster, (server) => {
  const all = (api: CachedAxiosInstance, config = {}) => Promise.all(paths.map((path) => api.get(path, config)));
  const hits = async (api: CachedAxiosInstance) => (await all(api)).filter(({ fromCache }) => fromCache).length;

  test('responses are invalidated by URL, by tag and by unsafe requests in all shards, for all processes', async () => {
    await using bench = await startBench(optionsFor('invalidated', server().url));
    const { api } = bench;
    // As in another process: its store is its own.
    const other = bench.more(optionsFor('invalidated', server().url));
    await all(api, { tags: ['items'] });
    expect([await hits(other), await other.cache.responseCount()]).toEqual([150, 150]);
    expect(await other.cache.deleteUrl(`${bench.origin.url}/items/7`)).toBe(1);
    await other.post('/items/8', {}, { invalidates: true });
    expect(await hits(api)).toBe(148);
    await all(api, { tags: ['items'], forceRefresh: true });
    expect([await other.cache.delete({ tags: 'items' }), await api.cache.responseCount()]).toEqual([150, 0]);
    await all(api, { tags: ['items'] });
    await other.post('/elsewhere', {}, { invalidates: { tags: ['items'] } });
    expect(await hits(api)).toBe(0);
    await other.cache.clear();
    expect(await hits(api)).toBe(0);
    expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
  });

  test('responses that the index of the shards has lost are served, and clear() deletes them', async () => {
    await using bench = await startBench(optionsFor('lost', server().url));
    const { api } = bench;
    await all(api);
    const cluster = createCluster({ rootNodes: [{ url: server().url }] });
    await cluster.connect();
    for (const master of cluster.masters) {
      const client = await cluster.nodeClient(master);
      for (const key of await client.keys('{lost:*}:[egu]:*')) await client.del(key);
    }
    cluster.destroy();
    expect([await hits(api), await api.cache.responseCount()]).toEqual([150, 0]);
    await api.cache.clear();
    expect(await hits(api)).toBe(0);
  });

  test('processes with a lease ask the origin once, in any shard', async () => {
    await using bench = await startBench(
      { ...optionsFor('leased', server().url), lease: true },
      async (_, response) => {
        await pause(20);
        sendJson(response, {});
      },
    );
    const apis = [bench.api, ...[1, 2].map(() => bench.more({ ...optionsFor('leased', server().url), lease: true }))];
    await Promise.all(apis.map((api) => all(api)));
    expect(bench.origin.asked.length).toBe(150);
  });

  testSharedInvalidation(() => optionsFor('shared_invalidation', server().url));
});

describeService(redisCluster, () => {
  test.each([
    ['killed', 'kill'],
    ['frozen', 'freeze'],
  ] as const)(
    'a master is %s under load: no request fails, and the responses of the other masters are hits',
    async (_, fault) => {
      const cluster = await startClusterWithReplicas();
      const [victim, witness] = cluster.masters;
      await using bench = await startBench(optionsFor('load', witness?.url ?? '', {}), ({ url }, response) =>
        sendJson(response, { url }),
      );
      const { api } = bench;
      const layout = new Layout('load', 64);
      /** The paths whose responses the other masters have: the first has the first third of the slots. */
      const others = new Set<string>();
      let failed = 0;
      let lost = 0;
      let served = 0;
      let isOver = false;
      const ask = async (path: string) => {
        try {
          const { data, fromCache } = await api.get(path);
          if (data.url !== path) failed += 1;
          served += 1;
          if (!fromCache && others.has(path)) lost += 1;
          return fromCache;
        } catch {
          failed += 1;
          return false;
        }
      };
      const load = async (worker: number) => {
        for (let number = worker; !isOver; number += 8) {
          await ask(paths[number % paths.length] ?? '');
          if (number % 5 === 0) await ask(`/cold/${number}`);
        }
      };
      try {
        for (const path of paths) {
          const { cacheKey } = await api.get(path);
          if (hashSlot(layout.row(cacheKey ?? '')) > 16_384 / 3) others.add(path);
        }
        expect([others.size > 75, others.size < 125]).toEqual([true, true]);
        await cluster.replicated();
        const workers = Promise.all(Array.from({ length: 8 }, (_, worker) => load(worker)));
        await until('the cache is under load', () => served > 500);
        await victim?.[fault]();
        await until('the replica has taken over', async () => {
          const found = await Promise.all(paths.map(ask));
          return found.every((fromCache) => fromCache);
        });
        isOver = true;
        await workers;
        expect({ failed, lost }).toEqual({ failed: 0, lost: 0 });
      } finally {
        isOver = true;
        victim?.resume();
        await api.detachCache();
        await cluster.stop();
      }
    },
    90_000,
  );
});

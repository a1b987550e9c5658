import { expect, test } from '@jest/globals';
import { createCluster, type RedisClusterType } from '@keyv/redis';
import { RedisStore } from '../../lib/stores/redis/index.js';
import { Layout } from '../../lib/stores/redis/layout.js';
import { failureKind } from '../../lib/stores/store-failure.js';
import { redisCluster, startClusterWithReplicas } from '../../scripts/services/redis.mjs';
import { entryOf, listedIds } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { describeService } from '../support/services.js';

/** A cache that is spread over the masters of a cluster. */

const DIGEST = '1'.repeat(32);
const digits = (number: number) => ((number * 0x9e3779b1) % 2 ** 32).toString(16).padStart(8, '0').padEnd(64, '0');
const numbered = (number: number, more = {}) => entryOf('a', { id: digits(number), group: digits(number), ...more });

/** The kind of what is found, or of the failure. */
async function outcome(found: Promise<{ readonly kind: string } | undefined>): Promise<string | undefined> {
  try {
    return (await found)?.kind;
  } catch (error) {
    return failureKind(error);
  }
}

async function connected(url: string): Promise<RedisClusterType & AsyncDisposable> {
  const cluster = createCluster({ rootNodes: [{ url }] }) as unknown as RedisClusterType;
  await cluster.connect();
  return Object.assign(cluster, { [Symbol.asyncDispose]: async () => cluster.destroy() });
}

/** Keys of the cache on each master. */
async function keysByMaster(cluster: RedisClusterType, pattern: string): Promise<readonly string[][]> {
  return Promise.all(
    cluster.masters.map(async (master) => {
      const client = await cluster.nodeClient(master);
      return (await client.sendCommand(['KEYS', pattern])) as unknown as string[];
    }),
  );
}

describeService(redisCluster, (server) => {
  const open = (name: string, options = {}) =>
    new RedisStore(name, { clusterOptions: { rootNodes: [{ url: server().url }] }, ...options }, Date.now);

  test('entries are spread evenly, and counted, listed, expired and cleared in all shards', async () => {
    await using cluster = await connected(server().url);
    const store = open('spread');
    for (let first = 0; first < 3_000; first += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          store.put([numbered(first + index, { indexes: [DIGEST], staleAt: index % 10 === 0 ? 1_000 : 9_000 })]),
        ),
      );
    }
    const rows = (await keysByMaster(cluster, '{spread:*}:r:*')).map((keys) => keys.length);
    expect([Math.min(...rows) > 800, Math.max(...rows) < 1_200]).toEqual([true, true]);
    expect([await store.count(), new Set(await listedIds(store)).size]).toEqual([3_000, 3_000]);
    expect(new Set(await listedIds(store, { index: DIGEST })).size).toBe(3_000);
    expect([await managed(store).deleteExpired(2_000), await store.count()]).toEqual([300, 2_700]);
    await managed(store).clear();
    expect((await keysByMaster(cluster, '{spread*}:[egru]:*')).flat()).toEqual([]);
    await store.close();
  });

  test('redirects in other shards go with their response, wherever they are deleted', async () => {
    await using cluster = await connected(server().url);
    const store = open('redirected');
    const target = numbered(0, { indexes: [DIGEST] });
    const redirects = Array.from({ length: 20 }, (_, index) =>
      numbered(index + 1, {
        kind: 'redirect',
        group: target.id,
        indexes: [digits(index).slice(0, 32)],
        staleAt: 5_000,
      }),
    );
    const members = async () => (await keysByMaster(cluster, '{redirected:*}:g:*')).flat();
    expect(await store.put([target, ...redirects])).toBe(true);
    const all = [target, ...redirects].map(({ id }) => id).sort();
    expect(await listedIds(store, { group: target.id })).toEqual(all);
    expect((await store.find(redirects[7]?.id ?? ''))?.kind).toBe('redirect');
    expect(await store.count()).toBe(1);
    expect(await store.deleteGroups([target.id])).toBe(1);
    expect([await listedIds(store), await members()]).toEqual([[], []]);
    await store.put([target, ...redirects]);
    // They lead elsewhere by now.
    await store.put([{ ...redirects[0], group: digits(99) } as typeof target]);
    expect(await store.deleteGroups([target.id])).toBe(1);
    expect(await listedIds(store)).toEqual([redirects[0]?.id]);
    await store.deleteGroups([digits(99)]);
    await store.put([{ ...target, staleAt: 9_000 }, ...redirects]);
    expect(await managed(store).deleteExpired(6_000)).toBe(0);
    expect([await listedIds(store), await members()]).toEqual([[target.id], []]);
    await store.close();
  });

  test('a redirect replaces no response of another shard', async () => {
    const store = open('direct');
    await store.put([numbered(1)]);
    await store.put([numbered(0), numbered(1, { kind: 'redirect', group: digits(0) })]);
    expect((await store.find(digits(1)))?.kind).toBe('response');
    await store.close();
  });

  test('invalidations hold in every shard, also for one that lost its orders', async () => {
    await using cluster = await connected(server().url);
    const [store, other] = [open('ordered'), open('ordered')];
    const before = await store.currentOrder();
    await other.invalidate([DIGEST]);
    const after = await store.currentOrder();
    const several = (order: number, digest: string) =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) => store.put([numbered(index, { order, indexes: [digest] })])),
      );
    expect(new Set(await several(before, DIGEST))).toEqual(new Set([false]));
    expect(new Set(await several(before, '2'.repeat(32)))).toEqual(new Set([true]));
    expect(new Set(await several(after, DIGEST))).toEqual(new Set([true]));
    for (const { orders } of new Layout('ordered', 64).shards.slice(1)) await cluster.del(orders);
    expect((await several(before, '2'.repeat(32))).filter((stored) => stored).length).toBeLessThan(10);
    expect(new Set(await several(await store.currentOrder(), '2'.repeat(32)))).toEqual(new Set([true]));
    await store.invalidate([]);
    expect(new Set(await several(after, DIGEST))).toEqual(new Set([false]));
    for (const one of [store, other]) await one.close();
  });

  test('leases are held once, in any shard', async () => {
    const [store, other] = [open('leased'), open('leased')];
    for (let number = 0; number < 20; number += 1) {
      const name = digits(number);
      expect(await store.acquireLease(name, 'me', 60)).toBe(true);
      expect(await other.acquireLease(name, 'you', 60)).toBe(false);
      await store.releaseLease(name, 'me');
      expect(await other.acquireLease(name, 'you', 60)).toBe(true);
    }
    for (const one of [store, other]) await one.close();
  });

  test('a process that is busy for longer than a master may be silent loses no hit', async () => {
    const store = open('busy');
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    for (const number of numbers) await store.put([numbered(number)]);
    // The masters were not asked for a while.
    await new Promise((resolve) => setTimeout(resolve, 900));
    const found = Promise.all(numbers.map((number) => outcome(store.find(digits(number)))));
    // The commands are sent.
    await new Promise(setImmediate);
    for (const began = performance.now(); performance.now() - began < 900; );
    expect(new Set(await found)).toEqual(new Set(['response']));
    await store.close();
  });

  test('one shard, or another number of shards, is another cache', async () => {
    const stores = [1, 64, 1_024].map((shards) => open('numbers', { shards }));
    for (const [index, store] of stores.entries()) {
      for (let number = 0; number <= index; number += 1) await store.put([numbered(number)]);
    }
    await managed(stores[1] as RedisStore).clear();
    expect(await Promise.all(stores.map((store) => store.count()))).toEqual([1, 0, 3]);
    for (const store of stores) {
      await managed(store).clear();
      await store.close();
    }
  });
});

describeService(redisCluster, () => {
  test.each([
    ['killed', 'kill'],
    ['frozen', 'freeze'],
  ] as const)(
    'a master is %s: the other shards keep their hits, and its replica takes over',
    async (_, fault) => {
      const cluster = await startClusterWithReplicas();
      const [victim, witness] = cluster.masters;
      const clusterOptions = { rootNodes: [{ url: witness?.url ?? '' }] };
      const store = new RedisStore('failover', { clusterOptions }, Date.now);
      const numbers = Array.from({ length: 200 }, (_, number) => number);
      const outcomes = () => Promise.all(numbers.map((number) => outcome(store.find(digits(number)))));
      try {
        for (const number of numbers) await store.put([numbered(number)]);
        await cluster.replicated();
        await victim?.[fault]();
        const deadline = Date.now() + 25_000;
        let longest = 0;
        for (let found: unknown[] = []; found.some((one) => one !== 'response') || found.length === 0; ) {
          const began = performance.now();
          found = await outcomes();
          longest = Math.max(longest, performance.now() - began);
          const hits = found.filter((one) => one === 'response').length;
          expect([hits > 100, found.filter((one) => one === 'refusal').length]).toEqual([true, 200 - hits]);
          if (Date.now() > deadline) throw new Error(`only ${hits} are hits`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect(longest).toBeLessThan(2_000);
        expect(await store.put([numbered(1)])).toBe(true);
      } finally {
        victim?.resume();
        await store.close();
        await cluster.stop();
      }
    },
    60_000,
  );

  test('a master is gone for good: a refusal of its part, an outage only if all are gone', async () => {
    const cluster = await startClusterWithReplicas();
    const store = new RedisStore('gone', { clusterOptions: { rootNodes: [{ url: cluster.url }] } }, Date.now);
    const outcomes = () => Promise.all(Array.from({ length: 100 }, (_, number) => outcome(store.find(digits(number)))));
    try {
      for (let number = 0; number < 100; number += 1) await store.put([numbered(number)]);
      await Promise.all(cluster.replicas.map((replica) => replica.kill()));
      await cluster.masters[1]?.kill();
      await outcomes();
      const some = await outcomes();
      expect(new Set(some)).toEqual(new Set(['response', 'refusal']));
      expect(some.filter((one) => one === 'response').length).toBeGreaterThan(50);
      await store.ready();
      await Promise.all(cluster.masters.map((master) => master.kill()));
      await outcomes();
      expect(new Set(await outcomes())).toEqual(new Set(['outage']));
    } finally {
      await store.close();
      await cluster.stop();
    }
  }, 60_000);
});

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createCluster, type RedisClusterType } from '@keyv/redis';
import type { Entry } from '../../lib/models/entry.js';
import { RedisStore } from '../../lib/stores/redis/index.js';
import { Layout } from '../../lib/stores/redis/layout.js';
import { hashSlot } from '../../lib/stores/redis/slots.js';
import { redisCluster } from '../../scripts/services/redis.mjs';
import { entryOf } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { describeService } from '../support/services.js';

/** The commands that a cache in shards sends, and its state after each of them if the process is killed there. */

beforeEach(() => {
  // No write sweeps the index.
  jest.spyOn(Math, 'random').mockReturnValue(0.99);
});

afterEach(() => {
  jest.restoreAllMocks();
});

const SHARDS = 64;
const digits = (number: number) => ((number * 0x9e3779b1) % 2 ** 32).toString(16).padStart(8, '0').padEnd(64, '0');
const digest = (number: number) => digits(number).slice(0, 32);
const numbered = (number: number, more: Partial<Entry> = {}) =>
  entryOf('a', { id: digits(number), group: digits(number), ...more });
const redirectTo = (group: number, number: number) =>
  numbered(number, { kind: 'redirect', group: digits(group), indexes: [digest(number)] });

interface Sent {
  readonly address: string;
  readonly words: readonly string[];
}

interface Tapped extends AsyncDisposable {
  readonly cluster: RedisClusterType;
  readonly sent: Sent[];
  /** The number of commands after which no more are sent. */
  limit: number;
  /** The most commands without an answer at one time. */
  most: number;
}

/** A client of the cluster that records all commands, and refuses them after a number, as if its process were gone. */
async function tapped(url: string): Promise<Tapped> {
  const cluster = createCluster({ rootNodes: [{ url }] }) as unknown as RedisClusterType;
  await cluster.connect();
  const end = async () => cluster.destroy();
  const tap: Tapped = { cluster, sent: [], limit: Number.POSITIVE_INFINITY, most: 0, [Symbol.asyncDispose]: end };
  let waiting = 0;
  for (const master of cluster.masters) {
    const client = await cluster.nodeClient(master);
    const send = client.sendCommand.bind(client);
    Object.assign(client, {
      async sendCommand(...given: Parameters<typeof send>) {
        if (tap.sent.length >= tap.limit) throw new Error('the process was killed');
        tap.sent.push({ address: master.address, words: given[0].map(String) });
        waiting += 1;
        tap.most = Math.max(tap.most, waiting);
        try {
          return await send(...given);
        } finally {
          waiting -= 1;
        }
      },
    });
  }
  return tap;
}

/** The numbers of commands by their names. */
function countsOf(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { words } of sent) counts[String(words[0])] = (counts[String(words[0])] ?? 0) + 1;
  return counts;
}

/** The places in the index that lack the id of an entry which is stored. */
async function missingPlaces(cluster: RedisClusterType, store: RedisStore, cacheName: string): Promise<string[]> {
  const layout = new Layout(cacheName, SHARDS);
  const missing: string[] = [];
  for (const master of cluster.masters) {
    const client = await cluster.nodeClient(master);
    for (const key of (await client.sendCommand(['KEYS', `{${cacheName}:*}:r:*`])) as unknown as string[]) {
      const entry = await store.find(layout.parse(key)?.name ?? '');
      if (!entry) throw new Error(`${key} cannot be read`);
      const { id, kind, group, indexes } = entry;
      const keys = layout.keysOf(id);
      const sorted = kind === 'response' ? keys.responses : keys.others;
      if ((await cluster.zScore(sorted, id)) === null) missing.push(`${id} in ${sorted}`);
      const sets = indexes.map((one) => keys.index(one));
      if (group !== id) sets.push(layout.keysOf(group).group(group));
      for (const set of sets) if (!(await cluster.sIsMember(set, id))) missing.push(`${id} in ${set}`);
    }
  }
  return missing;
}

describeService(redisCluster, (server) => {
  const open = (name: string, client: RedisClusterType) => new RedisStore(name, { client }, Date.now);
  const fill = async (store: RedisStore, numbers: number, more: Partial<Entry> = {}) => {
    for (let first = 0; first < numbers; first += 100) {
      const some = Array.from({ length: 100 }, (_, index) => numbered(first + index, more));
      await Promise.all(some.map((entry) => store.put([entry])));
    }
  };

  test('a hit is one GET and a write one script, each at the master of its shard', async () => {
    await using tap = await tapped(server().url);
    const store = open('commands', tap.cluster);
    await fill(store, 300);
    const layout = new Layout('commands', SHARDS);
    const masterOf = (id: string) => tap.cluster.slots[hashSlot(layout.row(id))]?.master.address;
    for (const [command, work] of [
      ['GET', (number: number) => store.find(digits(number))],
      ['EVALSHA', (number: number) => store.put([numbered(number, { indexes: [digest(1), digest(number)] })])],
    ] as const) {
      tap.sent.length = 0;
      const expected: string[] = [];
      for (let number = 0; number < 100; number += 1) {
        await work(number);
        expected.push(`${command} ${masterOf(digits(number))}`);
      }
      expect(tap.sent.map(({ address, words }) => `${words[0]} ${address}`)).toEqual(expected);
    }
    await store.close();
  });

  test('requests of one turn share a command for the order of invalidations', async () => {
    await using tap = await tapped(server().url);
    const store = open('shared order', tap.cluster);
    const before = await store.currentOrder();
    await store.invalidate([digest(1)]);
    tap.sent.length = 0;
    const orders = await Promise.all(Array.from({ length: 20 }, () => store.currentOrder()));
    expect(countsOf(tap.sent)).toEqual({ ZSCORE: 1 });
    expect([new Set(orders).size, Number(orders[0]) > before]).toEqual([1, true]);
    await store.invalidate([digest(1)]);
    expect(await store.currentOrder()).toBeGreaterThan(Number(orders[0]));
    await store.close();
  });

  test('a sweep costs a look at each shard, and a script for a page of what it removes', async () => {
    await using tap = await tapped(server().url);
    const store = open('swept', tap.cluster);
    const sweep = async () => {
      tap.sent.length = 0;
      const removed = await managed(store).deleteExpired(5_000);
      return { removed, ...countsOf(tap.sent) };
    };
    const looks = 2 * SHARDS;
    // Loads the scripts.
    await fill(store, 300, { staleAt: 1_000 });
    await sweep();
    for (const entries of [100, 2_000]) {
      await fill(store, entries, { staleAt: 9_000 });
      expect(await sweep()).toEqual({ removed: 0, ZRANGEBYSCORE: looks });
    }
    await store.put([numbered(7, { staleAt: 1_000 })]);
    expect(await sweep()).toEqual({ removed: 1, ZRANGEBYSCORE: looks + 1, EVALSHA: 1 });
    await fill(store, 1_000, { staleAt: 1_000 });
    expect(await sweep()).toEqual({ removed: 1_000, ZRANGEBYSCORE: looks + SHARDS, EVALSHA: SHARDS });
    await store.close();
  });

  test('work on all shards has several of them at once, and not all', async () => {
    await using tap = await tapped(server().url);
    const store = open('parallel', tap.cluster);
    await fill(store, 2_000, { indexes: [digest(1)] });
    const mostOf = async (work: () => Promise<unknown>) => {
      tap.most = 0;
      await work();
      return tap.most;
    };
    expect(await mostOf(() => store.count())).toBe(16);
    for (const work of [() => managed(store).deleteExpired(500), () => managed(store).clear()]) {
      const most = await mostOf(work);
      expect([most >= 16, most <= 64]).toEqual([true, true]);
    }
    const leases = Array.from({ length: SHARDS }, (_, number) => digits(number));
    expect(await mostOf(() => Promise.all(leases.map((name) => store.acquireLease(name, 'me', 60))))).toBe(SHARDS);
    await store.close();
  });

  test('many redirects to responses of other shards expire several at once', async () => {
    await using tap = await tapped(server().url);
    const store = open('redirects', tap.cluster);
    for (let number = 0; number < 100; number += 1) {
      const id = (SHARDS * number).toString(16).padStart(8, '0').padEnd(64, '0');
      await store.put([{ ...redirectTo(1_000 + number, 1), id }]);
    }
    tap.most = 0;
    await managed(store).deleteExpired(5_000);
    expect(tap.most).toBeGreaterThan(16);
    const places = tap.cluster.masters.map(async (master) =>
      (await tap.cluster.nodeClient(master)).sendCommand(['KEYS', '{redirects:*}:[gr]:*']),
    );
    expect((await Promise.all(places)).flat()).toEqual([]);
    await store.close();
  });

  /** Changes of a response with redirects in other shards. */
  const target = numbered(0, { indexes: [digest(0)] });
  const redirects = [1, 2, 3].map((number) => redirectTo(0, number));
  test.each<[string, (store: RedisStore) => Promise<unknown>]>([
    ['a write', (store) => store.put([target, ...redirects])],
    [
      'a redirect to another response',
      async (store) => {
        await store.put([target, ...redirects]);
        await store.put([numbered(9), redirectTo(9, 2)]);
      },
    ],
    [
      'a deletion',
      async (store) => {
        await store.put([target, ...redirects]);
        await store.deleteGroups([target.id]);
      },
    ],
    [
      'a sweep',
      async (store) => {
        await store.put([target, ...redirects]);
        for await (const _ of store.deleteExpired(5_000));
      },
    ],
  ])(
    '%s that a crash ends after any command leaves no entry that the index lacks',
    async (name, change) => {
      await using intact = await tapped(server().url);
      let completed = false;
      for (let limit = 0; !completed; limit += 1) {
        await using tap = await tapped(server().url);
        const cacheName = `crash ${name} ${limit}`;
        const [store, reader] = [open(cacheName, tap.cluster), open(cacheName, intact.cluster)];
        tap.limit = limit;
        completed = await change(store).then(
          () => true,
          () => false,
        );
        expect({ limit, missing: await missingPlaces(intact.cluster, reader, cacheName) }).toEqual({
          limit,
          missing: [],
        });
        await reader.deleteGroups([target.id, digits(9)]);
        for await (const { id } of reader.list()) throw new Error(`${id} is still stored`);
        expect(await reader.count()).toBe(0);
        for (const one of [store, reader]) await one.close();
      }
    },
    60_000,
  );
});

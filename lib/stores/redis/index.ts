import type { Entry, EntrySummary } from '../../models/entry.js';
import { batches } from '../concurrency.js';
import { countListed } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import type { RedisConnectionOptions } from './client.js';
import { RedisConnection } from './connection.js';
import { RedisDeletion, SHARDS } from './deletion.js';
import { Layout } from './layout.js';
import { redisLocation } from './location.js';
import { InvalidationOrders } from './orders.js';
import { ACQUIRE, RELEASE, runScript } from './scripts.js';
import { RedisShard } from './shard.js';
import { together } from './together.js';
import { isCluster, MAX_ENTRY } from './traits.js';

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Seconds that an entry is kept after it expired; then the server removes it. Default: forever. */
  readonly retention?: number | undefined;
  /**
   * The number of parts, 1 to 1,024, in which a cluster has the cache. All processes with the cache need the same number.
   * Default: 64 with a cluster, else 1, which is then the only number accepted.
   *
   * @example
   * new RedisCache({ clusterOptions: { rootNodes: [{ url: 'redis://10.0.0.1:6379' }] }, shards: 16 });
   */
  readonly shards?: number | undefined;
}

const CLUSTER_SHARDS = 64;

/**
 * Entries in Redis, as bytes. Beside each row there are sorted sets by expiry and sets by group and index digest, which one
 * script writes together with it. Ids of rows that the server removed by itself stay in these until a listing or a sweep.
 *
 * In a cluster the entries are spread over shards, by the first digits of their ids. A shard has its own index, so that a
 * write is one script; a listing by digest asks all shards.
 */
export class RedisStore implements Store {
  readonly name = 'redis';
  readonly maxEntrySize = MAX_ENTRY;
  readonly location: string | undefined;
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #shards: readonly RedisShard[];
  readonly #orders: InvalidationOrders;
  readonly #deletion: RedisDeletion;

  /** @param now the clock for freshness, in milliseconds since the epoch */
  constructor(cacheName: string, options: RedisStoreOptions, now: () => number) {
    const { retention, shards } = options;
    const lifetime = { now, retention: (retention ?? Number.POSITIVE_INFINITY) * 1000 };
    const layout = new Layout(cacheName, shards ?? (isCluster(options) ? CLUSTER_SHARDS : 1));
    const connection = new RedisConnection(options, layout.shards.length > 1);
    this.location = redisLocation(options);
    this.#connection = connection;
    this.#layout = layout;
    this.#shards = layout.shards.map((keys) => new RedisShard(keys, layout, connection, lifetime));
    this.#orders = new InvalidationOrders(
      connection,
      layout.shards.map(({ orders }) => orders),
    );
    this.#deletion = new RedisDeletion(this.#shards, layout, connection);
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#shardOf(id).find(id);
  }

  /**
   * Writes the entries of one shard by one script. Redirects in other shards follow the response; their ids are in the set
   * of their group before, so that a crash leaves at worst an id without an entry.
   */
  async put(entries: readonly Entry[]): Promise<boolean> {
    const [first] = entries;
    if (!first) return true;
    const main = this.#layout.keysOf(first.group);
    const others = entries.filter(({ id }) => this.#layout.keysOf(id) !== main);
    const own = others.length === 0 ? entries : entries.filter((entry) => !others.includes(entry));
    if (own.length > 0 && !(await this.#putIn(this.#shardOf(first.group), own, others))) return false;
    await Promise.all(others.map((entry) => this.#putBeside(entry)));
    return true;
  }

  async replace(entry: Entry, replacement: Entry): Promise<boolean> {
    return (await this.#shardOf(entry.id).put([replacement], { replaced: entry })) === 'written';
  }

  /** Writes an entry whose group is in another shard (see {@link RedisDeletion} for why it joins the group twice). */
  async #putBeside(entry: Entry): Promise<void> {
    const home = this.#shardOf(entry.group);
    await home.join(entry);
    await this.#putIn(this.#shardOf(entry.id), [entry]);
    await home.join(entry);
  }

  async #putIn(shard: RedisShard, entries: readonly Entry[], others: readonly Entry[] = []): Promise<boolean> {
    let outcome = await shard.put(entries, { others });
    if (outcome === 'unordered') {
      await this.#orders.begin(shard.keys.orders);
      outcome = await shard.put(entries, { others });
    }
    return outcome === 'written';
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#deletion.deleteGroups(ids);
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#deletion.delete(ids);
  }

  list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    if (query.group !== undefined) return this.#shardOf(query.group).list(query);
    return together(
      this.#shards.map((shard) => () => shard.list(query)),
      SHARDS,
    );
  }

  /**
   * Counts entries by the index alone if the query permits. Entries that the server removed by itself count until a listing or
   * a sweep removes their ids.
   */
  async count(query: EntryQuery = {}): Promise<number> {
    const { staleBy, freshAt, ...others } = query;
    if (Object.values(others).some((condition) => condition !== undefined)) return countListed(this.list(query), query);
    let number = 0;
    for (const shards of batches(this.#shards, SHARDS)) {
      const counts = await Promise.all(shards.map((shard) => shard.count(query)));
      number += counts.reduce((sum, one) => sum + one, 0);
    }
    return number;
  }

  deleteExpired(now: number): AsyncGenerator<number> {
    return this.#deletion.deleteExpired(now);
  }

  clear(): AsyncGenerator<unknown> {
    return this.#deletion.clear();
  }

  currentOrder(): Promise<number> {
    return this.#orders.current();
  }

  invalidate(digests: readonly string[]): Promise<void> {
    return this.#orders.invalidate(digests);
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    const milliseconds = String(Math.max(1, Math.round(seconds * 1000)));
    const keys = [this.#layout.keysOf(name).lease(name)];
    const reply = await this.#connection.run('write', (redis) =>
      runScript(redis, ACQUIRE, keys, [holder, milliseconds]),
    );
    return reply === 1;
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    const keys = [this.#layout.keysOf(name).lease(name)];
    await this.#connection.run('write', (redis) => runScript(redis, RELEASE, keys, [holder]));
  }

  /** Reads an entry that does not exist: unlike PING, only a server with keys of this cache answers it. */
  async ready(): Promise<void> {
    const reads = this.#shards.map((shard) => shard.find('ready'));
    try {
      await Promise.any(reads);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #shardOf(id: string): RedisShard {
    return this.#shards[this.#layout.numberOf(id)] as RedisShard;
  }
}

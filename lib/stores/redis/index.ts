import type { Entry, EntrySummary } from '../../models/entry.js';
import type { EntryQuery, Store } from '../store.js';
import type { RedisConnectionOptions } from './client.js';
import { RedisConnection } from './connection.js';
import { ShardKeys } from './keys.js';
import { redisLocation } from './location.js';
import { ACQUIRE, RELEASE, runScript } from './scripts.js';
import { RedisShard } from './shard.js';

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Seconds that an entry is kept after it expired; then the server removes it. Default: forever. */
  readonly retention?: number | undefined;
}

/** Bytes: Redis's bound on a string, `proto-max-bulk-len`. */
const MAX_ENTRY_SIZE = 512 * 1024 * 1024;

/**
 * Entries in Redis, as bytes. Beside each row there are sorted sets by expiry and sets by group and index digest, which one
 * script writes together with it. Ids of rows that the server removed by itself stay in these until a listing or a sweep.
 */
export class RedisStore implements Store {
  readonly name = 'redis';
  readonly maxEntrySize = MAX_ENTRY_SIZE;
  readonly location: string | undefined;
  readonly #connection: RedisConnection;
  readonly #shard: RedisShard;

  /** @param now the clock for freshness, in milliseconds since the epoch */
  constructor(cacheName: string, { retention, ...options }: RedisStoreOptions, now: () => number) {
    this.location = redisLocation(options);
    this.#connection = new RedisConnection(options);
    this.#shard = new RedisShard(new ShardKeys(cacheName), this.#connection, {
      now,
      retention: (retention ?? Number.POSITIVE_INFINITY) * 1000,
    });
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#shard.find(id);
  }

  put(entries: readonly Entry[]): Promise<boolean> {
    return this.#shard.put(entries);
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#shard.deleteGroups(ids);
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#shard.delete(ids);
  }

  list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    return this.#shard.list(query);
  }

  count(query: EntryQuery = {}): Promise<number> {
    return this.#shard.count(query);
  }

  deleteExpired(now: number): AsyncGenerator<number> {
    return this.#shard.deleteExpired(now);
  }

  clear(): AsyncGenerator<unknown> {
    return this.#shard.clear();
  }

  currentOrder(): Promise<number> {
    return this.#shard.currentOrder();
  }

  invalidate(digests: readonly string[]): Promise<void> {
    return this.#shard.invalidate(digests);
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    const milliseconds = String(Math.max(1, Math.round(seconds * 1000)));
    const keys = [this.#shard.keys.lease(name)];
    const reply = await this.#connection.run((redis) => runScript(redis, ACQUIRE, keys, [holder, milliseconds]), true);
    return reply === 1;
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    const keys = [this.#shard.keys.lease(name)];
    await this.#connection.run((redis) => runScript(redis, RELEASE, keys, [holder]), true);
  }

  /** Reads an entry that does not exist: unlike PING, no node answers it that has no keys of this cache. */
  async ready(): Promise<void> {
    await this.#shard.find('ready');
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

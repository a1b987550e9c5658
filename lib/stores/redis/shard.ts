import type { Entry, EntrySummary } from '../../models/entry.js';
import { batches } from '../concurrency.js';
import { fits, invalidatedBy } from '../entry-query.js';
import type { EntryQuery } from '../store.js';
import { instantField, kindField, packEntry, packSummary } from '../stored-form.js';
import type { Redis, Words } from './client.js';
import type { RedisConnection } from './connection.js';
import type { ShardKeys } from './keys.js';
import type { Layout } from './layout.js';
import { isIn, PAGE, type Place, ShardIndex, unlessWrongType } from './places.js';
import { EntryReader, readSummaries } from './reads.js';
import { DELETE, JOIN_SET, PUT, runScript } from './scripts.js';

/** One entry in so many makes its write sweep the index. */
const SWEEP_EVERY = 32;

/** How long the server keeps entries. */
export interface Lifetime {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that an entry is kept after it expired. */
  readonly retention: number;
}

/** Entries in one of the sorted sets by expiry. */
export interface Expired {
  readonly from: string;
  /** Milliseconds since the epoch. */
  readonly by: number;
}

/** The result of a deletion. */
export interface Deletion {
  /** The number of responses (and unknown entries). */
  readonly deleted: number;
  /** Redirects, whose group may be in another shard. */
  readonly redirects: readonly { readonly id: string; readonly group: string }[];
}

/** The part of a cache whose keys share a hash tag, so that scripts can write several of its entries at once. */
export class RedisShard {
  readonly keys: ShardKeys;
  readonly index: ShardIndex;
  readonly #layout: Layout;
  readonly #connection: RedisConnection;
  readonly #reader: EntryReader;
  readonly #lifetime: Lifetime;

  constructor(keys: ShardKeys, layout: Layout, connection: RedisConnection, lifetime: Lifetime) {
    this.keys = keys;
    this.index = new ShardIndex(keys, connection);
    this.#layout = layout;
    this.#connection = connection;
    this.#reader = new EntryReader(connection);
    this.#lifetime = lifetime;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#reader.read(id, this.keys.row(id));
  }

  /**
   * Writes entries of this shard.
   *
   * @param options.replaced the only entry that may be replaced. Default: any
   * @param options.others entries of other shards that belong to them, with the same order
   * @returns `refused` if `replaced` is not stored any more, or without it if one of the entries or the others was invalidated
   *   after its order, `unordered` if the shard does not know the orders
   */
  async put(
    entries: readonly Entry[],
    { replaced, others = [] }: { readonly replaced?: Entry; readonly others?: readonly Entry[] } = {},
  ): Promise<'written' | 'refused' | 'unordered'> {
    const { keys } = this;
    const sets = entries.map((entry) => this.#sets(entry));
    const rows = entries.flatMap((entry, at) => [keys.row(entry.id), ...(sets[at] ?? [])]);
    const all = [keys.responses, keys.others, keys.orders, ...rows];
    const start = replaced ? packSummary(replaced) : '';
    const values = [
      keys.prefix,
      start,
      ...entries.flatMap((entry, at) => this.#values(entry, sets[at]?.length ?? 0, at === 0 ? others : [])),
    ];
    const reply = await this.#connection.run('write', (redis) => runScript(redis, PUT, all, values));
    if (reply !== 1) return reply === 0 ? 'refused' : 'unordered';
    this.#sweepAtTimes(entries);
    return 'written';
  }

  #sweepAtTimes(entries: readonly Entry[]): void {
    const { kind } = entries[Math.floor(Math.random() * entries.length)] ?? {};
    if (Math.random() * SWEEP_EVERY < entries.length) void this.index.sweep(kind ?? 'response').catch(() => {});
  }

  /** The sets of this shard that an entry is in. An entry that is its own group needs no set for it. */
  #sets({ id, group, indexes }: Entry): string[] {
    const sets = indexes.map((digest) => this.keys.index(digest));
    if (group !== id && this.#layout.keysOf(group) === this.keys) sets.push(this.keys.group(group));
    return sets;
  }

  /** @param others entries whose invalidation selects this one, too */
  #values(entry: Entry, sets: number, others: readonly Entry[]): Words {
    if (entry.kind === 'unknown') throw new TypeError('an entry of unknown kind cannot be stored');
    const names = [entry, ...others].flatMap(invalidatedBy);
    return [
      entry.id,
      kindField(entry.kind),
      String(entry.order),
      instantField(entry.staleAt),
      this.#life(entry),
      packEntry(entry),
      String(sets),
      String(names.length),
      ...names,
    ];
  }

  /** Milliseconds until the server removes an entry; 0: never. */
  #life({ staleAt }: Entry): string {
    const { now, retention } = this.#lifetime;
    const life = Math.max(1, Math.ceil(staleAt + retention - now()));
    return Number.isFinite(life) ? String(life) : '0';
  }

  /** Adds an entry of another shard to the set of its group, which is in this one. */
  async join(entry: Entry): Promise<void> {
    const keys = [this.keys.group(entry.group)];
    await this.#connection.run('write', (redis) => runScript(redis, JOIN_SET, keys, [entry.id, this.#life(entry)]));
  }

  /**
   * Deletes entries of this shard, at most {@link PAGE}.
   *
   * @param expired only those that are still in this sorted set with `staleAt` at or before `by`
   */
  async delete(ids: readonly string[], expired?: Expired): Promise<Deletion> {
    const { keys } = this;
    const all = [keys.responses, keys.others, ...ids.map((id) => keys.row(id))];
    const from = expired?.from === keys.others ? '2' : '1';
    const values = [keys.prefix, expired ? instantField(expired.by) : '', from, ...ids];
    const reply = await this.#connection.run('write', (redis) => runScript(redis, DELETE, all, values));
    const [deleted, ...names] = reply as [number, ...string[]];
    return { deleted, redirects: [...pairs(names)] };
  }

  /** Deletes expired entries page by page. */
  async *deleteExpired(by: number): AsyncGenerator<Deletion> {
    for (const from of [this.keys.responses, this.keys.others]) {
      for (;;) {
        const words = ['ZRANGEBYSCORE', from, '-inf', instantField(by), 'LIMIT', '0', `${PAGE}`];
        const ids = await unlessWrongType(this.#connection.run('read', (redis) => redis.send(from, words)));
        if (ids === undefined || (ids as string[]).length === 0) break;
        yield await this.delete(ids as string[], { from, by });
      }
    }
  }

  /** Lists entries. Ids of this shard without an entry are removed from the index. */
  async *list(query: EntryQuery): AsyncGenerator<EntrySummary> {
    for (const place of this.index.placesOf(query)) {
      // An entry that is its own group is in no set.
      if (query.group !== undefined) yield* await this.#listed(place, [query.group], query);
      for await (const ids of this.index.pages(place, query)) yield* await this.#listed(place, ids, query);
    }
  }

  async #listed(place: Place, ids: readonly string[], query: EntryQuery): Promise<readonly EntrySummary[]> {
    const rowOf = (id: string) => this.#layout.row(id);
    const read = await this.#connection.run('read', (redis: Redis) => readSummaries(redis, ids, rowOf));
    const summaries = read.filter((summary) => summary !== undefined);
    const found = new Set(summaries.filter((summary) => isIn(place, summary)).map(({ id }) => id));
    const dead = ids.filter((id) => !found.has(id) && this.#layout.keysOf(id) === this.keys);
    await this.index.forget(place, dead);
    return summaries.filter((summary) => fits(summary, query));
  }

  /** Counts responses by the index alone. */
  async count({ staleBy, freshAt }: EntryQuery): Promise<number> {
    const { responses } = this.keys;
    const forgotten = this.#lifetime.now() - this.#lifetime.retention;
    const after = Math.max(freshAt ?? Number.NEGATIVE_INFINITY, forgotten);
    const from = after < 0 ? '-inf' : `(${instantField(after)}`;
    const words = ['ZCOUNT', responses, from, staleBy === undefined ? '+inf' : instantField(staleBy)];
    return Number((await unlessWrongType(this.#connection.run('read', (redis) => redis.send(responses, words)))) ?? 0);
  }
}

function* pairs(names: readonly string[]): Generator<{ readonly id: string; readonly group: string }> {
  for (const [id = '', group = ''] of batches(names, 2)) yield { id, group };
}

import type { Entry, EntrySummary } from '../../models/entry.js';
import { batches, countListed, fits } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import { instantField, kindField, packEntry } from '../stored-form.js';
import type { Redis, Words } from './client.js';
import type { RedisConnection } from './connection.js';
import type { ShardKeys } from './keys.js';
import { currentOrder, invalidate } from './orders.js';
import { isIn, PAGE, type Place, ShardIndex, unlessWrongType } from './places.js';
import { EntryReader, readSummaries } from './reads.js';
import { DELETE, PUT, runScript } from './scripts.js';

/** Groups whose members are listed at once. */
const GROUPS = 100;
/** One entry in so many makes its write sweep the index. */
const SWEEP_EVERY = 32;

/** Milliseconds since the epoch. */
export interface Lifetime {
  readonly now: () => number;
  /** Milliseconds that an entry is kept after it expired. */
  readonly retention: number;
}

/** Entries in one of the sorted sets by expiry. */
interface Expired {
  readonly from: string;
  readonly by: number;
}

/** The entries of a cache whose keys share a hash tag, so that scripts can write several at once. */
export class RedisShard {
  readonly keys: ShardKeys;
  readonly #connection: RedisConnection;
  readonly #reader: EntryReader;
  readonly #index: ShardIndex;
  readonly #lifetime: Lifetime;

  constructor(keys: ShardKeys, connection: RedisConnection, lifetime: Lifetime) {
    this.keys = keys;
    this.#connection = connection;
    this.#reader = new EntryReader(connection);
    this.#index = new ShardIndex(keys, connection);
    this.#lifetime = lifetime;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#reader.read(id, this.keys.row(id));
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    const { keys } = this;
    const names = entries.flatMap((entry) => [keys.row(entry.id), ...keys.sets(entry)]);
    const all = [keys.responses, keys.others, keys.orders, ...names];
    const values = [keys.prefix, ...entries.flatMap((entry) => this.#values(entry))];
    const reply = await this.#connection.run((redis) => runScript(redis, PUT, all, values), true);
    if (reply === 0) return false;
    for (const { kind } of entries) if (Math.random() * SWEEP_EVERY < 1) void this.#index.sweep(kind).catch(() => {});
    return true;
  }

  #values(entry: Entry): Words {
    if (entry.kind === 'unknown') throw new TypeError('an entry of unknown kind cannot be stored');
    const { now, retention } = this.#lifetime;
    const life = Math.max(1, Math.ceil(entry.staleAt + retention - now()));
    return [
      entry.id,
      kindField(entry.kind),
      String(entry.order),
      instantField(entry.staleAt),
      Number.isFinite(life) ? String(life) : '0',
      packEntry(entry),
      String(this.keys.sets(entry).length),
      String(entry.indexes.length),
      ...entry.indexes,
    ];
  }

  /** Deletes these entries and those of which they are the group; returns the number of responses. */
  async deleteGroups(ids: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const batch of batches(ids, GROUPS)) {
      const pages = await Promise.all(batch.map((group) => this.#index.page(this.#index.group(group), '0')));
      deleted += await this.delete([...new Set([...batch, ...pages.flatMap(({ ids }) => ids)])]);
      for (const [index, { cursor }] of pages.entries()) {
        if (cursor === '0') continue;
        const place = this.#index.group(String(batch[index]));
        for await (const members of this.#index.pages(place)) deleted += await this.delete(members);
      }
    }
    return deleted;
  }

  /**
   * Deletes entries; returns the number of responses (and unknown entries).
   *
   * @param expired only those that are still in this sorted set with `staleAt` at or before `by` (milliseconds)
   */
  async delete(ids: readonly string[], expired?: Expired): Promise<number> {
    const { keys } = this;
    let deleted = 0;
    for (const batch of batches(ids, PAGE)) {
      const all = [keys.responses, keys.others, ...batch.map((id) => keys.row(id))];
      const values = [keys.prefix, expired ? instantField(expired.by) : '', expired?.from === keys.others ? '2' : '1'];
      const run = (redis: Redis) => runScript(redis, DELETE, all, [...values, ...batch]);
      deleted += Number(await this.#connection.run(run, true));
    }
    return deleted;
  }

  /** Lists entries. Ids without an entry are removed from the index. */
  async *list(query: EntryQuery): AsyncGenerator<EntrySummary> {
    for (const place of this.#index.placesOf(query)) {
      // An entry that is its own group is in no set.
      if (query.group !== undefined) yield* await this.#listed(place, [query.group], query);
      for await (const ids of this.#index.pages(place, query)) yield* await this.#listed(place, ids, query);
    }
  }

  async #listed(place: Place, ids: readonly string[], query: EntryQuery): Promise<readonly EntrySummary[]> {
    const read = await this.#connection.run((redis) => readSummaries(redis, ids, (id) => this.keys.row(id)));
    const summaries = read.filter((summary) => summary !== undefined);
    const found = new Set(summaries.filter((summary) => isIn(place, summary)).map(({ id }) => id));
    await this.#index.forget(
      place,
      ids.filter((id) => !found.has(id)),
    );
    return summaries.filter((summary) => fits(summary, query));
  }

  /**
   * Counts entries by the index alone if the query permits. Entries that the server evicted count until a listing or a
   * sweep removes their ids.
   */
  async count(query: EntryQuery): Promise<number> {
    const { staleBy, freshAt, ...others } = query;
    if (Object.values(others).some((condition) => condition !== undefined)) return countListed(this.list(query), query);
    const { responses } = this.keys;
    const forgotten = this.#lifetime.now() - this.#lifetime.retention;
    const after = Math.max(freshAt ?? Number.NEGATIVE_INFINITY, forgotten);
    const from = after < 0 ? '-inf' : `(${instantField(after)}`;
    const to = staleBy === undefined ? '+inf' : instantField(staleBy);
    const words = ['ZCOUNT', responses, from, to];
    return Number((await unlessWrongType(this.#connection.run((redis) => redis.send(responses, words)))) ?? 0);
  }

  /** Deletes entries with `staleAt <= now` (milliseconds); yields the number of responses of each step. */
  async *deleteExpired(now: number): AsyncGenerator<number> {
    for (const key of [this.keys.responses, this.keys.others]) {
      for (;;) {
        const words = ['ZRANGEBYSCORE', key, '-inf', instantField(now), 'LIMIT', '0', `${PAGE}`];
        const ids = await unlessWrongType(this.#connection.run((redis) => redis.send(key, words)));
        if (ids === undefined || (ids as string[]).length === 0) break;
        yield await this.delete(ids as string[], { from: key, by: now });
      }
    }
  }

  /**
   * Deletes all entries. The second pass finds those that the index has lost, since the server evicted it or another value
   * was planted there. Entries that are written meanwhile stay whole: no set is deleted with ids of other entries.
   */
  async *clear(): AsyncGenerator<unknown> {
    for (const place of this.#index.placesOf({})) {
      for await (const ids of this.#index.pages(place)) yield await this.delete(ids);
    }
    let cursor = '0';
    do {
      const words = ['SCAN', cursor, 'MATCH', this.keys.pattern, 'COUNT', '2000'];
      const reply = await this.#connection.run((redis) => redis.sendToServerOf(this.keys.responses, words));
      const [next, found] = reply as [string, string[]];
      yield await this.#clearFound(found);
      cursor = String(next);
    } while (cursor !== '0');
  }

  async #clearFound(found: readonly string[]): Promise<void> {
    const parsed = found.map((key) => ({ key, ...this.keys.parse(key) }));
    await this.delete(parsed.filter(({ type }) => type === 'r').map(({ name }) => name));
    for (const { key, type, name } of parsed) {
      if (type === 'r') continue;
      const place: Place = type === 'e' ? { key, removal: 'ZREM', name: '' } : { key, removal: 'SREM', name };
      for (let cursor: string | undefined; cursor !== '0'; ) {
        const page = await this.#index.page(place, cursor ?? '0');
        if (page.isWrongType) await this.#unlink(key);
        await this.#index.forget(place, page.ids);
        cursor = page.cursor;
      }
    }
  }

  async #unlink(key: string): Promise<void> {
    await this.#connection.run((redis) => redis.send(key, ['UNLINK', key]), true);
  }

  /** Returns the order of the last invalidation (see {@link Store.currentOrder}). */
  currentOrder(): Promise<number> {
    return currentOrder(this.#connection, this.keys.orders);
  }

  /** Records an invalidation (see {@link Store.invalidate}). */
  invalidate(digests: readonly string[]): Promise<void> {
    return invalidate(this.#connection, this.keys.orders, digests);
  }
}

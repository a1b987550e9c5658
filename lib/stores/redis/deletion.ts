import { batches, mapConcurrently } from '../concurrency.js';
import type { RedisConnection } from './connection.js';
import type { FoundKey, Layout } from './layout.js';
import { PAGE, type Place } from './places.js';
import { readSummaries } from './reads.js';
import type { Deletion, RedisShard } from './shard.js';
import { together } from './together.js';

/** Groups, or shards, that are worked on at once. */
const GROUPS = 100;
export const SHARDS = 16;

/** Deletes entries of all shards. */
export class RedisDeletion {
  readonly #shards: readonly RedisShard[];
  readonly #layout: Layout;
  readonly #connection: RedisConnection;

  constructor(shards: readonly RedisShard[], layout: Layout, connection: RedisConnection) {
    this.#shards = shards;
    this.#layout = layout;
    this.#connection = connection;
  }

  /** Deletes entries; returns the number of responses (and unknown entries). */
  async delete(ids: readonly string[]): Promise<number> {
    const work = [...this.#layout.byShard(ids)].flatMap(([number, own]) =>
      [...batches(own, PAGE)].map((page) => ({ shard: this.#shards[number], page })),
    );
    let deleted = 0;
    for (const some of batches(work, SHARDS)) {
      const deletions = await Promise.all(some.map(({ shard, page }) => shard?.delete(page)));
      for (const deletion of deletions) if (deletion) deleted += await this.#settled(deletion);
    }
    return deleted;
  }

  /** Deletes these entries and those of which they are the group; returns the number of responses. */
  async deleteGroups(ids: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const groups of batches(ids, GROUPS)) {
      const places = groups.map((group) => this.#groupOf(group));
      const first = await Promise.all(places.map(({ shard, place }) => shard.index.page(place, '0')));
      const members = await Promise.all(first.map(({ ids }, at) => this.#membersOf(groups[at] ?? '', ids)));
      deleted += await this.delete([...new Set([...groups, ...members.flat()])]);
      for (const [at, { group, shard, place }] of places.entries()) {
        if (first[at]?.cursor === '0') continue;
        for await (const page of shard.index.pages(place)) {
          deleted += await this.delete(await this.#membersOf(group, page));
        }
      }
    }
    return deleted;
  }

  #groupOf(group: string): { readonly group: string; readonly shard: RedisShard; readonly place: Place } {
    const shard = this.#shards[this.#layout.numberOf(group)] as RedisShard;
    return { group, shard, place: shard.index.group(group) };
  }

  /** The set of a group may have ids in other shards that belong to another group by now. */
  async #membersOf(group: string, ids: readonly string[]): Promise<readonly string[]> {
    const home = this.#layout.keysOf(group);
    const foreign = ids.filter((id) => this.#layout.keysOf(id) !== home);
    if (foreign.length === 0) return ids;
    const rowOf = (id: string) => this.#layout.row(id);
    const summaries = await this.#connection.run('read', (redis) => readSummaries(redis, foreign, rowOf));
    const left = new Set(foreign.filter((_, at) => summaries[at]?.group !== group));
    await this.#leaveGroup(group, [...left]);
    return ids.filter((id) => !left.has(id));
  }

  /** Deletes expired entries (milliseconds); yields the number of responses of each step. */
  async *deleteExpired(by: number): AsyncGenerator<number> {
    const sources = this.#shards.map((shard) => () => shard.deleteExpired(by));
    for await (const deletion of together(sources, SHARDS)) yield await this.#settled(deletion);
  }

  /** Takes deleted redirects out of the sets of their groups in other shards. */
  async #settled({ deleted, redirects }: Deletion): Promise<number> {
    const elsewhere = redirects.filter(({ id, group }) => this.#layout.keysOf(id) !== this.#layout.keysOf(group));
    await mapConcurrently(elsewhere, ({ id, group }) => this.#leaveGroup(group, [id]), GROUPS);
    return deleted;
  }

  /**
   * Takes entries of other shards out of the set of a group. An entry that another process writes meanwhile adds itself
   * before and after its row; here the rows are looked at again afterwards. So it is in the set in the end.
   */
  async #leaveGroup(group: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const key = this.#layout.keysOf(group).group(group);
    const rowOf = (id: string) => this.#layout.row(id);
    await this.#connection.run('write', async (redis) => {
      await redis.send(key, ['SREM', key, ...ids]);
      const summaries = await readSummaries(redis, ids, rowOf);
      const present = ids.filter((_, at) => summaries[at]?.group === group);
      if (present.length > 0) await redis.send(key, ['SADD', key, ...present]);
    });
  }

  /**
   * Deletes all entries. The second pass finds those that the index has lost, since the server evicted it or another value
   * was planted there. Entries that are written meanwhile stay whole: no set is deleted with ids of other entries.
   */
  async *clear(): AsyncGenerator<unknown> {
    yield* together(
      this.#shards.map((shard) => () => indexed(shard)),
      SHARDS,
    );
    for (const key of await this.#keyOfEachServer()) yield* this.#scan(key);
  }

  /** Returns a key of this cache for each server that has some. */
  async #keyOfEachServer(): Promise<readonly string[]> {
    return this.#connection.run('read', async (redis) => {
      const keys = this.#layout.shards.map(({ responses }) => responses);
      return [...new Map(keys.map((key) => [redis.serverOf(key), key])).values()];
    });
  }

  async *#scan(serverKey: string): AsyncGenerator<unknown> {
    let cursor = '0';
    do {
      const words = ['SCAN', cursor, 'MATCH', this.#layout.pattern, 'COUNT', '2000'];
      const reply = await this.#connection.run('read', (redis) => redis.sendToServerOf(serverKey, words));
      const [next, keys] = reply as [string, string[]];
      const found = keys.map((key) => this.#layout.parse(key)).filter((key) => key !== undefined);
      yield await this.delete(found.filter(({ type }) => type === 'r').map(({ name }) => name));
      for (const key of found) if (key.type !== 'r') yield await this.#clearPlace(key);
      cursor = String(next);
    } while (cursor !== '0');
  }

  async #clearPlace({ key, shard, type, name }: FoundKey): Promise<void> {
    const index = this.#shards[shard]?.index;
    const place: Place = type === 'e' ? { key, removal: 'ZREM', name: '' } : { key, removal: 'SREM', name };
    for (let cursor: string | undefined; index && cursor !== '0'; ) {
      const page = await index.page(place, cursor ?? '0');
      if (page.isWrongType) await this.#connection.run('write', (redis) => redis.send(key, ['UNLINK', key]));
      const own = page.ids.filter((id) => this.#layout.numberOf(id) === shard);
      await index.forget(place, own);
      if (own.length < page.ids.length) await this.#membersOf(name, page.ids);
      cursor = page.cursor;
    }
  }
}

/** Deletes the entries that a shard's index has. */
async function* indexed(shard: RedisShard): AsyncGenerator<unknown> {
  for (const place of shard.index.placesOf({})) {
    for await (const ids of shard.index.pages(place)) yield await shard.delete(ids);
  }
}

import type { EntryKind, EntrySummary } from '../../models/entry.js';
import { batches } from '../concurrency.js';
import type { EntryQuery } from '../store.js';
import { StoreFailure } from '../store-failure.js';
import type { RedisConnection } from './connection.js';
import type { ShardKeys } from './keys.js';
import { FORGET, runScript } from './scripts.js';

/** Ids of one page of a listing. */
export const PAGE = 500;
/** Ids at random that one sweep looks at. */
const SWEPT = 64;

/** A place in the index: a sorted set of all entries, or the set of a group or digest. */
export interface Place {
  readonly key: string;
  /** The command that removes an id from it. */
  readonly removal: 'ZREM' | 'SREM';
  /** Group or digest of a set; empty for a sorted set. */
  readonly name: string;
}

interface Page {
  readonly ids: readonly string[];
  /** `0` after the last page. */
  readonly cursor: string;
  /** Whether a value of another type was planted under the key of the place. */
  readonly isWrongType: boolean;
}

/** Reads the index of a shard page by page, and removes ids without an entry from it. */
export class ShardIndex {
  readonly #keys: ShardKeys;
  readonly #connection: RedisConnection;

  constructor(keys: ShardKeys, connection: RedisConnection) {
    this.#keys = keys;
    this.#connection = connection;
  }

  group(group: string): Place {
    return { key: this.#keys.group(group), removal: 'SREM', name: group };
  }

  digest(digest: string): Place {
    return { key: this.#keys.index(digest), removal: 'SREM', name: digest };
  }

  /** The places that have all entries of a query. */
  placesOf({ group, index, kind }: EntryQuery): readonly Place[] {
    if (group !== undefined) return [this.group(group)];
    if (index !== undefined) return [this.digest(index)];
    const { responses, others } = this.#keys;
    const all = kind === undefined || kind === 'unknown';
    const keys = all ? [responses, others] : kind === 'response' ? [responses] : [others];
    return keys.map((key) => ({ key, removal: 'ZREM', name: '' }));
  }

  /** Lists the ids of a place in pages, each at least once, even if entries are written or deleted meanwhile. */
  async *pages(place: Place, query: EntryQuery = {}): AsyncGenerator<readonly string[]> {
    let cursor = '0';
    do {
      const page = await this.page(place, cursor, query);
      yield* batches(page.ids, PAGE);
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** Reads one page. A sorted set leaves out ids by `staleBy` and `freshAt` of the query. */
  async page(place: Place, cursor: string, { staleBy, freshAt }: EntryQuery = {}): Promise<Page> {
    const command = place.removal === 'ZREM' ? 'ZSCAN' : 'SSCAN';
    const words = [command, place.key, cursor, 'COUNT', `${PAGE}`];
    const reply = await unlessWrongType(this.#connection.run('read', (redis) => redis.send(place.key, words)));
    if (reply === undefined) return { ids: [], cursor: '0', isWrongType: true };
    const [next, members] = reply as [string, string[]];
    if (command === 'SSCAN') return { ids: members, cursor: next, isWrongType: false };
    const ids = members.filter((_, at) => {
      const staleAt = Number(members[at + 1]);
      return at % 2 === 0 && staleAt <= (staleBy ?? Number.POSITIVE_INFINITY) && staleAt > (freshAt ?? -1);
    });
    return { ids, cursor: next, isWrongType: false };
  }

  /** Removes ids without an entry from a place. If this fails, a later listing does it. */
  async forget(place: Place, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const keys = [place.key, ...ids.map((id) => this.#keys.row(id))];
    const values = [place.removal, place.name, ...ids];
    await this.#connection.run('write', (redis) => runScript(redis, FORGET, keys, values)).catch(() => {});
  }

  /**
   * Looks at some ids of a kind at random, and forgets those without entries. This keeps the index in proportion to the
   * entries if the server removes them, and nobody lists.
   */
  async sweep(kind: EntryKind): Promise<void> {
    const [place] = this.placesOf({ kind });
    if (!place) return;
    const words = ['ZRANDMEMBER', place.key, `${SWEPT}`];
    await this.forget(place, (await this.#connection.run('read', (redis) => redis.send(place.key, words))) as string[]);
  }
}

/** Whether an entry is in a place. */
export function isIn({ name }: Place, { id, group, indexes }: EntrySummary): boolean {
  return name === '' || group === name || id === name || indexes.includes(name);
}

/** The reply to a read of the index; `undefined` if a value of another type was planted under the key. */
export function unlessWrongType<T>(reply: Promise<T>): Promise<T | undefined> {
  return reply.catch((error: unknown) => {
    if (error instanceof StoreFailure && error.kind === 'entry') return undefined;
    throw error;
  });
}

import { ShardKeys } from './keys.js';
import { shardOf, shardTags } from './slots.js';

/** A key of an entry or of a place in the index, as SCAN finds it. */
export interface FoundKey {
  readonly key: string;
  /** Number of its shard. */
  readonly shard: number;
  /** `r`: an entry, `e`: a sorted set by expiry, `g` or `u`: a set by group or digest. */
  readonly type: string;
  readonly name: string;
}

/** The keys of all shards of a cache. */
export class Layout {
  readonly shards: readonly ShardKeys[];
  /** Pattern of SCAN for entries and the index, in all shards. */
  readonly pattern: string;
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(cacheName: string, shards: number) {
    this.shards = shardTags(cacheName, shards).map((tag) => new ShardKeys(tag));
    this.#numbers = new Map(this.shards.map(({ prefix }, number) => [prefix, number]));
    const name = cacheName.replace(/[[\]?*\\]/g, '\\$&');
    this.pattern = `{${shards === 1 ? name : `${name}:${shards}:*`}}:[egru]:*`;
  }

  /** Returns the number of the shard that has an entry. */
  numberOf(id: string): number {
    return shardOf(id, this.shards.length);
  }

  /** Returns the keys of the shard that has an entry. */
  keysOf(id: string): ShardKeys {
    return this.shards[this.numberOf(id)] as ShardKeys;
  }

  row(id: string): string {
    return this.keysOf(id).row(id);
  }

  /** Groups ids by the number of their shard. */
  byShard(ids: readonly string[]): Map<number, string[]> {
    const groups = new Map<number, string[]>();
    for (const id of ids) {
      const number = this.numberOf(id);
      const group = groups.get(number);
      if (group) group.push(id);
      else groups.set(number, [id]);
    }
    return groups;
  }

  /** Splits a key that {@link pattern} found; `undefined` for a key of another cache. */
  parse(key: string): FoundKey | undefined {
    const end = key.indexOf('}:') + 2;
    const shard = this.#numbers.get(key.slice(0, end));
    return shard === undefined ? undefined : { key, shard, type: key[end] ?? '', name: key.slice(end + 2) };
  }
}

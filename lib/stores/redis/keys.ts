import type { EntryHead } from '../../models/entry.js';

/**
 * Names of the keys of one shard, which share a hash tag, so that one master has them all:
 *
 * | key | value |
 * |---|---|
 * | `{tag}:r:<id>` | an entry in the stored form |
 * | `{tag}:e:responses` | sorted set: ids of responses by `staleAt` |
 * | `{tag}:e:others` | the same of variant markers and redirects |
 * | `{tag}:g:<group>`, `{tag}:u:<digest>` | sets: ids of entries by group and by index digest |
 * | `{tag}:i` | sorted set: orders of invalidations |
 * | `{tag}:l:<name>` | a lease |
 */
export class ShardKeys {
  readonly responses: string;
  readonly others: string;
  readonly orders: string;
  /** Begins the keys of sets, before `g:` and `u:`. */
  readonly prefix: string;
  /** Pattern of SCAN for the entries and their sets. */
  readonly pattern: string;
  readonly #tag: string;

  constructor(tag: string) {
    this.#tag = `{${tag}}`;
    this.prefix = `${this.#tag}:`;
    this.responses = `${this.#tag}:e:responses`;
    this.others = `${this.#tag}:e:others`;
    this.orders = `${this.#tag}:i`;
    this.pattern = `${this.#tag.replace(/[[\]?*\\]/g, '\\$&')}:[egru]:*`;
  }

  row(id: string): string {
    return `${this.#tag}:r:${id}`;
  }

  group(group: string): string {
    return `${this.#tag}:g:${group}`;
  }

  index(digest: string): string {
    return `${this.#tag}:u:${digest}`;
  }

  lease(name: string): string {
    return `${this.#tag}:l:${name}`;
  }

  /** The sets that an entry is in. An entry that is its own group needs no set for it. */
  sets({ id, group, indexes }: Pick<EntryHead, 'id' | 'group' | 'indexes'>): string[] {
    const sets = indexes.map((digest) => this.index(digest));
    if (group !== id) sets.push(this.group(group));
    return sets;
  }

  /** Splits a key found by {@link pattern} into its type (`e`, `g`, `r`, `u`) and name. */
  parse(key: string): { readonly type: string; readonly name: string } {
    const start = this.#tag.length + 1;
    return { type: key[start] ?? '', name: key.slice(start + 2) };
  }
}

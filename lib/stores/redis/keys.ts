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
  /** Begins all keys. */
  readonly prefix: string;
  readonly #tag: string;

  constructor(tag: string) {
    this.#tag = `{${tag}}`;
    this.prefix = `${this.#tag}:`;
    this.responses = `${this.#tag}:e:responses`;
    this.others = `${this.#tag}:e:others`;
    this.orders = `${this.#tag}:i`;
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
}

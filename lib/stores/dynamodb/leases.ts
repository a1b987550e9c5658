import { randomUUID } from 'node:crypto';
import { LeaseWatch } from '../lease-watch.js';
import type { DynamoDbTable } from './table.js';

/** Seconds, in addition to its own, after which the server may delete a lease that is neither renewed nor released. */
const LIFETIME = 24 * 60 * 60;

/**
 * Leases as items of a table. DynamoDB has no clock that a condition could compare: a waiting process measures itself how
 * long a lease was not renewed.
 */
export class DynamoDbLeases {
  readonly #table: DynamoDbTable;
  readonly #prefix: string;
  readonly #watch = new LeaseWatch();

  constructor(table: DynamoDbTable, prefix: string) {
    this.#table = table;
    this.#prefix = prefix;
  }

  /** Acquires or renews a lease, as `Store.acquireLease`. */
  async acquire(name: string, holder: string, seconds: number): Promise<boolean> {
    if (await this.#take(name, holder, seconds, 'attribute_not_exists(#id) OR #holder = :holder', {})) return true;
    const lease = await this.#table.getItem(this.#prefix + name);
    // It was released meanwhile: the next attempt acquires it.
    if (!lease) return false;
    const { token, seconds: lasts } = lease;
    // An item with other values is no lease.
    if (typeof token === 'string' && typeof lasts === 'number') {
      this.#watch.saw(name, token, lasts);
      if (this.#watch.expiredToken(name) !== token) return false;
    }
    const seen = { ':seen': token ?? null };
    return this.#take(name, holder, seconds, 'attribute_not_exists(#token) OR #token = :seen', seen);
  }

  async release(name: string, holder: string): Promise<void> {
    this.#watch.forget(name);
    const values = { ':holder': holder };
    await this.#table.delete(this.#prefix + name, { condition: '#holder = :holder', values });
  }

  async #take(
    name: string,
    holder: string,
    seconds: number,
    condition: string,
    more: Record<string, unknown>,
  ): Promise<boolean> {
    const token = randomUUID();
    const values = {
      ':holder': holder,
      ':token': token,
      ':seconds': seconds,
      ':expiresAt': Math.ceil(Date.now() / 1000 + seconds + LIFETIME),
    };
    const update = 'SET #holder = :holder, #token = :token, #seconds = :seconds, #expiresAt = :expiresAt';
    const taken = await this.#table.update(this.#prefix + name, { update, condition, values: { ...values, ...more } });
    if (taken) this.#watch.saw(name, token, seconds);
    return taken !== undefined;
  }
}

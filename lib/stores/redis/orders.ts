import { batches } from '../concurrency.js';
import { StoreFailure } from '../store-failure.js';
import type { RedisConnection } from './connection.js';
import { unlessWrongType } from './places.js';
import { BEGIN_ORDERS, INVALIDATE, runScript } from './scripts.js';

/** Shards that are written to at once. */
const AT_ONCE = 100;

/**
 * The orders of invalidations of a cache. The first shard gives them, in microseconds of its server's clock; every shard has
 * them all, since a write asks the shard of its entry alone.
 */
export class InvalidationOrders {
  readonly #connection: RedisConnection;
  readonly #home: string;
  readonly #others: readonly string[];
  #reading: Promise<number> | undefined;

  /** @param keys the keys of the orders of all shards */
  constructor(connection: RedisConnection, [home = '', ...others]: readonly string[]) {
    this.#connection = connection;
    this.#home = home;
    this.#others = others;
  }

  /**
   * Returns the order of the last invalidation. The first call begins the orders; a server that is full, or a replica, refuses
   * that: then 0. Calls of one turn share a command, which is sent after all of them.
   */
  current(): Promise<number> {
    this.#reading ??= Promise.resolve().then(() => {
      this.#reading = undefined;
      return this.#read();
    });
    return this.#reading;
  }

  async #read(): Promise<number> {
    const home = this.#home;
    const last = await unlessWrongType(
      this.#connection.run('read', (redis) => redis.send(home, ['ZSCORE', home, 'last'])),
    );
    if (last !== null && last !== undefined) return Number(last);
    try {
      return await this.#begin(home);
    } catch (error) {
      if (error instanceof StoreFailure && error.kind === 'refusal') return 0;
      throw error;
    }
  }

  /**
   * Begins the orders of a shard that has none, with the last order of the first shard: it has forgotten all that happened
   * before.
   */
  async begin(key: string): Promise<void> {
    const last = await this.#begin(this.#home);
    if (key !== this.#home) await this.#begin(key, last);
  }

  /** Records an invalidation of these digests, or of everything if there are none, in all shards. */
  async invalidate(digests: readonly string[]): Promise<void> {
    const [order, before] = await this.#invalidate(this.#home, ['', '', ...digests]);
    let failure: PromiseRejectedResult | undefined;
    for (const keys of batches(this.#others, AT_ONCE)) {
      const outcomes = await Promise.allSettled(keys.map((key) => this.#invalidate(key, [order, before, ...digests])));
      failure ??= outcomes.find((outcome) => outcome.status === 'rejected');
    }
    if (failure) throw failure.reason;
  }

  async #begin(key: string, order?: number): Promise<number> {
    const values = [order === undefined ? '' : String(order)];
    return Number(await this.#connection.run('write', (redis) => runScript(redis, BEGIN_ORDERS, [key], values)));
  }

  async #invalidate(key: string, values: readonly string[]): Promise<readonly [order: string, before: string]> {
    const reply = await this.#connection.run('write', (redis) => runScript(redis, INVALIDATE, [key], values));
    return reply as [string, string];
  }
}

import type { Collection, Db } from 'mongodb';
import type { Entry } from '../../models/entry.js';
import { invalidatedBy } from '../entry-query.js';
import { firstOrder, GREATEST_ORDER, LEAST_ORDER } from '../first-order.js';
import { DUPLICATE_KEY } from './failures.js';

interface Invalidation {
  readonly _id: string;
  readonly order: number;
  /** When it was recorded, by the server's clock. */
  readonly at?: Date;
}

/** Selects counters of this store. */
const IS_ORDER = { $gte: LEAST_ORDER, $lte: GREATEST_ORDER };
/** Seconds that an invalidation is remembered, at least. */
const LIFETIME = 2 * 60 * 60;

/**
 * The order of invalidations, without transactions: a counter, and for each invalidated digest, or for everything, the
 * counter's value at its last invalidation (docs/decisions/0021).
 */
export class InvalidationOrder {
  readonly #collection: string;
  readonly #counter: string;
  readonly #everything: string;
  readonly #prefix: string;

  constructor(collection: string, prefix: string) {
    this.#collection = `${collection}.invalidations`;
    this.#prefix = prefix;
    this.#counter = `${prefix}counter`;
    this.#everything = `${prefix}everything`;
  }

  async prepare(db: Db): Promise<void> {
    // The counter has no date, and stays.
    await this.#in(db).createIndex({ at: 1 }, { expireAfterSeconds: LIFETIME });
  }

  /** Returns the order of the last invalidation; 0 if there is no counter, and this user cannot begin one. */
  async current(db: Db): Promise<number> {
    const counter = { _id: this.#counter, order: IS_ORDER };
    const invalidations = this.#in(db);
    const found = await invalidations.findOne(counter);
    if (found) return found.order;
    const isBegun = await this.#begin(db).then(
      () => true,
      () => false,
    );
    return (isBegun ? await invalidations.findOne(counter) : null)?.order ?? 0;
  }

  /** Records an invalidation of these digests, or of everything; returns its order. */
  async record(db: Db, digests: readonly string[]): Promise<number> {
    const order = (await this.#increment(db)) ?? (await this.#begin(db).then(() => this.#increment(db)));
    if (order === undefined) throw new Error('the counter of invalidations was changed by another program');
    try {
      await this.#raise(db, digests, order, true);
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      // A later invalidation is recorded already, or was at the same time.
      await this.#raise(db, digests, order, false);
    }
    return order;
  }

  async #increment(db: Db): Promise<number | undefined> {
    const counter = { _id: this.#counter, order: IS_ORDER };
    return (await this.#in(db).findOneAndUpdate(counter, { $inc: { order: 1 } }, { returnDocument: 'after' }))?.order;
  }

  /** Begins a counter in the place of one that is missing, or of something else. */
  async #begin(db: Db): Promise<void> {
    const missing = { _id: this.#counter, order: { $not: IS_ORDER } };
    try {
      await this.#in(db).updateOne(missing, { $set: { order: firstOrder() } }, { upsert: true });
    } catch (error) {
      // Another process has begun it.
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
    }
  }

  /** Of two concurrent invalidations the later one counts, whichever writes last. */
  async #raise(db: Db, digests: readonly string[], order: number, upsert: boolean): Promise<void> {
    const later = { $gte: order, $lte: GREATEST_ORDER };
    await this.#in(db).bulkWrite(
      this.#ids(digests).map((_id) => ({
        updateOne: {
          filter: { _id, order: { $not: later } },
          update: { $set: { order }, $currentDate: { at: true } },
          upsert,
        },
      })),
      { ordered: false },
    );
  }

  /** Returns whether one of the entries was invalidated after its order. */
  async isOutOfDate(db: Db, entries: readonly Entry[]): Promise<boolean> {
    const order = Math.min(...entries.map((entry) => entry.order));
    const names = new Set(entries.flatMap(invalidatedBy));
    const _id = { $in: [this.#everything, ...[...names].map((name) => this.#prefix + name)] };
    const later = await this.#in(db).findOne(
      { _id, order: { $gt: order, $lte: GREATEST_ORDER } },
      { projection: { _id: 1 } },
    );
    return later !== null;
  }

  #ids(digests: readonly string[]): readonly string[] {
    return digests.length === 0 ? [this.#everything] : digests.map((digest) => this.#prefix + digest);
  }

  /** The primary: another member of a replica set may not know the last invalidation yet. */
  #in(db: Db): Collection<Invalidation> {
    return db.collection<Invalidation>(this.#collection, { readPreference: 'primary' });
  }
}

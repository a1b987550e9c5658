import type { Collection, Db } from 'mongodb';
import type { Entry } from '../../models/entry.js';
import { invalidatedBy } from '../entry-query.js';

interface Invalidation {
  readonly _id: string;
  readonly order: number;
  /** When it was recorded, by the server's clock. */
  readonly at?: Date;
}

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

  /** Returns the order of the last invalidation. */
  async current(db: Db): Promise<number> {
    const counter = await this.#in(db).findOne({ _id: this.#counter });
    return counter?.order ?? 0;
  }

  /** Records an invalidation of these digests, or of everything; returns its order. */
  async record(db: Db, digests: readonly string[]): Promise<number> {
    const invalidations = this.#in(db);
    const options = { upsert: true, returnDocument: 'after' } as const;
    const counter = await invalidations.findOneAndUpdate({ _id: this.#counter }, { $inc: { order: 1 } }, options);
    const order = counter?.order ?? 0;
    await invalidations.bulkWrite(
      this.#ids(digests).map((_id) => ({
        // Of two concurrent invalidations the later one counts, whichever writes last.
        updateOne: { filter: { _id }, update: { $max: { order }, $currentDate: { at: true } }, upsert: true },
      })),
      { ordered: false },
    );
    return order;
  }

  /** Returns whether one of the entries was invalidated after its order. */
  async isOutOfDate(db: Db, entries: readonly Entry[]): Promise<boolean> {
    const order = Math.min(...entries.map((entry) => entry.order));
    const names = new Set(entries.flatMap(invalidatedBy));
    const _id = { $in: [this.#everything, ...[...names].map((name) => this.#prefix + name)] };
    const later = await this.#in(db).findOne({ _id, order: { $gt: order } }, { projection: { _id: 1 } });
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

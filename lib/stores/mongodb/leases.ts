import type { Collection, Db, Document } from 'mongodb';
import { DUPLICATE_KEY } from './failures.js';

interface Lease extends Document {
  readonly _id: string;
  readonly holder: string;
  readonly seconds: number;
  /** How often it was acquired or renewed. */
  readonly renewals: number;
  /** When the holder acquired or renewed it, by the server's clock. */
  readonly at: Date;
}

/** Seconds after which the server deletes a lease that is neither renewed nor released. */
const LIFETIME = 24 * 60 * 60;

/**
 * Leases in a collection of their own. Both instants of a comparison are the server's (`$currentDate`), so that no
 * process's clock counts.
 */
export class MongoLeases {
  readonly #collection: string;
  readonly #prefix: string;

  constructor(collection: string, prefix: string) {
    this.#collection = `${collection}.leases`;
    this.#prefix = prefix;
  }

  async prepare(db: Db): Promise<void> {
    await this.#in(db).createIndex({ at: 1 }, { expireAfterSeconds: LIFETIME });
  }

  /** Acquires or renews a lease, as `Store.acquireLease`: the unique `_id` admits one holder. */
  async acquire(db: Db, name: string, holder: string, seconds: number): Promise<boolean> {
    const leases = this.#in(db);
    const _id = this.#prefix + name;
    const acquired = { $set: { holder, seconds }, $inc: { renewals: 1 }, $currentDate: { at: true } } as const;
    try {
      await leases.updateOne({ _id, holder }, acquired, { upsert: true });
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
    }
    const seen = await leases.findOneAndUpdate(
      { _id },
      { $currentDate: { seenAt: true } },
      { returnDocument: 'after' },
    );
    // It was released meanwhile: the next attempt acquires it.
    if (!seen) return false;
    // A document with another holder is no lease.
    const isLease = typeof seen.holder === 'string';
    if (isLease && Number(seen.seenAt) - Number(seen.at) < seen.seconds * 1000) return false;
    const expired = { _id, holder: seen.holder ?? null, renewals: seen.renewals ?? null };
    return (await leases.updateOne(expired, acquired)).matchedCount === 1;
  }

  async release(db: Db, name: string, holder: string): Promise<void> {
    await this.#in(db).deleteOne({ _id: this.#prefix + name, holder });
  }

  #in(db: Db): Collection<Lease> {
    return db.collection<Lease>(this.#collection);
  }
}

import { randomUUID } from 'node:crypto';
import type { Db, Document, Filter, ObjectId } from 'mongodb';
import type { MongoConnection } from '../mongodb/connection.js';
import { keysOf } from '../mongodb/filters.js';
import type { MongoLeases } from '../mongodb/leases.js';
import { RetentionSweep } from '../retention.js';
import { type Bucket, FIELDS, PUBLISHED, type StoredFile } from './bucket.js';

/** Seconds between two sweeps, and the age of a file or chunk that no write can be about to publish. */
const DAY = 24 * 60 * 60;
/** Files that are looked at in one step. */
const BATCH = 200;
/** Chunks that are looked at in one step. */
const CHUNKS = 2_000;
/** The name of the lease that permits a sweep: one a day by all processes. */
const LEASE = 'sweep';

/**
 * Removes the remains of writers that were interrupted: files that were never published, files that a later one replaced,
 * and chunks without a file. At writes, in the background.
 */
export class Remains {
  readonly #connection: MongoConnection;
  readonly #bucket: Bucket;
  readonly #leases: MongoLeases;
  readonly #prefix: string;
  readonly #schedule: RetentionSweep;
  #isStopped = false;

  /** @param now the clock of `uploadDate`, in milliseconds since the epoch */
  constructor(connection: MongoConnection, bucket: Bucket, leases: MongoLeases, prefix: string, now: () => number) {
    this.#connection = connection;
    this.#bucket = bucket;
    this.#leases = leases;
    this.#prefix = prefix;
    this.#schedule = new RetentionSweep(DAY, now, DAY);
  }

  /** Starts a sweep, unless there was one within a day. */
  start(): void {
    this.#schedule.start((until) => this.#sweep(until));
  }

  /** Ends a sweep after its present step. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#schedule.settled();
  }

  /** @param until milliseconds since the epoch: files that were never published, and chunks, are older */
  async *#sweep(until: number): AsyncGenerator<unknown> {
    if (!(await this.#run((db) => this.#leases.acquire(db, LEASE, randomUUID(), DAY)))) return;
    const steps = [this.#unpublished(until), this.#replaced(), this.#chunks(until)];
    for (const part of steps) {
      for await (const _ of part) {
        if (this.#isStopped) return;
        yield undefined;
      }
    }
  }

  async *#unpublished(until: number): AsyncGenerator<unknown> {
    const filter = { 'metadata.pending': { $exists: true }, uploadDate: { $lt: new Date(until) } };
    for (let more = true; more; ) {
      yield await this.#run(async (db) => {
        const files = this.#bucket.files(db).find(this.#own(filter), { projection: { _id: 1 } });
        const found = await files.limit(BATCH).toArray();
        more = found.length === BATCH;
        await this.#bucket.remove(
          db,
          found.map(({ _id }) => _id),
        );
      });
    }
  }

  async *#replaced(): AsyncGenerator<unknown> {
    const stages = [
      { $match: this.#own(PUBLISHED) },
      { $group: { _id: '$filename', files: { $sum: 1 } } },
      { $match: { files: { $gt: 1 } } },
      { $limit: BATCH },
    ];
    for (let more = true; more; ) {
      yield await this.#run(async (db) => {
        const found = await this.#bucket.files(db).aggregate(stages, { allowDiskUse: true }).toArray();
        const removed = await this.#bucket.removeReplaced(
          db,
          found.map(({ _id }) => String(_id)),
        );
        more = found.length === BATCH && removed > 0;
      });
    }
  }

  async *#chunks(until: number): AsyncGenerator<unknown> {
    for (let after: ObjectId | undefined, more = true; more; ) {
      yield await this.#run(async (db) => {
        const ids = await this.#bucket.chunkedFiles(db, after, CHUNKS);
        after = ids.at(-1);
        more = after !== undefined;
        await this.#bucket.removeChunksWithoutFile(
          db,
          ids.filter((id) => id.getTimestamp().getTime() < until),
        );
      });
    }
  }

  #run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#connection.run('write', work);
  }

  #own(filter: Filter<Document>): Filter<StoredFile> {
    return { $and: [keysOf(this.#prefix, FIELDS.key), filter] } as Filter<StoredFile>;
  }
}

import type { Db, Document, Filter } from 'mongodb';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { batches } from '../concurrency.js';
import { summaryOf } from '../document-form.js';
import { countListed, fits } from '../entry-query.js';
import { MongoConnection, type MongoConnectionOptions } from '../mongodb/connection.js';
import { conditions, counted, DIRECT, keysOf } from '../mongodb/filters.js';
import { DEFAULT_COLLECTION } from '../mongodb/index.js';
import { InvalidationOrder } from '../mongodb/invalidation-order.js';
import { MongoLeases } from '../mongodb/leases.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';
import { Bucket, FIELDS, isCountedFile, PUBLISHED, type StoredFile } from './bucket.js';
import { FileWrites } from './file-writes.js';
import { Remains } from './remains.js';

export interface GridFSStoreOptions extends MongoConnectionOptions {
  /**
   * Name of the bucket. Default: `'responses_v1'`.
   *
   * @example
   * new GridFSCache({ bucket: 'reports' });
   */
  readonly bucket?: string | undefined;
  /** Seconds that an entry is kept after it expired. Default: forever. */
  readonly retention?: number | undefined;
}

/** Files that are listed or deleted at once. */
const BATCH = 200;

/**
 * Entries in GridFS, in a bucket of their own: bodies of any size as files, heads as the metadata of the files. The
 * operations of @keyv/mongo are not used: they keep every revision, delete one of them, and read bytes as text.
 *
 * A file is pending until the store has looked for invalidations (docs/decisions/0021). Each write is a file of its own
 * with a higher revision; the writer then deletes lower ones.
 */
export class GridFSStore implements Store {
  readonly name = 'gridfs';
  readonly #connection: MongoConnection;
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #leases: MongoLeases;
  readonly #order: InvalidationOrder;
  readonly #writes: FileWrites;
  readonly #sweep: RetentionSweep;
  readonly #remains: Remains;

  constructor(cacheName: string, options: GridFSStoreOptions, now: () => number) {
    const name = options.bucket ?? DEFAULT_COLLECTION;
    this.#prefix = `${cacheName}:`;
    this.#sweep = new RetentionSweep(options.retention, now);
    this.#bucket = new Bucket(name);
    this.#leases = new MongoLeases(name, this.#prefix);
    this.#order = new InvalidationOrder(name, this.#prefix);
    this.#writes = new FileWrites(this.#bucket, this.#order, this.#prefix, now);
    this.#connection = new MongoConnection(cacheName, options, async (db) => {
      await this.#bucket.prepare(db);
      await this.#leases.prepare(db);
      await this.#order.prepare(db);
    });
    this.#remains = new Remains(this.#connection, this.#bucket, this.#leases, this.#prefix, now);
  }

  get location(): string | undefined {
    return this.#connection.location;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#connection.run('read', (db) => this.#bucket.read(db, id, this.#prefix + id));
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    const stored = await this.#connection.run('write', (db) => this.#writes.put(db, entries));
    this.#sweep.start((until) => this.deleteExpired(until));
    this.#remains.start();
    return stored;
  }

  replace(entry: Entry, replacement: Entry): Promise<boolean> {
    return this.#connection.run('write', (db) => this.#writes.replace(db, entry, replacement));
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#delete(ids, (batch) => ({
      $or: [this.#filenames(batch), { ...this.#all(), 'metadata.group': { $in: batch } }],
    }));
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#delete(ids, (batch) => this.#filenames(batch));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const filter = { ...PUBLISHED, ...conditions(query, this.#prefix, FIELDS) };
    for (let after: string | undefined = this.#prefix; after !== undefined; ) {
      const range = { filename: { ...this.#all().filename, $gt: after } };
      const page: readonly StoredFile[] = await this.#connection.run('read', (db) =>
        this.#bucket
          .files(db)
          .find({ $and: [range, filter] } as Filter<StoredFile>)
          .sort({ filename: 1, 'metadata.revision': -1 })
          .limit(BATCH)
          .toArray(),
      );
      let last: string | undefined;
      for (const { filename, length, metadata } of page) {
        // The highest revision of a name comes first.
        if (filename === last) continue;
        last = filename;
        const summary = summaryOf(filename.slice(this.#prefix.length), { size: length, ...metadata });
        if (fits(summary, query)) yield summary;
      }
      after = page.length < BATCH ? undefined : last;
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    // Only the head shows whether an entry can be read.
    if (query.kind === 'unknown') return countListed(this.list(query), query);
    const kind = query.kind === undefined ? counted(FIELDS) : {};
    const filter = { $and: [this.#all(), PUBLISHED, conditions(query, this.#prefix, FIELDS), kind] };
    const stages = [{ $match: filter }, { $group: { _id: '$filename' } }, { $count: 'number' }];
    return this.#connection.run('read', async (db) => {
      const [counted] = await this.#bucket.files(db).aggregate(stages, { allowDiskUse: true }).toArray();
      return Number(counted?.number ?? 0);
    });
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    const kind = { $in: [...DIRECT, 'redirect'] };
    const expired = { ...PUBLISHED, 'metadata.kind': kind, 'metadata.staleAt': { $lte: now } };
    // A file that an expired one replaced must not count again.
    yield* this.#deletePages(expired, (db, filenames) => this.#bucket.removeReplaced(db, filenames));
  }

  clear(): AsyncIterable<unknown> {
    return this.#deletePages({});
  }

  acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#connection.run('write', (db) => this.#leases.acquire(db, name, holder, seconds));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#connection.run('write', (db) => this.#leases.release(db, name, holder));
  }

  currentOrder(): Promise<number> {
    return this.#connection.run('read', (db) => this.#order.current(db));
  }

  async invalidate(names: readonly string[]): Promise<void> {
    const order = await this.#connection.run('write', (db) => this.#order.record(db, names));
    const either = [
      { 'metadata.indexes': { $in: names } },
      { 'metadata.group': { $in: names } },
      this.#filenames(names),
    ];
    const steps = this.#deletePages({
      'metadata.pending': { $exists: true },
      'metadata.order': { $lt: order },
      ...(names.length === 0 ? {} : { $or: either }),
    });
    for await (const _ of steps);
  }

  /** Bytes of the bucket's files and chunks. */
  size(): Promise<number> {
    return this.#connection.run('read', (db) => this.#bucket.size(db));
  }

  async ready(): Promise<void> {
    await this.#connection.run('read', (db) => db.command({ ping: 1 }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#sweep.settled(), this.#remains.stop()]);
    await this.#connection.close();
  }

  #all(): Filter<Document> {
    return keysOf(this.#prefix, 'filename');
  }

  #filenames(ids: readonly string[]): Filter<Document> {
    return { filename: { $in: ids.map((id) => this.#prefix + id) } };
  }

  async #delete(ids: readonly string[], filter: (batch: readonly string[]) => Filter<Document>): Promise<number> {
    let deleted = 0;
    for (const batch of batches(ids, BATCH)) {
      for await (const number of this.#deletePages({ $and: [filter(batch), PUBLISHED] })) deleted += number;
    }
    return deleted;
  }

  /**
   * Deletes the cache's files that meet a filter, page by page; yields the number of entries that counts include.
   *
   * @param before called with the names of the files of each page before they are deleted
   */
  async *#deletePages(
    filter: Filter<Document>,
    before?: (db: Db, filenames: readonly string[]) => Promise<unknown>,
  ): AsyncGenerator<number> {
    for (let more = true; more; ) {
      yield await this.#connection.run('write', async (db) => {
        const found = await this.#bucket
          .files(db)
          .find({ $and: [this.#all(), filter] } as Filter<StoredFile>, {
            projection: { filename: 1, 'metadata.kind': 1 },
          })
          .limit(BATCH)
          .toArray();
        more = found.length === BATCH;
        await before?.(db, [...new Set(found.map(({ filename }) => filename))]);
        // One revision of each name is counted.
        const byName = new Map(found.filter(isCountedFile).map((file) => [file.filename, file]));
        const representatives = new Set(byName.values());
        const deleted = await this.#bucket.remove(
          db,
          [...representatives].map(({ _id }) => _id),
        );
        // A file that is gone may have been replaced by one that was not found.
        more ||= deleted < representatives.size;
        await this.#bucket.remove(
          db,
          found.flatMap((file) => (representatives.has(file) ? [] : [file._id])),
        );
        return deleted;
      });
    }
  }
}

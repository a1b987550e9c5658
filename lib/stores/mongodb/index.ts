import type { Collection, Db, Document, Filter } from 'mongodb';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { bufferOf } from '../../platform/bytes.js';
import { batches } from '../concurrency.js';
import { entryOf, fieldsOf, summaryOf } from '../document-form.js';
import { countListed, fits } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import type { Access } from '../store-failure.js';
import { packSummary } from '../stored-form.js';
import { MongoConnection, type MongoConnectionOptions } from './connection.js';
import { conditions, counted, DIRECT, type FieldNames, indexesOf, keysOf } from './filters.js';
import { InvalidationOrder } from './invalidation-order.js';
import { MongoLeases } from './leases.js';
import { type NewDocument, PendingWrite, PUBLISHED, withdraw } from './pending-write.js';
import { MAX_ENTRY } from './traits.js';

export interface MongoStoreOptions extends MongoConnectionOptions {
  /**
   * Name of the collection. Default: `'responses_v1'`.
   *
   * @example
   * new MongoCache({ collection: 'reports' });
   */
  readonly collection?: string | undefined;
  /** Seconds that an entry is kept after it expired; the server then deletes it. Default: forever. */
  readonly retention?: number | undefined;
}

export const DEFAULT_COLLECTION = 'responses_v1';
/** Documents that are listed or deleted by one command. */
const BATCH = 200;

const FIELDS: FieldNames = { key: 'key', entry: 'value' };
const INDEXES = [
  { key: { key: 1 }, unique: true },
  { key: { expiresAt: 1 }, expireAfterSeconds: 0 },
  ...indexesOf(FIELDS),
  // Of documents that are being written alone.
  { key: { 'next.token': 1 }, sparse: true },
] as const;

/**
 * Entries in MongoDB, in @keyv/mongo's form of a document, with head and body as fields of the value: a listing reads no
 * bodies, and group, secondary index and expiry have indexes.
 *
 * A write is pending, in the field `next`, until the store has looked for invalidations; it then replaces `value` at once
 * (docs/decisions/0021).
 */
export class MongoStore implements Store {
  readonly name = 'mongodb';
  readonly maxEntrySize = MAX_ENTRY;
  readonly #connection: MongoConnection;
  readonly #collection: string;
  readonly #prefix: string;
  readonly #retention: number;
  readonly #leases: MongoLeases;
  readonly #order: InvalidationOrder;
  readonly #now: () => number;

  constructor(cacheName: string, options: MongoStoreOptions, now: () => number) {
    this.#collection = options.collection ?? DEFAULT_COLLECTION;
    this.#prefix = `${cacheName}:`;
    this.#retention = (options.retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
    this.#leases = new MongoLeases(this.#collection, this.#prefix);
    this.#order = new InvalidationOrder(this.#collection, this.#prefix);
    this.#connection = new MongoConnection(cacheName, options, async (db) => {
      await this.#in(db).createIndexes([...INDEXES]);
      await this.#leases.prepare(db);
      await this.#order.prepare(db);
    });
  }

  get location(): string | undefined {
    return this.#connection.location;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#run('read', async (collection) => {
      const document = await collection.findOne(
        { key: this.#prefix + id },
        { projection: { value: 1, unpublished: 1 } },
      );
      return document && document.unpublished === undefined ? entryOf(id, document.value) : undefined;
    });
  }

  put(entries: readonly Entry[]): Promise<boolean> {
    return this.#run('write', async (collection, db) => {
      const write = new PendingWrite(
        collection,
        entries.map((entry) => this.#documentOf(entry)),
      );
      await write.begin();
      if (await this.#order.isOutOfDate(db, entries)) {
        await write.withdraw();
        return false;
      }
      // A missing document was replaced by another writer, or deleted by an invalidation.
      return (await write.publish()) || !(await this.#order.isOutOfDate(db, entries));
    });
  }

  replace(entry: Entry, replacement: Entry): Promise<boolean> {
    const { key, expiresAt } = this.#documentOf(replacement);
    const value = { ...fieldsOf(replacement), order: replacement.order, body: bufferOf(replacement.body) };
    return this.#run('write', async (collection) => {
      const unchanged = { key, 'value.head': packSummary(entry), ...PUBLISHED };
      return (await collection.updateOne(unchanged, { $set: { value, expiresAt } })).matchedCount > 0;
    });
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#delete(ids, (batch) => ({
      $or: [this.#keys(batch), { ...this.#all(), 'value.group': { $in: batch } }],
    }));
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#delete(ids, (batch) => this.#keys(batch));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const filter = { ...PUBLISHED, ...conditions(query, this.#prefix, FIELDS) };
    for await (const page of this.#pages(filter, { 'value.body': 0, next: 0 })) {
      for (const { key, value } of page) {
        const summary = summaryOf(key.slice(this.#prefix.length), value);
        if (fits(summary, query)) yield summary;
      }
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    // Only the head shows whether an entry can be read.
    if (query.kind === 'unknown') return countListed(this.list(query), query);
    const kind = query.kind === undefined ? counted(FIELDS) : {};
    const filter = { $and: [this.#all(), PUBLISHED, conditions(query, this.#prefix, FIELDS), kind] };
    return this.#run('read', (collection) => collection.countDocuments(filter));
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    const kind = { $in: [...DIRECT, 'redirect'] };
    const expired = { ...this.#all(), 'value.kind': kind, 'value.staleAt': { $lte: now } };
    for (let more = true; more; ) {
      yield await this.#run('write', async (collection) => {
        const page = collection
          .find(expired, { projection: { _id: 1 } })
          .sort({ 'value.staleAt': 1 })
          .limit(BATCH);
        const found = (await page.toArray()).map(({ _id }) => _id);
        more = found.length === BATCH;
        return deleteCounting(collection, { _id: { $in: found }, ...expired });
      });
    }
  }

  async *clear(): AsyncGenerator<unknown> {
    for await (const page of this.#pages({}, { key: 1 })) {
      const key = { $in: page.map((document) => document.key) };
      yield await this.#run('write', (collection) => collection.deleteMany({ key }));
    }
  }

  acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#run('write', (_, db) => this.#leases.acquire(db, name, holder, seconds));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#run('write', (_, db) => this.#leases.release(db, name, holder));
  }

  currentOrder(): Promise<number> {
    return this.#run('read', (_, db) => this.#order.current(db));
  }

  invalidate(names: readonly string[]): Promise<void> {
    return this.#run('write', async (collection, db) => {
      const order = await this.#order.record(db, names);
      const either = [{ 'next.indexes': { $in: names } }, { 'next.group': { $in: names } }, this.#keys(names)];
      const own = names.length === 0 ? {} : { $or: either };
      await withdraw(collection, {
        ...this.#all(),
        'next.token': { $exists: true },
        'next.order': { $lt: order },
        ...own,
      });
    });
  }

  /** Bytes of the collection's documents. */
  size(): Promise<number> {
    return this.#run('read', async (_, db) => Number((await db.command({ collStats: this.#collection })).size ?? 0));
  }

  async ready(): Promise<void> {
    await this.#connection.run('read', (db) => db.command({ ping: 1 }));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #run<T>(access: Access, work: (collection: Collection<Document>, db: Db) => Promise<T>): Promise<T> {
    return this.#connection.run(access, (db) => work(this.#in(db), db));
  }

  #in(db: Db): Collection<Document> {
    return db.collection(this.#collection, { promoteBuffers: true, enableUtf8Validation: false });
  }

  #all(): Filter<Document> {
    return keysOf(this.#prefix, 'key');
  }

  #keys(ids: readonly string[]): Filter<Document> {
    return { key: { $in: ids.map((id) => this.#prefix + id) } };
  }

  #documentOf(entry: Entry): NewDocument {
    const kept = entry.staleAt + this.#retention;
    // Only a duration is taken from the store's clock, which tests replace.
    const expiresAt = Number.isFinite(kept) ? new Date(Date.now() + kept - this.#now()) : null;
    return { key: this.#prefix + entry.id, entry, expiresAt };
  }

  /**
   * Yields the cache's documents that meet a filter, in the order of their keys. Pages rather than one cursor: the
   * reader's own writes would disturb a cursor, and a pause of the reader would end it.
   */
  async *#pages(filter: Filter<Document>, projection: Document): AsyncGenerator<readonly Document[]> {
    for (let after: string | undefined = this.#prefix; after !== undefined; ) {
      const range = { key: { ...this.#all().key, $gt: after } };
      const page: readonly Document[] = await this.#run('read', (collection) =>
        collection
          .find({ $and: [range, filter] }, { projection })
          .sort({ key: 1 })
          .limit(BATCH)
          .toArray(),
      );
      yield page;
      after = page.length < BATCH ? undefined : page.at(-1)?.key;
    }
  }

  #delete(ids: readonly string[], filter: (batch: readonly string[]) => Filter<Document>): Promise<number> {
    return this.#run('write', async (collection) => {
      let deleted = 0;
      for (const batch of batches(ids, BATCH)) deleted += await deleteCounting(collection, filter(batch));
      return deleted;
    });
  }
}

/** Deletes documents; resolves to the number of those that counts include. */
async function deleteCounting(collection: Collection<Document>, filter: Filter<Document>): Promise<number> {
  const { deletedCount } = await collection.deleteMany({ $and: [filter, counted(FIELDS)] });
  await collection.deleteMany(filter);
  return deletedCount;
}

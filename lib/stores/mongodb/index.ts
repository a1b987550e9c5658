import type { Collection, Document, Filter } from 'mongodb';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { bytes, entryOf, fieldsOf, summaryOf } from '../document-form.js';
import { batches, countListed, fits, putInTurn } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import { MongoConnection, type MongoConnectionOptions } from './connection.js';

export interface MongoStoreOptions extends MongoConnectionOptions {
  /** Default: `'responses'`, or the cache's name where a database is given. */
  readonly collection?: string | undefined;
  /** Seconds that an entry is kept after it expired; the server then lets it go. Default: for ever. */
  readonly retention?: number | undefined;
}

/** Documents that are dropped, or looked at, with one command. */
const BATCH = 500;
/** MongoDB takes documents of 16 MB; what is beside the entry's bytes needs little. */
const MAX_DOCUMENT = 16 * 1024 * 1024 - 16 * 1024;
const NOT_COUNTED = ['variants', 'redirect'];

/**
 * Entries in MongoDB, through @keyv/mongo's connection and in its documents, with head and body as fields of the value:
 * what is listed needs no body, and expiry, group and URL have indexes.
 */
export class MongoStore implements Store {
  readonly name = 'mongodb';
  readonly maxEntrySize = MAX_DOCUMENT;
  readonly #connection: MongoConnection;
  readonly #collection: string;
  readonly #prefix: string;
  readonly #retention: number;
  readonly #now: () => number;

  constructor(cacheName: string, options: MongoStoreOptions, now: () => number) {
    this.#collection = options.collection ?? (options.database === undefined ? 'responses' : cacheName);
    this.#prefix = `${cacheName}:`;
    this.#retention = (options.retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
    const adapter = { collection: this.#collection, useGridFS: false };
    this.#connection = new MongoConnection(cacheName, options, adapter, async ({ db }) => {
      const collection = db.collection(this.#collection);
      await collection.createIndex({ key: 1 }, { unique: true });
      await collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
      for (const field of ['staleAt', 'group', 'indexes']) await collection.createIndex({ [`value.${field}`]: 1 });
    });
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#run(async (collection) => {
      const document = await collection.findOne({ key: this.#prefix + id });
      return document ? entryOf(id, document.value) : undefined;
    });
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  #putOne(entry: Entry): Promise<void> {
    return this.#run(async (collection) => {
      const kept = entry.staleAt + this.#retention;
      const key = this.#prefix + entry.id;
      const document = {
        key,
        value: { ...fieldsOf(entry), body: bytes(entry.body) },
        // By the server's clock rather than ours: only the length of time is told.
        expiresAt: Number.isFinite(kept) ? new Date(Date.now() + kept - this.#now()) : null,
      };
      await collection.replaceOne({ key }, document, { upsert: true });
    });
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#remove(ids, (batch) => ({
      $or: [this.#keys(batch), { ...this.#all(), 'value.group': { $in: batch } }],
    }));
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#remove(ids, (batch) => this.#keys(batch));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const filter = { ...this.#all(), ...conditions(query, this.#prefix, 'key', 'value.') };
    let after = '';
    for (;;) {
      // In pages rather than by one cursor, which the reader's own writes would disturb and a pause would end.
      const page = await this.#run((collection) =>
        collection
          .find(after === '' ? filter : { $and: [filter, { key: { $gt: after } }] }, {
            projection: { 'value.body': 0 },
          })
          .sort({ key: 1 })
          .limit(BATCH)
          .toArray(),
      );
      for (const document of page) {
        const summary = this.#summary(document);
        if (fits(summary, query)) yield summary;
      }
      const last = page.at(-1);
      if (!last || page.length < BATCH) return;
      after = last.key;
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    if (query.kind !== undefined) return countListed(this.list(query), query);
    const filter = { ...this.#all(), ...conditions(query, this.#prefix, 'key', 'value.'), ...COUNTED };
    return this.#run((collection) => collection.countDocuments(filter));
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    yield await this.#run(async (collection) => {
      const expired = { ...this.#all(), 'value.staleAt': { $lte: now } };
      const { deletedCount } = await collection.deleteMany({ ...expired, 'value.kind': 'response' });
      await collection.deleteMany(expired);
      return deletedCount;
    });
  }

  async *clear(): AsyncGenerator<unknown> {
    yield await this.#run((collection) => collection.deleteMany(this.#all()));
  }

  acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    const now = this.#now();
    return this.#connection.claim(this.#prefix + name, holder, new Date(now + seconds * 1000), new Date(now));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#connection.release(this.#prefix + name, holder);
  }

  async ready(): Promise<void> {
    await this.#connection.run(({ db }) => db.command({ ping: 1 }));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #run<T>(work: (collection: Collection<Document>) => Promise<T>): Promise<T> {
    return this.#connection.run(({ db }) => work(db.collection(this.#collection, { promoteBuffers: true })));
  }

  /** Every key that begins with the cache's name, by a range that the index serves. */
  #all(): Filter<Document> {
    return keysOf(this.#prefix, 'key');
  }

  #keys(ids: readonly string[]): Filter<Document> {
    return { key: { $in: ids.map((id) => this.#prefix + id) } };
  }

  #remove(ids: readonly string[], filter: (batch: readonly string[]) => Filter<Document>): Promise<number> {
    return this.#run(async (collection) => {
      let removed = 0;
      for (const batch of batches(ids, BATCH)) {
        removed += (await collection.deleteMany({ $and: [filter(batch), COUNTED] })).deletedCount;
        await collection.deleteMany(filter(batch));
      }
      return removed;
    });
  }

  #summary({ key, value }: Document): EntrySummary {
    return summaryOf(String(key).slice(this.#prefix.length), value);
  }
}

/** What counts are of: responses, and what may have been one. */
const COUNTED: Filter<Document> = { 'value.kind': { $nin: NOT_COUNTED } };

/** Every name that begins with a prefix, by a range that an index serves; the prefix ends with a colon. */
export function keysOf(prefix: string, field: string): Filter<Document> {
  return { [field]: { $gte: prefix, $lt: `${prefix.slice(0, -1)};` } };
}

/** A query as MongoDB's filter: what it lets through may still have to be looked at. */
export function conditions(query: EntryQuery, prefix: string, key: string, path: string): Filter<Document> {
  const { kind, group, index, staleBy, freshAt, receivedBefore } = query;
  const terms: Filter<Document>[] = [];
  if (kind !== undefined && kind !== 'unknown') terms.push({ [`${path}kind`]: kind });
  if (group !== undefined) terms.push({ $or: [{ [`${path}group`]: group }, { [key]: prefix + group }] });
  if (index !== undefined) terms.push({ [`${path}indexes`]: index });
  if (staleBy !== undefined) terms.push({ [`${path}staleAt`]: { $lte: staleBy } });
  if (freshAt !== undefined) terms.push({ [`${path}staleAt`]: { $gt: freshAt } });
  if (receivedBefore !== undefined) terms.push({ [`${path}receivedAt`]: { $lt: receivedBefore } });
  return terms.length === 0 ? {} : { $and: terms };
}

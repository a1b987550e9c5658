import type { Document, Filter, GridFSBucket, ObjectId } from 'mongodb';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { bytes, entryOf, fieldsOf, summaryOf } from '../document-form.js';
import { counts, fits, mapConcurrently, putInTurn, withMembers } from '../entry-query.js';
import { MongoConnection, type MongoConnectionOptions } from '../mongodb/connection.js';
import { conditions, keysOf } from '../mongodb/index.js';
import { deleteExpiredOneByOne, RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';

export interface GridFSStoreOptions extends MongoConnectionOptions {
  /** Default: `'responses'`, or the cache's name where a database is given. */
  readonly bucket?: string | undefined;
  /** Seconds that an entry is kept after it expired. Default: for ever. */
  readonly retention?: number | undefined;
}

/** A document of the bucket's `files`. */
interface File extends Document {
  readonly _id: ObjectId;
  readonly filename: string;
  /** Bytes. */
  readonly length: number;
  readonly uploadDate: Date;
}

/** Newest first: of several revisions, only the first is there for readers. */
const NEWEST = { uploadDate: -1, _id: -1 } as const;
const BATCH = 500;

/**
 * Entries in GridFS, in a bucket of their own: bodies of any size as files, heads as the files' metadata. It works on
 * GridFSBucket over @keyv/mongo's connection, since the adapter's own operations keep every revision, delete one of them,
 * and read bytes as text.
 */
export class GridFSStore implements Store {
  readonly name = 'gridfs';
  readonly #connection: MongoConnection;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #sweep: RetentionSweep;

  constructor(cacheName: string, options: GridFSStoreOptions, now: () => number) {
    const collection = options.bucket ?? (options.database === undefined ? 'responses' : cacheName);
    this.#prefix = `${cacheName}:`;
    this.#now = now;
    this.#sweep = new RetentionSweep(options.retention, now);
    this.#connection = new MongoConnection(cacheName, options, { collection, useGridFS: true }, async ({ db }) => {
      const files = db.collection(`${collection}.files`);
      // Those of GridFS itself first: the driver looks for them before each upload.
      await files.createIndex({ filename: 1, uploadDate: 1 });
      await db.collection(`${collection}.chunks`).createIndex({ files_id: 1, n: 1 }, { unique: true });
      for (const field of ['staleAt', 'group', 'indexes']) await files.createIndex({ [`metadata.${field}`]: 1 });
    });
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#run(async (bucket) => {
      for (;;) {
        const [file] = await this.#revisions(bucket, id);
        if (!file) return undefined;
        const body = await download(bucket, file);
        // It was replaced meanwhile: there is a newer one, or none.
        if (body) return entryOf(id, { ...file.metadata, body });
      }
    });
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    await this.#run(async (bucket) => {
      const filename = this.#prefix + entry.id;
      const upload = bucket.openUploadStream(filename, { metadata: { ...fieldsOf(entry) } });
      await new Promise<void>((resolve, reject) => {
        upload.once('finish', resolve).once('error', reject);
        upload.end(bytes(entry.body));
      });
      const [newest, ...older] = await this.#revisions(bucket, entry.id);
      if (newest) for (const file of older) await remove(bucket, file._id);
    });
    this.#sweep.start((until) => deleteExpiredOneByOne(this, until));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#run(async (bucket) => {
      const dropped = await mapConcurrently(ids, async (id) => {
        const files = await this.#revisions(bucket, id);
        for (const file of files) await remove(bucket, file._id);
        return files[0] !== undefined && counts(summaryOf(id, files[0].metadata));
      });
      return dropped.filter(Boolean).length;
    });
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const filter = { ...this.#all(), ...conditions(query, this.#prefix, 'filename', 'metadata.') };
    let after = '';
    for (;;) {
      const page = await this.#run((bucket) => {
        const more: Filter<Document> = after === '' ? filter : { $and: [filter, { filename: { $gt: after } }] };
        return bucket
          .find(more as Parameters<GridFSBucket['find']>[0], { promoteBuffers: true })
          .sort({ filename: 1 })
          .limit(BATCH)
          .toArray();
      });
      for (const [index, { filename, metadata }] of page.entries()) {
        const repeated = filename === (index === 0 ? after : page[index - 1]?.filename);
        const summary = summaryOf(filename.slice(this.#prefix.length), metadata);
        if (!repeated && fits(summary, query)) yield summary;
      }
      const last = page.at(-1);
      if (!last || page.length < BATCH) return;
      after = last.filename;
    }
  }

  async *clear(): AsyncGenerator<unknown> {
    let found: number;
    do {
      found = await this.#run(async (bucket) => {
        const files = await bucket
          .find(this.#all() as Parameters<GridFSBucket['find']>[0])
          .limit(BATCH)
          .toArray();
        await mapConcurrently(files, ({ _id }) => remove(bucket, _id));
        return files.length;
      });
      yield;
    } while (found > 0);
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

  async close(): Promise<void> {
    await this.#sweep.settled();
    await this.#connection.close();
  }

  #run<T>(work: (bucket: GridFSBucket) => Promise<T>): Promise<T> {
    return this.#connection.run(({ bucket }) => work(bucket as GridFSBucket));
  }

  #all(): Filter<Document> {
    return keysOf(this.#prefix, 'filename');
  }

  #revisions(bucket: GridFSBucket, id: string): Promise<File[]> {
    return bucket
      .find({ filename: this.#prefix + id }, { promoteBuffers: true })
      .sort(NEWEST)
      .toArray();
  }
}

/** The file's bytes; undefined where it, or a part of it, is gone. The driver takes a file without chunks for an empty one. */
async function download(bucket: GridFSBucket, { _id, length }: File): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of bucket.openDownloadStream(_id)) chunks.push(chunk as Buffer);
  } catch (error) {
    if (/FileNotFound|ChunkIsMissing/.test(String((error as Error).message))) return undefined;
    throw error;
  }
  const body = Buffer.concat(chunks);
  return body.byteLength === length ? body : undefined;
}

/** Somebody else may have been quicker. */
async function remove(bucket: GridFSBucket, id: ObjectId): Promise<void> {
  await bucket.delete(id).catch((error: unknown) => {
    if (!/FileNotFound|File not found/.test(String((error as Error).message))) throw error;
  });
}

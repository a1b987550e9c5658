import type { Db, Document, GridFSBucket, MongoClient } from 'mongodb';
import { loadClient } from '../../platform/load-client.js';

export interface MongoConnectionOptions {
  /** `mongodb://` or `mongodb+srv://`. Default: `mongodb://127.0.0.1:27017`. */
  readonly url?: string | undefined;
  /** A connected client of your own, which stays yours to close. */
  readonly client?: object | undefined;
  /** What the driver's `MongoClient` takes, in its units (milliseconds). */
  readonly clientOptions?: object | undefined;
  /** Default: the cache's name. */
  readonly database?: string | undefined;
}

/** What @keyv/mongo's `connect` resolves to: a bucket with `useGridFS` alone. */
interface Connected {
  readonly mongoClient: MongoClient;
  readonly bucket?: GridFSBucket;
}

interface KeyvMongoModule {
  readonly KeyvMongo: new (
    options: object,
  ) => { readonly connect: Promise<Connected>; once(event: 'error', listener: (error: unknown) => void): unknown };
}

export interface Opened {
  readonly db: Db;
  /** Where the adapter was asked for one. */
  readonly bucket: GridFSBucket | undefined;
}

interface Lease extends Document {
  readonly _id: string;
  readonly holder: string;
  readonly until: Date;
}

const DUPLICATE_KEY = 11_000;
/** Milliseconds: what makes the driver fail fast where no server is. */
const FAIL_FAST = { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 };
/** Milliseconds after the last use: the driver's sockets can't be unref'ed, and would keep a process that is done. */
const IDLE = 1_000;

/**
 * The connection of @keyv/mongo, or a client of the user's. One of ours is opened on need and closed when idle.
 *
 * @keyv/mongo never settles its own promise where it cannot connect: only its `error` event tells.
 */
export class MongoConnection {
  readonly #options: MongoConnectionOptions;
  readonly #database: string;
  readonly #adapter: { readonly collection: string; readonly useGridFS: boolean };
  readonly #prepare: (opened: Opened) => Promise<void>;
  #opening: Promise<Opened> | undefined;
  #client: MongoClient | undefined;
  #prepared = false;
  #pending = 0;
  #idle: NodeJS.Timeout | undefined;

  /**
   * @param adapter what @keyv/mongo is told
   * @param prepare makes indexes, once
   */
  constructor(
    cacheName: string,
    options: MongoConnectionOptions,
    adapter: { readonly collection: string; readonly useGridFS: boolean },
    prepare: (opened: Opened) => Promise<void>,
  ) {
    this.#adapter = adapter;
    this.#options = options;
    this.#database = options.database ?? cacheName;
    this.#prepare = prepare;
  }

  async run<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    this.#pending += 1;
    clearTimeout(this.#idle);
    try {
      return await work(await this.#open());
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0 && this.#client) this.#idle = setTimeout(() => void this.close(), IDLE).unref();
    }
  }

  /** Takes or renews a lease, as `Store.claim`: the unique `_id` lets no second holder in. */
  claim(name: string, holder: string, until: Date, now: Date): Promise<boolean> {
    return this.run(async ({ db }) => {
      try {
        const mine = { _id: name, $or: [{ holder }, { until: { $lte: now } }] };
        await this.#leases(db).updateOne(mine, { $set: { holder, until } }, { upsert: true });
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === DUPLICATE_KEY) return false;
        throw error;
      }
    });
  }

  async release(name: string, holder: string): Promise<void> {
    await this.run(({ db }) => this.#leases(db).deleteOne({ _id: name, holder }));
  }

  #leases(db: Db) {
    return db.collection<Lease>(`${this.#adapter.collection}.leases`);
  }

  /** Closes a client of ours; the next use opens another. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const client = this.#client;
    this.#client = undefined;
    this.#opening = undefined;
    await client?.close();
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#connect().catch(async (error: unknown) => {
      await this.close();
      throw error;
    });
    return this.#opening;
  }

  async #connect(): Promise<Opened> {
    const own = this.#options.client as MongoClient | undefined;
    const opened = await (own ? this.#ofOwner(own) : this.#connectOurs());
    if (!this.#prepared) await this.#prepare(opened);
    this.#prepared = true;
    return opened;
  }

  async #ofOwner(client: MongoClient): Promise<Opened> {
    const db = client.db(this.#database);
    if (!this.#adapter.useGridFS) return { db, bucket: undefined };
    const driver = await loadClient<typeof import('mongodb')>('mongodb', 'backend "gridfs" with a client of your own');
    return { db, bucket: new driver.GridFSBucket(db, { bucketName: this.#adapter.collection }) };
  }

  async #connectOurs(): Promise<Opened> {
    const { KeyvMongo } = await loadClient<KeyvMongoModule>('@keyv/mongo', 'backends "mongodb" and "gridfs"');
    const { url, clientOptions } = this.#options;
    const named = { db: this.#database, ...(url === undefined ? {} : { url }) };
    const adapter = new KeyvMongo({ ...FAIL_FAST, ...clientOptions, ...named, ...this.#adapter });
    const { mongoClient, bucket } = await new Promise<Connected>((resolve, reject) => {
      adapter.once('error', reject);
      adapter.connect.then(resolve);
    });
    this.#client = mongoClient;
    return { db: mongoClient.db(this.#database), bucket };
  }
}

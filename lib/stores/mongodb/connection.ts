import type { Db, MongoClient } from 'mongodb';
import { loadBeneath } from '../../platform/load-client.js';
import { monotonicNow, type RealTimer, startTimer, stopTimer } from '../../platform/real-time.js';
import type { Access } from '../store-failure.js';
import { classified } from './failures.js';
import { DEFAULT_URL, mongoLocation } from './traits.js';

export interface MongoConnectionOptions {
  /**
   * URL of the server, `mongodb://` or `mongodb+srv://`. Default: `mongodb://127.0.0.1:27017`.
   *
   * @example
   * new MongoCache({ url: 'mongodb+srv://cluster.example.org' });
   */
  readonly url?: string | undefined;
  /**
   * A connected `MongoClient` of the user, which the user closes. Default: a client that the store opens and closes.
   *
   * @example
   * const client = {}; // a MongoClient
   * new MongoCache({ client });
   */
  readonly client?: object | undefined;
  /**
   * Options of the driver's `MongoClient`, in its units (milliseconds). Default: `{}`.
   *
   * @example
   * new MongoCache({ clientOptions: { connectTimeoutMS: 2_000 } });
   */
  readonly clientOptions?: object | undefined;
  /**
   * Name of the database, which several caches can share. Default: `cacheName`.
   *
   * @example
   * new MongoCache({ database: 'production', collection: 'reports' });
   */
  readonly database?: string | undefined;
}

interface Opened {
  readonly db: Db;
  readonly close: () => Promise<void>;
  /** Settles when the indexes exist; set by a write. */
  prepared?: Promise<void> | undefined;
  /** Milliseconds by the monotonic clock. */
  preparedAt?: number;
}

type Driver = typeof import('mongodb');

/** Milliseconds. The driver's own defaults wait 30 s for a server that does not exist. */
const FAIL_FAST = { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 };
/** Milliseconds after the last use: the driver's sockets cannot be unref'ed and would keep a finished process alive. */
const IDLE = 1_000;
/** Milliseconds after which a write creates the indexes again: the database may have been replaced meanwhile. */
const PREPARED = 60_000;

/**
 * A connection by the driver of @keyv/mongo, or by a client of the caller. The store's own client is opened on demand and
 * closed when idle.
 *
 * The adapter's own connection is not used: it never settles if the server cannot be reached, and it keeps a connected
 * client, which nothing can close, if the server refuses its indexes (docs/decisions/0010).
 */
export class MongoConnection {
  readonly #options: MongoConnectionOptions;
  readonly #database: string;
  readonly #prepare: (db: Db) => Promise<void>;
  #opening: Promise<Opened> | undefined;
  #pending = 0;
  #idle: RealTimer | undefined;

  /** @param prepare creates the indexes if they do not exist; called before writes, once a minute at most */
  constructor(cacheName: string, options: MongoConnectionOptions, prepare: (db: Db) => Promise<void>) {
    this.#options = options;
    this.#database = options.database ?? cacheName;
    this.#prepare = prepare;
  }

  /** URL with hosts and database, without credentials; undefined for a client of the caller. */
  get location(): string | undefined {
    return mongoLocation(this.#database, this.#options);
  }

  /**
   * Runs commands on the database.
   *
   * @param access `write` creates the indexes first, and decides how a failure is classified
   * @throws StoreFailure
   */
  async run<T>(access: Access, work: (db: Db) => Promise<T>): Promise<T> {
    this.#pending += 1;
    stopTimer(this.#idle);
    try {
      const opened = await this.#open();
      if (access === 'write') await this.#prepared(opened);
      return await work(opened.db);
    } catch (error) {
      throw classified(error, access);
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) this.#closeWhenIdle();
    }
  }

  /** Closes the store's own client; the next use opens another. */
  async close(): Promise<void> {
    stopTimer(this.#idle);
    const opening = this.#opening;
    this.#opening = undefined;
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }

  #closeWhenIdle(): void {
    if (this.#options.client || !this.#opening) return;
    this.#idle = startTimer(IDLE, () => void this.close().catch(() => {}));
  }

  #open(): Promise<Opened> {
    if (!this.#opening) {
      const opening = this.#connect();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  #prepared(opened: Opened): Promise<void> {
    const now = monotonicNow();
    if (!opened.prepared || now - (opened.preparedAt ?? 0) > PREPARED) {
      const prepared = this.#prepare(opened.db);
      opened.prepared = prepared;
      opened.preparedAt = now;
      // The next write tries again.
      prepared.catch(() => {
        opened.prepared = undefined;
      });
    }
    return opened.prepared;
  }

  async #connect(): Promise<Opened> {
    const { client, clientOptions, url = DEFAULT_URL } = this.#options;
    if (client) return { db: (client as MongoClient).db(this.#database), close: async () => {} };
    const { MongoClient } = await loadBeneath<Driver>('@keyv/mongo', 'mongodb', 'the connection to MongoDB');
    const own = new MongoClient(url, { ...FAIL_FAST, ...clientOptions });
    try {
      await own.connect();
    } catch (error) {
      await own.close().catch(() => {});
      throw error;
    }
    return { db: own.db(this.#database), close: () => own.close() };
  }
}

import { CacheError } from '../../errors.js';
import { type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { monotonicNow } from '../../platform/real-time.js';
import { StoreFailure } from '../store-failure.js';
import { loadDriver, type SqliteDriverName } from './choose-driver.js';
import type { SqliteConnection, SqliteDriver, Work } from './driver.js';
import { isConnectionReadOnly, sqliteFailure } from './failures.js';
import type { DatabaseFile } from './file.js';
import { driverInUse, registerConnection } from './open-files.js';

/** The tables that a file has to have. */
export interface Schema {
  /** A query that finds a row if the tables are there. */
  readonly exists: string;
  readonly create: Work<void>;
  /** Prepares a connection that can write. */
  onOpen?(connection: SqliteConnection): MaybePromise<unknown>;
}

export interface DatabaseOptions {
  readonly driver: SqliteDriverName | undefined;
  /** Milliseconds. */
  readonly busyTimeout: number;
  readonly fastSave: boolean;
}

/** Milliseconds between two looks at the file on reads, and between two attempts to get a writable connection. */
const INTERVAL = 1000;

/** The connection to a file, which is opened on first use and again when the file was deleted or replaced. */
export class Database {
  readonly #file: DatabaseFile;
  readonly #options: DatabaseOptions;
  readonly #schema: Schema;
  #connection: SqliteConnection | undefined;
  #opening: Promise<SqliteConnection> | undefined;
  #isEnded = false;
  #identity: string | undefined;
  #checkedAt = 0;
  /** Why the connection cannot write, for a file on a read-only or full medium. */
  #refusal: unknown;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor(file: DatabaseFile, options: DatabaseOptions, schema: Schema) {
    this.#file = file;
    this.#options = options;
    this.#schema = schema;
  }

  /** Reads; looks at most once a second whether the file is still the one that was opened. */
  read<T>(work: (connection: SqliteConnection) => MaybePromise<T>): MaybePromise<T> {
    const now = monotonicNow();
    if (now - this.#checkedAt > INTERVAL) this.#check(now);
    return this.#use(work, 'read');
  }

  /** Writes, after a look whether the file is still the one that was opened. */
  write<T>(work: (connection: SqliteConnection) => MaybePromise<T>): MaybePromise<T> {
    const now = monotonicNow();
    this.#check(now);
    if (this.#refusal !== undefined) {
      if (now - this.#refusedAt < INTERVAL) throw new StoreFailure('refusal', this.#refusal);
      this.#drop();
    }
    return this.#use(work, 'write');
  }

  /** Opens the file for writing. */
  async openForWriting(): Promise<void> {
    await this.#open();
    if (this.#refusal !== undefined) throw new StoreFailure('refusal', this.#refusal);
  }

  /** Removes the file and creates a new one. */
  async replace(): Promise<void> {
    await this.close();
    try {
      this.#file.remove();
    } catch (error) {
      throw sqliteFailure(error, 'write');
    }
    await this.#open();
  }

  /** Closes the connection for good, after a last write if it is open. Whatever follows rejects. */
  async end(lastWrite: (connection: SqliteConnection) => MaybePromise<unknown>): Promise<void> {
    const connection = this.#connection;
    this.#isEnded = true;
    try {
      if (connection) await lastWrite(connection);
    } catch {
      // The record of the write is lost.
    }
    await this.close();
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#connection = undefined;
    this.#refusal = undefined;
    await (await opening?.catch(() => undefined))?.close();
  }

  #use<T>(work: (connection: SqliteConnection) => MaybePromise<T>, doing: 'read' | 'write'): MaybePromise<T> {
    const connection = this.#connection;
    if (!connection) return this.#useOpened(work, doing);
    return recover(
      () => work(connection),
      (error) => {
        throw this.#failed(error, doing, connection);
      },
    );
  }

  async #useOpened<T>(work: (connection: SqliteConnection) => MaybePromise<T>, doing: 'read' | 'write'): Promise<T> {
    const connection = await this.#open();
    if (doing === 'write' && this.#refusal !== undefined) throw new StoreFailure('refusal', this.#refusal);
    try {
      return await work(connection);
    } catch (error) {
      throw this.#failed(error, doing, connection);
    }
  }

  #failed(error: unknown, doing: 'read' | 'write', connection: SqliteConnection): Error {
    const failure = sqliteFailure(error, doing);
    const isBroken = failure instanceof StoreFailure && failure.kind === 'outage';
    // A new connection may see the file in a better state.
    if (this.#connection === connection && isBroken) this.#drop();
    else if (this.#connection === connection && isConnectionReadOnly(failure)) this.#refuse(error);
    return failure;
  }

  #refuse(error: unknown): void {
    this.#refusal = error;
    this.#refusedAt = monotonicNow();
  }

  #check(now: number): void {
    this.#checkedAt = now;
    if (this.#connection && this.#file.identity() !== this.#identity) this.#drop();
  }

  /** The next use opens the file anew. */
  #drop(): void {
    this.close().catch(() => {});
  }

  #open(): Promise<SqliteConnection> {
    if (this.#opening) return this.#opening;
    if (this.#isEnded) return Promise.reject(new CacheError('ERR_CACHE_CLOSED', 'the store was closed'));
    const opening: Promise<SqliteConnection> = this.#connect().then(
      ({ connection, identity, refusal }) => {
        if (this.#opening === opening) {
          this.#connection = connection;
          this.#identity = identity;
          this.#refusal = undefined;
          if (refusal !== undefined) this.#refuse(refusal);
        }
        return connection;
      },
      (error: unknown) => {
        if (this.#opening === opening) this.#opening = undefined;
        throw sqliteFailure(error, 'open');
      },
    );
    this.#opening = opening;
    return opening;
  }

  async #connect(): Promise<{ connection: SqliteConnection; identity: string | undefined; refusal?: unknown }> {
    let obstacle: unknown;
    try {
      this.#file.create();
    } catch (error) {
      obstacle = error;
    }
    const identity = this.#file.identity();
    if (identity === undefined) throw obstacle;
    const driver = await loadDriver(this.#options.driver ?? driverInUse(identity));
    const release = this.#file.isInMemory ? () => {} : registerConnection(identity, driver.name);
    try {
      const opened = await this.#connectOver(driver);
      return { ...opened, connection: releasing(opened.connection, release), identity };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #connectOver(driver: SqliteDriver): Promise<{ connection: SqliteConnection; refusal?: unknown }> {
    try {
      return { connection: await this.#connectForWriting(driver) };
    } catch (refusal) {
      if (!this.#file.isCompleteWithoutWal()) throw refusal;
      const connection = await this.#connectForReading(driver).catch(() => undefined);
      if (!connection) throw refusal;
      return { connection, refusal };
    }
  }

  async #connectForWriting(driver: SqliteDriver): Promise<SqliteConnection> {
    const { busyTimeout, fastSave } = this.#options;
    const connection = await driver.open({ file: this.#file.path, busyTimeout });
    try {
      // Only before the first table and before the change to WAL.
      await connection.run('PRAGMA auto_vacuum = 2');
      await connection.run('PRAGMA journal_mode = WAL');
      await connection.run(`PRAGMA synchronous = ${fastSave ? 'OFF' : 'NORMAL'}`);
      if (!(await connection.get(this.#schema.exists))) await connection.transaction(this.#schema.create);
      await this.#schema.onOpen?.(connection);
      return connection;
    } catch (error) {
      await connection.close().catch(() => {});
      throw error;
    }
  }

  /** A read-only or full medium has no room for the files that WAL needs. */
  async #connectForReading(driver: SqliteDriver): Promise<SqliteConnection> {
    const connection = await driver.open({
      file: this.#file.path,
      busyTimeout: this.#options.busyTimeout,
      immutable: true,
    });
    try {
      if (!(await connection.get(this.#schema.exists))) throw new Error('not a file of this cache');
      return connection;
    } catch (error) {
      await connection.close().catch(() => {});
      throw error;
    }
  }
}

/** A connection whose end is reported, which must happen after the locks are released. */
function releasing(connection: SqliteConnection, release: () => void): SqliteConnection {
  const close = connection.close.bind(connection);
  connection.close = () => close().finally(release);
  return connection;
}

import { CacheError } from '../../errors.js';
import { chain, isPromise, type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { monotonicNow } from '../../platform/real-time.js';
import { type Access, StoreFailure } from '../store-failure.js';
import type { SqliteConnection } from './driver.js';
import { isConnectionReadOnly, isDamaged, sqliteFailure } from './failures.js';
import type { DatabaseFile } from './file.js';
import { type DatabaseOptions, type OpenDatabase, openDatabase, type Schema } from './open-database.js';
import { Recovery } from './recovery.js';

/** Milliseconds between two looks at the file on reads, and between two attempts to get a writable connection. */
const INTERVAL = 1000;

/**
 * The connection to a file, which is opened on first use and again when the file was deleted or replaced. A damaged file is
 * replaced by a new one with the entries that can be read.
 */
export class Database {
  readonly #file: DatabaseFile;
  readonly #options: DatabaseOptions;
  readonly #schema: Schema;
  #connection: SqliteConnection | undefined;
  #opening: Promise<SqliteConnection> | undefined;
  #isEnded = false;
  #identity: string | undefined;
  #walIdentity: string | undefined;
  #checkedAt = 0;
  /** Of a file that was opened without locks; undefined for other files. */
  #fingerprint: string | undefined;
  /** Why the connection cannot write, for a file on a read-only or full medium. */
  #refusal: unknown;
  #refusedAt = Number.NEGATIVE_INFINITY;
  readonly #recovery: Recovery;
  /** Whether the file has to be replaced before it is opened again. */
  #isDamaged = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(file: DatabaseFile, options: DatabaseOptions, schema: Schema) {
    this.#file = file;
    this.#options = options;
    this.#schema = schema;
    this.#recovery = new Recovery(file, options, schema);
  }

  /** Calls the listener when a damaged file was replaced. */
  onReplaced(listener: (error: Error) => void): void {
    this.#recovery.onReplaced = listener;
  }

  /** Reads; looks at most once a second whether the file is still the one that was opened. */
  read<T>(work: (connection: SqliteConnection) => MaybePromise<T>): MaybePromise<T> {
    const now = monotonicNow();
    if (now - this.#checkedAt > INTERVAL) this.#check(now);
    if (this.#isChanged()) this.#drop();
    const result = this.#use(work, 'read');
    if (this.#fingerprint === undefined && !isPromise(result)) return result;
    return chain(result, (value) => {
      if (!this.#isChanged()) return value;
      this.#drop();
      throw new StoreFailure('outage', 'the file, which this process can only read, was changed meanwhile');
    });
  }

  /** A reader without locks must not see half of what another process, which can write, changes. */
  #isChanged(): boolean {
    return this.#fingerprint !== undefined && this.#file.fingerprint() !== this.#fingerprint;
  }

  /** Writes, after a look whether the file is still the one that was opened. */
  write<T>(work: (connection: SqliteConnection) => MaybePromise<T>): MaybePromise<T> {
    const now = monotonicNow();
    this.#check(now);
    if (this.#refusal !== undefined) {
      if (now - this.#refusedAt < INTERVAL) throw new StoreFailure('refusal', this.#refusal);
      this.#drop();
    }
    return recover(
      () => this.#writeOnce(work),
      (error) => {
        if (!this.#isDamaged || !isDamaged(error)) throw error;
        return this.#use(work, 'write');
      },
    );
  }

  #writeOnce<T>(work: (connection: SqliteConnection) => MaybePromise<T>): MaybePromise<T> {
    const result = this.#use(work, 'write');
    if (!isPromise(result)) return result;
    return result.then((value) => {
      if (!this.#connection || !this.#isReplaced()) return value;
      // Another process replaced the file while this write waited for a lock.
      this.#drop();
      return this.#use(work, 'write');
    });
  }

  /** Opens the file for writing. */
  async openForWriting(): Promise<void> {
    await this.#open();
    if (this.#refusal !== undefined) throw new StoreFailure('refusal', this.#refusal);
  }

  /**
   * Creates a new file in the place of one that is damaged or has no room.
   *
   * @param reason thrown if the file has tables of others
   */
  async replace(reason: unknown): Promise<void> {
    await this.close();
    try {
      const ownership = await this.#recovery.ownership();
      if (ownership === 'shared') throw reason;
      const file = this.#file.real();
      if (ownership === 'unknown' && file.identity() !== undefined) file.setAside('replaced');
      else file.remove();
    } catch (error) {
      throw sqliteFailure(error, 'write');
    }
    await this.#open();
  }

  /** Removes damaged files that were set aside. */
  removeDamaged(): void {
    try {
      this.#file.real().removeDamaged();
    } catch {
      // The folder cannot be read.
    }
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
    this.#fingerprint = undefined;
    await (await opening?.catch(() => undefined))?.close();
  }

  #use<T>(work: (connection: SqliteConnection) => MaybePromise<T>, doing: Access): MaybePromise<T> {
    const connection = this.#connection;
    if (!connection) return this.#useOpened(work, doing);
    return recover(
      () => work(connection),
      (error) => {
        throw this.#failed(error, doing, connection);
      },
    );
  }

  async #useOpened<T>(work: (connection: SqliteConnection) => MaybePromise<T>, doing: Access): Promise<T> {
    const connection = await this.#open();
    if (doing === 'write' && this.#refusal !== undefined) throw new StoreFailure('refusal', this.#refusal);
    try {
      return await work(connection);
    } catch (error) {
      throw this.#failed(error, doing, connection);
    }
  }

  #failed(error: unknown, doing: Access, connection: SqliteConnection): Error {
    const failure = sqliteFailure(error, doing);
    const isBroken = failure instanceof StoreFailure && failure.kind === 'outage';
    if (this.#connection === connection && isDamaged(failure) && this.#recovery.isPossible) {
      this.#isDamaged = true;
      this.#drop();
    }
    // A new connection may see the file in a better state.
    else if (this.#connection === connection && isBroken) this.#drop();
    else if (this.#connection === connection && isConnectionReadOnly(failure)) this.#refuse(error);
    return failure;
  }

  #refuse(error: unknown): void {
    this.#refusal = error;
    this.#refusedAt = monotonicNow();
  }

  #check(now: number): void {
    this.#checkedAt = now;
    if (this.#connection && this.#isReplaced()) this.#drop();
  }

  /** Whether the file, or its WAL, is not the one that was opened. */
  #isReplaced(): boolean {
    if (this.#file.identity() !== this.#identity) return true;
    return this.#fingerprint === undefined && this.#file.walIdentity() !== this.#walIdentity;
  }

  /** The next use opens the file anew. */
  #drop(): void {
    this.#closing = this.close().catch(() => {});
  }

  #open(): Promise<SqliteConnection> {
    if (this.#opening) return this.#opening;
    if (this.#isEnded) return Promise.reject(new CacheError('ERR_CACHE_CLOSED', 'the store was closed'));
    const opening: Promise<SqliteConnection> = this.#openFile().then(
      ({ connection, identity, fingerprint, refusal }) => {
        if (this.#opening === opening) {
          this.#connection = connection;
          this.#identity = identity;
          this.#walIdentity = this.#file.walIdentity();
          this.#fingerprint = fingerprint;
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

  async #openFile(): Promise<OpenDatabase> {
    const open = () => openDatabase(this.#file, this.#options, this.#schema);
    if (this.#isDamaged) {
      await this.#closing;
      await this.#recovery.attempt();
      this.#isDamaged = false;
    }
    try {
      return await open();
    } catch (error) {
      if (!isDamaged(error) || !this.#recovery.isPossible) throw error;
      await this.#recovery.attempt();
      // Another process may have replaced it meanwhile.
      return open();
    }
  }
}

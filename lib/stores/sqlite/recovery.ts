import { chmodSync, rmSync } from 'node:fs';
import { monotonicNow } from '../../platform/real-time.js';
import { loadDriver } from './choose-driver.js';
import type { SqliteConnection, SqliteDriver } from './driver.js';
import { isDamaged, isFull } from './failures.js';
import { DatabaseFile } from './file.js';
import { type DatabaseOptions, openForWriting, type Schema } from './open-database.js';
import { driverInUse, registerConnection } from './open-files.js';
import { type Ownership, ownershipByBytes, ownershipBySchema } from './ownership.js';
import { copyWithFirstPage, salvage } from './salvage.js';

/** Milliseconds between two attempts, at least: the disk may damage each file again, or have no room. */
const INTERVAL = 10_000;
/** The time of an attempt, as a part of the time until the next one. */
const EFFORT = 0.05;

/** A damaged database that can be read in part, or not at all. */
interface Source {
  readonly ownership: Ownership;
  readonly connection?: SqliteConnection;
  /** Of a file that was not locked. */
  readonly fingerprint?: string;
  close(): Promise<void>;
}

/**
 * Replaces a damaged file of this package by a new one with all entries that can be read. The damaged file is set aside. Files
 * that have tables of others, or that nothing shows to be databases of this package, are not touched.
 */
export class Recovery {
  readonly #path: DatabaseFile;
  /** The file that the path refers to. */
  #file: DatabaseFile;
  readonly #options: DatabaseOptions;
  readonly #schema: Schema;
  #nextAttemptAt = 0;
  /** Of a file that is not of this package alone. */
  #foreign: string | undefined;
  /** Receives an error that names the damaged file. */
  onReplaced: ((error: Error) => void) | undefined;

  constructor(file: DatabaseFile, options: DatabaseOptions, schema: Schema) {
    this.#path = file;
    this.#file = file;
    this.#options = options;
    this.#schema = schema;
  }

  /** Whether an attempt may succeed now. */
  get isPossible(): boolean {
    if (this.#file.isInMemory || monotonicNow() < this.#nextAttemptAt) return false;
    return this.#foreign === undefined || this.#foreign !== this.#file.fingerprint();
  }

  /** No connection of the caller may be open. Never rejects: the file remains damaged if it cannot be replaced. */
  async attempt(): Promise<void> {
    const began = monotonicNow();
    this.#file = this.#path.real();
    await this.#attempt().catch(() => {});
    const ended = monotonicNow();
    this.#nextAttemptAt = ended + Math.max(INTERVAL, (ended - began) / EFFORT);
  }

  /** Whose file it is. */
  async ownership(): Promise<Ownership> {
    this.#file = this.#path.real();
    const identity = this.#file.identity();
    if (identity === undefined) return 'unknown';
    const source = await this.#open(identity, await this.#driver(identity));
    await source.close();
    return source.ownership;
  }

  #driver(identity: string): Promise<SqliteDriver> {
    return loadDriver(this.#options.driver ?? driverInUse(identity));
  }

  async #attempt(): Promise<void> {
    this.#file.removeAbandoned();
    const identity = this.#file.identity();
    if (identity === undefined) return;
    const driver = await this.#driver(identity);
    const source = await this.#open(identity, driver);
    try {
      if (source.ownership === 'own') await this.#replace(source, identity, driver);
      else this.#foreign = this.#file.fingerprint();
    } finally {
      await source.close();
    }
  }

  async #open(identity: string, driver: SqliteDriver): Promise<Source> {
    const release = registerConnection(identity, driver.name);
    const connection = await driver.open({ file: this.#file.path, busyTimeout: this.#options.busyTimeout });
    const close = () =>
      connection
        .close()
        .catch(() => {})
        .finally(release);
    try {
      const ownership = await ownershipBySchema(connection);
      // Other processes wait with writes until the file was replaced.
      if (ownership === 'own') await connection.run('BEGIN IMMEDIATE');
      return { ownership, connection, close };
    } catch (error) {
      await close();
      if (!isDamaged(error)) throw error;
      return this.#openBytes(identity, driver);
    }
  }

  /** A file whose schema cannot be read. */
  async #openBytes(identity: string, driver: SqliteDriver): Promise<Source> {
    const nothing = async () => {};
    if (driverInUse(identity) !== undefined) throw new Error('another cache of this process has the file open');
    const fingerprint = this.#file.fingerprint();
    const ownership = await ownershipByBytes([this.#file.path, this.#file.walPath]);
    if (ownership !== 'own') return { ownership, close: nothing };
    const copy = this.#temporary();
    const remove = () => copy.remove();
    try {
      await copyWithFirstPage(this.#file, copy, driver);
      const connection = await driver.open({ file: copy.path, busyTimeout: 0 });
      return {
        ownership,
        connection,
        fingerprint,
        close: () =>
          connection
            .close()
            .catch(() => {})
            .finally(remove),
      };
    } catch {
      remove();
      return { ownership, fingerprint, close: nothing };
    }
  }

  async #replace(source: Source, identity: string, driver: SqliteDriver): Promise<void> {
    const substitute = this.#temporary();
    try {
      const kept = await this.#fill(substitute, source, driver);
      if (!substitute.isCompleteWithoutWal()) return;
      // A file that was changed meanwhile is not as damaged as it seemed.
      if (source.fingerprint !== undefined && source.fingerprint !== this.#file.fingerprint()) return;
      // Windows moves no open file.
      if (process.platform === 'win32') await source.close();
      const aside = await this.#swap(substitute, identity, driver);
      if (aside === undefined) return;
      const message = `the file ${this.#file.path} was damaged: it was replaced by a new one with the ${kept} entries that could be read, and is now ${aside}`;
      this.onReplaced?.(new Error(message));
    } finally {
      substitute.remove();
    }
  }

  /** Without room for the entries, an empty cache is better than none. A file that can be opened stays in use. */
  async #fill(substitute: DatabaseFile, source: Source, driver: SqliteDriver): Promise<number> {
    try {
      return await this.#create(substitute, source.connection, driver);
    } catch (error) {
      if (source.fingerprint === undefined || !isFull(error)) throw error;
      substitute.remove();
      // Its copy needs room too.
      await source.close();
      return this.#create(substitute, undefined, driver);
    }
  }

  /** Creates a complete database, without a WAL. */
  async #create(substitute: DatabaseFile, from: SqliteConnection | undefined, driver: SqliteDriver): Promise<number> {
    substitute.create();
    const to = await openForWriting(driver, substitute, this.#options, this.#schema);
    try {
      const copied = await salvage(from, to);
      await to.run('PRAGMA wal_checkpoint(TRUNCATE)');
      return copied;
    } finally {
      await to.close();
    }
  }

  /** One process at a time: returns undefined if another one has replaced the file. */
  async #swap(substitute: DatabaseFile, identity: string, driver: SqliteDriver): Promise<string | undefined> {
    const { path } = this.#file;
    const lockFile = `${path}-recovery`;
    const lock = await driver.open({ file: lockFile, busyTimeout: this.#options.busyTimeout });
    try {
      chmodSync(lockFile, 0o600);
      // A transaction, since the system releases its lock if the process is killed.
      const aside = await lock.transaction(() => this.#swapLocked(substitute, identity));
      if (aside !== undefined) this.#file.removeDamaged(aside);
      return aside;
    } finally {
      await lock.close().catch(() => {});
      rmSync(lockFile, { force: true });
    }
  }

  // biome-ignore lint/correctness/useYield: a transaction without statements
  *#swapLocked(substitute: DatabaseFile, identity: string): Generator<never, string | undefined> {
    if (this.#file.identity() !== identity) return undefined;
    return this.#file.setAside('damaged', substitute.path);
  }

  /** A file beside the database, so that it can be moved to its place. */
  #temporary(): DatabaseFile {
    return new DatabaseFile(this.#file.temporaryPath());
  }
}

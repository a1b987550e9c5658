import { CacheError } from '../../errors.js';
import { loadBeneath, loadClient } from '../../platform/load-client.js';
import { retryWhileBusy } from './busy.js';
import {
  type ConnectionOptions,
  immutableUri,
  type Row,
  type SqliteConnection,
  type SqliteDriver,
  type SqlValue,
  type Statement,
  type Work,
} from './driver.js';

type Callback<T> = (error: Error | null, result: T) => void;

/** The part of sqlite3 that is used. */
interface PreparedStatement {
  all(parameters: readonly SqlValue[], callback: Callback<readonly Row[]>): void;
  finalize(callback: () => void): void;
}

interface Database {
  prepare(sql: string, callback: Callback<void>): PreparedStatement;
  configure(option: 'busyTimeout', milliseconds: number): void;
  close(callback: Callback<void>): void;
}

interface Sqlite3 {
  readonly OPEN_READONLY: number;
  readonly OPEN_READWRITE: number;
  readonly OPEN_CREATE: number;
  readonly OPEN_URI: number;
  readonly OPEN_FULLMUTEX: number;
  readonly Database: new (file: string, mode: number, callback: Callback<void>) => Database;
}

const WHAT = 'backend "sqlite"';

/**
 * Loads the driver over the sqlite3 of `@keyv/sqlite` 4. Its own `get` and `set` prepare a statement for each call, in a
 * turn of the thread pool of its own; here statements are prepared once, and reads do not wait behind writes.
 *
 * @throws CacheError `ERR_CACHE_MISSING_PACKAGE`, or `ERR_CACHE_BROKEN_PACKAGE` if the package does not load or is of
 *   line 6, whose table other versions cannot read
 */
export async function loadKeyvDriver(): Promise<SqliteDriver> {
  const { default: KeyvSqlite } = await loadClient<{ default: { prototype: object } }>('@keyv/sqlite', WHAT);
  if ('setMany' in KeyvSqlite.prototype) {
    const message = `${WHAT} needs @keyv/sqlite 4, and a later version is installed; use Node.js 22.13 or later with driver "node", or npm install @keyv/sqlite@4`;
    throw new CacheError('ERR_CACHE_BROKEN_PACKAGE', message);
  }
  const sqlite3 = await loadBeneath<Sqlite3>('@keyv/sqlite', 'sqlite3', WHAT);
  return { name: 'keyv', open: (options) => KeyvConnection.open(sqlite3, options) };
}

/** One database handle, whose statements are prepared once. */
class Handle {
  readonly #database: Database;
  readonly #statements = new Map<string, Promise<PreparedStatement>>();

  private constructor(database: Database) {
    this.#database = database;
    // sqlite3 waits for a second by default, in a thread of the pool.
    database.configure('busyTimeout', 0);
  }

  static async open(sqlite3: Sqlite3, { file, busyTimeout, immutable }: ConnectionOptions): Promise<Handle> {
    const [name, mode] = immutable
      ? [immutableUri(file), sqlite3.OPEN_READONLY | sqlite3.OPEN_URI]
      : [file, sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE];
    const open = () => made<Database>((done) => new sqlite3.Database(name, mode | sqlite3.OPEN_FULLMUTEX, done));
    return new Handle(await retryWhileBusy(open, busyTimeout));
  }

  async all(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    const statement = await this.#prepare(sql);
    // Unlike `get`, `all` comes to the end of the statement, where its lock is released.
    return new Promise((resolve, reject) => {
      statement.all(parameters, (error, rows) => (error ? reject(error) : resolve(rows)));
    });
  }

  async close(): Promise<void> {
    const statements = await Promise.allSettled(this.#statements.values());
    for (const one of statements) {
      if (one.status === 'fulfilled') await new Promise<void>((resolve) => one.value.finalize(resolve));
    }
    await new Promise<void>((resolve, reject) => this.#database.close((error) => (error ? reject(error) : resolve())));
  }

  #prepare(sql: string): Promise<PreparedStatement> {
    const prepared = this.#statements.get(sql);
    if (prepared) return prepared;
    const statement = made<PreparedStatement>((done) => this.#database.prepare(sql, done));
    this.#statements.set(sql, statement);
    statement.catch(() => this.#statements.delete(sql));
    return statement;
  }
}

class KeyvConnection implements SqliteConnection {
  readonly #reader: Handle;
  readonly #writer: Handle;
  readonly #busyTimeout: number;
  /** Settles when the last write has ended: statements of others must not get into a transaction. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(reader: Handle, writer: Handle, busyTimeout: number) {
    this.#reader = reader;
    this.#writer = writer;
    this.#busyTimeout = busyTimeout;
  }

  static async open(sqlite3: Sqlite3, options: ConnectionOptions): Promise<KeyvConnection> {
    const writer = await Handle.open(sqlite3, options);
    // A second handle on ':memory:' is another database.
    if (options.file === ':memory:') return new KeyvConnection(writer, writer, options.busyTimeout);
    try {
      return new KeyvConnection(await Handle.open(sqlite3, options), writer, options.busyTimeout);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async get(sql: string, ...parameters: SqlValue[]): Promise<Row | undefined> {
    return (await this.many(sql, ...parameters))[0];
  }

  many(sql: string, ...parameters: SqlValue[]): Promise<readonly Row[]> {
    return Promise.resolve(retryWhileBusy(() => this.#reader.all(sql, parameters), this.#busyTimeout));
  }

  run(sql: string, ...parameters: SqlValue[]): Promise<readonly Row[]> {
    return this.#inTurn(() => this.#writer.all(sql, parameters));
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.#inTurn(() => this.#attempt(work));
  }

  rewrite(): Promise<unknown> {
    return this.#inTurn(async () => {
      await this.#writer.all('PRAGMA auto_vacuum = 2', []);
      return this.#writer.all('VACUUM', []);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#lastWrite;
    if (this.#reader !== this.#writer) await this.#reader.close();
    await this.#writer.close();
  }

  #inTurn<T>(attempt: () => Promise<T>): Promise<T> {
    const turn = this.#lastWrite.then(() => retryWhileBusy(attempt, this.#busyTimeout));
    this.#lastWrite = turn.catch(() => {});
    return turn;
  }

  async #attempt<T>(work: Work<T>): Promise<T> {
    await this.#writer.all('BEGIN IMMEDIATE', []);
    try {
      const steps = work();
      let step = steps.next([]);
      while (!step.done) step = steps.next(await this.#all(step.value));
      await this.#writer.all('COMMIT', []);
      return step.value;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      await this.#writer.all('ROLLBACK', []).catch(() => {});
      throw error;
    }
  }

  #all({ sql, parameters }: Statement): Promise<readonly Row[]> {
    return this.#writer.all(sql, parameters);
  }
}

/** Returns the created object after its callback reported that it is ready. */
function made<T>(make: (done: Callback<void>) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const result: T = make((error) => (error ? reject(error) : resolve(result)));
  });
}

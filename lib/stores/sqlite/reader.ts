import { loadBeneath } from '../../platform/load-client.js';

type Callback<T> = (error: Error | null, result: T) => void;

/** The part of sqlite3 that is used. */
interface Statement {
  all(key: string, callback: Callback<readonly { readonly value: unknown }[]>): void;
  finalize(callback: () => void): void;
}

interface Database {
  prepare(sql: string, callback: Callback<void>): Statement;
  close(callback: () => void): void;
}

interface Sqlite3 {
  readonly OPEN_READWRITE: number;
  readonly Database: new (file: string, mode: number, callback: Callback<void>) => Database;
}

/**
 * Reads values by a statement that is prepared once, on a connection of its own. @keyv/sqlite 4 prepares anew for each
 * read, in a turn of the thread pool of its own, and has reads wait behind writes.
 */
export class SqliteReader {
  readonly #database: Database;
  readonly #statement: Statement;

  private constructor(database: Database, statement: Statement) {
    this.#database = database;
    this.#statement = statement;
  }

  /** @param file a database that has the table */
  static async open(file: string, table: string): Promise<SqliteReader> {
    const { Database, OPEN_READWRITE } = await loadBeneath<Sqlite3>('@keyv/sqlite', 'sqlite3', 'backend "sqlite"');
    const database = await settled<Database>((done) => new Database(file, OPEN_READWRITE, done));
    try {
      const select = `SELECT value FROM ${table} WHERE key = ?`;
      return new SqliteReader(database, await settled<Statement>((done) => database.prepare(select, done)));
    } catch (error) {
      database.close(() => {});
      throw error;
    }
  }

  /** The value under a key; undefined where there is none. */
  get(key: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Unlike `get`, it comes to the statement's end, where the lock for reading is given back.
      this.#statement.all(key, (error, rows) => (error ? reject(error) : resolve(rows[0]?.value)));
    });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#statement.finalize(resolve));
    await new Promise<void>((resolve) => this.#database.close(resolve));
  }
}

/** What was made, once its callback has told that it is ready. */
function settled<T>(make: (done: Callback<void>) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const made = make((error) => (error ? reject(error) : resolve(made)));
  });
}

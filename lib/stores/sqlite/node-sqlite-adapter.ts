import { optionError } from '../../errors.js';
import { bufferOf, isBytes } from '../../platform/bytes.js';
import { yieldToEventLoop } from '../../platform/real-time.js';
import { missingDriver } from './choose-driver.js';
import { Database } from './database.js';
import { LAST_KEY, type Row, statement } from './driver.js';
import { DatabaseFile, IN_MEMORY, sqliteFile } from './file.js';

export interface NodeSqliteAdapterOptions {
  /**
   * Path of the file, also as `sqlite://path`; `.sqlite` is added to a path without an extension. Default: `':memory:'`.
   *
   * @example
   * new NodeSqliteAdapter({ file: 'sessions.sqlite' });
   */
  readonly file?: string | undefined;
  /**
   * Name of the table: letters, digits and `_`. Default: `'keyv'`.
   *
   * @example
   * new NodeSqliteAdapter({ file: 'sessions.sqlite', table: 'sessions' });
   */
  readonly table?: string | undefined;
  /**
   * Seconds to retry while another connection writes. Default: 5.
   *
   * @example
   * new NodeSqliteAdapter({ file: 'sessions.sqlite', busyTimeout: 10 });
   */
  readonly busyTimeout?: number | undefined;
}

type Value = string | Uint8Array;

const DEFAULT_BUSY_TIMEOUT = 5;
const PAGE = 250;

/**
 * A Keyv storage adapter over the `node:sqlite` of Node.js (22.13 and later), Bun and Deno, for Keyv 5 and 6. It needs
 * no native package, and reads and writes the tables of `@keyv/sqlite` 4. Values are strings or bytes.
 *
 * @example new Keyv({ store: new NodeSqliteAdapter('sessions.sqlite'), namespace: 'sessions' })
 */
export class NodeSqliteAdapter {
  /** Keyv 5 sets it. Keyv 6 adds it to the keys by itself, for adapters that lack this property. */
  declare namespace?: string | undefined;
  /** Keyv 5 iterates over adapters with a dialect that it knows. */
  readonly opts: { readonly dialect: 'sqlite'; readonly url: string; readonly table: string };
  readonly #database: Database;
  readonly #table: string;

  /**
   * @param options the path, or options
   * @throws TypeError for a wrong option; CacheError `ERR_CACHE_MISSING_PACKAGE` if the runtime has no `node:sqlite`
   */
  constructor(options: string | NodeSqliteAdapterOptions = {}) {
    const {
      file = IN_MEMORY,
      table = 'keyv',
      busyTimeout = DEFAULT_BUSY_TIMEOUT,
    } = typeof options === 'string' ? { file: options } : options;
    if (typeof file !== 'string' || file === '' || file.includes('\0'))
      throw optionError('file', file, 'the path of a file, or ":memory:"');
    if (typeof table !== 'string' || !/^[a-z_]\w{0,63}$/i.test(table) || /^sqlite_/i.test(table))
      throw optionError('table', table, 'a name of letters, digits and "_"');
    if (typeof busyTimeout !== 'number' || !(busyTimeout >= 0))
      throw optionError('busyTimeout', busyTimeout, 'a number of seconds, 0 or more');
    const missing = missingDriver('node');
    if (missing) throw missing;
    const path = sqliteFile(file.replace(/^sqlite:\/\//, ''), {});
    this.opts = { dialect: 'sqlite', url: `sqlite://${path}`, table };
    this.#table = `"${table}"`;
    const create = `CREATE TABLE IF NOT EXISTS ${this.#table} (key VARCHAR(255) PRIMARY KEY, value TEXT)`;
    this.#database = new Database(
      new DatabaseFile(path),
      { driver: 'node', busyTimeout: busyTimeout * 1000, fastSave: false },
      {
        exists: `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '${table}' COLLATE NOCASE`,
        create: function* () {
          yield statement(create);
        },
      },
    );
  }

  async get(key: string): Promise<Value | undefined> {
    const row = await this.#database.read((connection) => connection.get(`${this.#select()} WHERE key = ?`, key));
    return row && valueIn(row);
  }

  async getMany(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const rows = await this.#database.read((connection) =>
      connection.many(`${this.#select()} WHERE key IN (SELECT value FROM json_each(?))`, JSON.stringify(keys)),
    );
    const found = new Map(rows.map((row) => [row.key, row]));
    return keys.map((key) => {
      const row = found.get(key);
      return row && valueIn(row);
    });
  }

  async has(key: string): Promise<boolean> {
    return (await this.hasMany([key]))[0] ?? false;
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const rows = await this.#database.read((connection) =>
      connection.many(
        `SELECT key FROM ${this.#table} WHERE key IN (SELECT value FROM json_each(?))`,
        JSON.stringify(keys),
      ),
    );
    const found = new Set(rows.map((row) => row.key));
    return keys.map((key) => found.has(key));
  }

  /** Keyv itself expires entries; a ttl that it passes has no effect. */
  async set(key: string, value: Value): Promise<boolean> {
    await this.setMany([{ key, value }]);
    return true;
  }

  async setMany(entries: readonly { readonly key: string; readonly value: Value }[]): Promise<boolean[]> {
    for (const { value } of entries) {
      if (typeof value !== 'string' && !isBytes(value))
        throw optionError('value', value, 'a string or bytes, as Keyv passes them if it serializes');
    }
    const upsert = `INSERT INTO ${this.#table} (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
    await this.#database.write((connection) =>
      connection.transaction(function* () {
        for (const { key, value } of entries) yield statement(upsert, key, value);
      }),
    );
    return entries.map(() => true);
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key]))[0] ?? false;
  }

  async deleteMany(keys: readonly string[]): Promise<boolean[]> {
    const sql = `DELETE FROM ${this.#table} WHERE key IN (SELECT value FROM json_each(?)) RETURNING key`;
    const rows = await this.#database.write((connection) => connection.run(sql, JSON.stringify(keys)));
    const deleted = new Set(rows.map((row) => row.key));
    return keys.map((key) => deleted.has(key));
  }

  /** Deletes the entries of the namespace, or all. */
  async clear(): Promise<void> {
    const [from, to] = rangeOf(this.namespace);
    const keys = `SELECT key FROM ${this.#table} WHERE key >= ? AND key < ? LIMIT ${PAGE}`;
    const sql = `DELETE FROM ${this.#table} WHERE key IN (${keys}) RETURNING 1`;
    while ((await this.#database.write((connection) => connection.run(sql, from, to))).length === PAGE)
      await yieldToEventLoop();
  }

  /** Yields `[key, value]` with the keys as they are in the table; entries may be deleted meanwhile. */
  async *iterator(namespace?: string): AsyncGenerator<[string, Value]> {
    const [from, to] = rangeOf(namespace);
    const sql = `${this.#select()} WHERE key > ? AND key < ? ORDER BY key LIMIT ${PAGE}`;
    let after = from;
    for (;;) {
      const start = after;
      const rows = await this.#database.read((connection) => connection.many(sql, start, to));
      for (const row of rows) yield [String(row.key), valueIn(row)];
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)?.key);
      await yieldToEventLoop();
    }
  }

  /** Closes the file. May be called again; every other call rejects afterwards. */
  async disconnect(): Promise<void> {
    await this.#database.end(() => {});
  }

  /** A text with a NUL is cut off where the runtime reads it as text. */
  #select(): string {
    return `SELECT key, typeof(value) AS type, CAST(value AS BLOB) AS value FROM ${this.#table}`;
  }
}

/** The keys of a namespace are those from the first to before the second. */
function rangeOf(namespace: string | undefined): [string, string] {
  return namespace ? [`${namespace}:`, `${namespace};`] : ['', LAST_KEY];
}

function valueIn({ type, value }: Row): Value {
  const bytes = isBytes(value) ? value : new Uint8Array();
  return type === 'blob' ? bytes : bufferOf(bytes).toString();
}

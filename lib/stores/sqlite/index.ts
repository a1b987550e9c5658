import { rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { isBytes } from '../../platform/bytes.js';
import { putInTurn } from '../entry-query.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';
import { instantField, packEntry, parseEntry, parseSummary, unreadable } from '../stored-form.js';
import { SqliteBounds } from './bounds.js';
import { connectSqlite, type SqliteConnection } from './connection.js';
import { COUNTS, column, conditions, IS_ROW, indexes, SUMMARY } from './statements.js';

export interface SqliteStoreOptions {
  /** Puts a relative file into the system's folder for temporary files. Default: `false`. */
  readonly useTemp?: boolean | undefined;
  /** Puts a relative file into the user's cache folder. Default: `false`. */
  readonly useCacheDir?: boolean | undefined;
  /** Seconds to wait for another process that writes. Default: 5. */
  readonly busyTimeout?: number | undefined;
  /** Faster writes that a power cut may undo or damage. Default: `false`. */
  readonly fastSave?: boolean | undefined;
  /** Entries at most, oldest use first. Default: no bound. */
  readonly maxEntries?: number | undefined;
  /** Bytes at most, oldest use first. Default: no bound. */
  readonly maxSize?: number | undefined;
  /** Seconds that an entry is kept after it expired. Default: for ever. */
  readonly retention?: number | undefined;
}

const LEASES = 'leases_v1';
/** What SQLite says of a file that it can't read; the drivers put its code into the message, or not. */
const DAMAGED = /SQLITE_(NOTADB|CORRUPT)|file is not a database|image is malformed/;
const DEFAULT_BUSY_TIMEOUT = 5;
const PAGE = 500;

/** The file of a cache; `.sqlite` is added where the name has no extension. */
export function sqliteFile(cacheName: string, options: SqliteStoreOptions): string {
  const file = path.extname(cacheName) === '' ? `${cacheName}.sqlite` : cacheName;
  if (options.useTemp) return path.resolve(tmpdir(), file);
  return options.useCacheDir ? path.resolve(cacheFolder(), file) : path.resolve(file);
}

function cacheFolder(): string {
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? path.join(homedir(), 'AppData', 'Local');
  return process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
}

/**
 * Entries in a SQLite file, through @keyv/sqlite's own `get` and `set` as BLOBs. Indexes over the fixed fields of the
 * rows are made on the adapter's own connection; so is everything that Keyv's interface lacks. Deletion is SQL too: the
 * adapter's own reads the whole row first.
 */
export class SqliteStore implements Store {
  readonly name = 'sqlite';
  readonly file: string;
  readonly #options: SqliteStoreOptions;
  readonly #now: () => number;
  #opening: Promise<SqliteConnection> | undefined;
  #connection: SqliteConnection | undefined;
  readonly #bounds: SqliteBounds | undefined;
  readonly #sweep: RetentionSweep;

  constructor(cacheName: string, options: SqliteStoreOptions, now: () => number) {
    this.file = sqliteFile(cacheName, options);
    this.#options = options;
    this.#now = now;
    const { maxEntries, maxSize, retention } = options;
    const isBounded = maxEntries !== undefined || maxSize !== undefined;
    this.#bounds = isBounded ? new SqliteBounds(maxEntries, maxSize, now) : undefined;
    this.#sweep = new RetentionSweep(retention, now);
  }

  async find(id: string): Promise<Entry | undefined> {
    const connection = this.#connection ?? (await this.#open());
    const value = await connection.get(id);
    if (value === undefined || value === null) return undefined;
    this.#bounds?.used(connection, id);
    return isBytes(value) ? parseEntry(id, value) : unreadable(id, String(value).length);
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    const connection = this.#connection ?? (await this.#open());
    await connection.set(entry.id, packEntry(entry));
    await this.#bounds?.added(connection, entry);
    this.#sweep.start((until) => this.deleteExpired(until));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    const group = `${column('group')} IN (SELECT CAST(value AS BLOB) FROM json_each(?))`;
    const listed = JSON.stringify(ids);
    const deleted = await this.#delete(`key IN (SELECT value FROM json_each(?)) OR ${group}`, listed, listed);
    return deleted.filter(Boolean).length;
  }

  async delete(ids: readonly string[]): Promise<number> {
    const deleted = await this.#delete('key IN (SELECT value FROM json_each(?))', JSON.stringify(ids));
    return deleted.filter(Boolean).length;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const { where, parameters } = conditions(query);
    let after = '';
    for (;;) {
      const { table, query: ask } = await this.#open();
      const select = `SELECT key, length(value) AS size, ${SUMMARY} AS summary FROM ${table}
        WHERE key > ? AND ${where} ORDER BY key LIMIT ${PAGE}`;
      const rows = await ask(select, after, ...parameters);
      for (const { key, size, summary } of rows as { key: string; size: number; summary: unknown }[]) {
        yield isBytes(summary) ? parseSummary(key, summary, size) : unreadable(key, size);
      }
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)?.key);
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    const { where, parameters } = conditions(query);
    const kinds = query.kind === undefined ? COUNTS : '1';
    const { table, query: ask } = await this.#open();
    const rows = await ask(`SELECT count(*) AS number FROM ${table} WHERE ${where} AND ${kinds}`, ...parameters);
    return Number(rows[0]?.number ?? 0);
  }

  /** In steps, between which others can write. */
  async *deleteExpired(now: number): AsyncGenerator<number> {
    const expired = Buffer.from(instantField(now));
    let deleted: readonly boolean[];
    do {
      const { table } = await this.#open();
      const some = `SELECT key FROM ${table} WHERE ${column('staleAt')} <= ? AND ${IS_ROW} LIMIT ${PAGE}`;
      deleted = await this.#delete(`key IN (${some})`, expired);
      yield deleted.filter(Boolean).length;
    } while (deleted.length === PAGE);
  }

  /** A file that is damaged, or no database at all, is replaced by a new one. */
  async *clear(): AsyncGenerator<unknown> {
    try {
      const { table, query } = await this.#open();
      yield await query(`DELETE FROM ${table}`);
    } catch (error) {
      if (!DAMAGED.test(String((error as Error).message))) throw error;
      await this.close();
      for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(this.file + suffix, { force: true });
      await this.#open();
    }
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    const { query } = await this.#open();
    await query(`CREATE TABLE IF NOT EXISTS ${LEASES} (name TEXT PRIMARY KEY, holder TEXT, until INTEGER)`);
    const rows = await query(
      `INSERT INTO ${LEASES} VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, until = excluded.until WHERE holder = excluded.holder OR until <= ? RETURNING 1`,
      name,
      holder,
      Math.round(this.#now() + seconds * 1000),
      this.#now(),
    );
    return rows.length > 0;
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    const { query } = await this.#open();
    await query(`DELETE FROM ${LEASES} WHERE name = ? AND holder = ?`, name, holder);
  }

  async ready(): Promise<void> {
    const { table, query } = await this.#open();
    await query(`SELECT 1 FROM ${table} LIMIT 1`);
  }

  async close(): Promise<void> {
    await this.#sweep.settled();
    const opening = this.#opening;
    this.#opening = undefined;
    this.#connection = undefined;
    const connection = await opening?.catch(() => undefined);
    if (!connection) return;
    await this.#bounds?.flush(connection).catch(() => {});
    await connection.close();
  }

  /** Opens the file on first use; a failure is tried again with the next. */
  #open(): Promise<SqliteConnection> {
    this.#opening ??= this.#connect().then(
      (connection) => {
        this.#connection = connection;
        return connection;
      },
      (error) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  async #connect(): Promise<SqliteConnection> {
    const { busyTimeout = DEFAULT_BUSY_TIMEOUT, fastSave = false } = this.#options;
    const connection = await connectSqlite(this.file, { busyTimeout: busyTimeout * 1000, fastSave });
    try {
      for (const index of indexes(connection.table)) await connection.query(index);
      await this.#bounds?.open(connection);
    } catch (error) {
      await connection.close().catch(() => {});
      throw error;
    }
    return connection;
  }

  /** Whether each of the rows that were deleted is one to be counted. */
  async #delete(where: string, ...parameters: unknown[]): Promise<boolean[]> {
    const { table, query } = await this.#open();
    const rows = await query(`DELETE FROM ${table} WHERE ${where} RETURNING ${COUNTS} AS counts`, ...parameters);
    return rows.map(({ counts }) => counts === 1);
  }
}

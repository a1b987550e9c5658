import { rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Entry, EntrySummary } from '../models/entry.js';
import { RetentionSweep } from './retention.js';
import { FIELDS, HEAD_LENGTH, instantField, kindField, packRow, parseRow, parseSummary, unreadable } from './row.js';
import { connectSqlite, type SqliteConnection } from './sqlite-connection.js';
import type { EntryQuery, Store } from './store.js';

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

const USES = 'uses_v1';
const LEASES = 'leases_v1';
/** What SQLite says of a file that it can't read; the drivers put its code into the message, or not. */
const DAMAGED = /SQLITE_(NOTADB|CORRUPT)|file is not a database|image is malformed/;
const DEFAULT_BUSY_TIMEOUT = 5;
const PAGE = 500;
/** After eviction there is room for some writes before the next. */
const EVICTION_GOAL = 0.9;
/** Uses that are noted in memory before they are written down. */
const USES_AT_ONCE = 100;

/** A field of the head as SQL; its value is a BLOB, as what it is compared with must be. */
function column(field: keyof typeof FIELDS): string {
  const [offset, length] = FIELDS[field];
  return `substr(value, ${offset + 1}, ${length})`;
}

function number(field: keyof typeof FIELDS): string {
  return `CAST(CAST(${column(field)} AS TEXT) AS INTEGER)`;
}

const IS_ROW = `${column('magic')} = x'414b4331'`;
const COUNTS = `${column('kind')} NOT IN (${blob(kindField('variants'))}, ${blob(kindField('redirect'))})`;
const SUMMARY = `substr(value, 1, ${HEAD_LENGTH} + ${number('signatureLength')} + ${number('metaLength')})`;
function indexes(table: string): string[] {
  return [
    `CREATE INDEX IF NOT EXISTS ${table}_expires ON ${table} (${column('expires')}, ${column('kind')})`,
    `CREATE INDEX IF NOT EXISTS ${table}_group ON ${table} (${column('group')})`,
    `CREATE INDEX IF NOT EXISTS ${table}_url ON ${table} (${column('url')})`,
    `CREATE INDEX IF NOT EXISTS ${table}_other_url ON ${table} (${column('otherUrl')})`,
  ];
}

function blob(text: string): string {
  return `x'${Buffer.from(text, 'latin1').toString('hex')}'`;
}

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
  #uses = new Map<string, number>();
  /** What is known of the table's extent; undefined where it has to be counted. */
  #extent: { entries: number; bytes: number } | undefined;
  readonly #sweep: RetentionSweep;

  constructor(cacheName: string, options: SqliteStoreOptions, now: () => number) {
    this.file = sqliteFile(cacheName, options);
    this.#options = options;
    this.#now = now;
    this.#sweep = new RetentionSweep(options.retention, now);
  }

  async find(id: string): Promise<Entry | undefined> {
    const value = await (this.#connection ?? (await this.#open())).get(id);
    if (value === undefined || value === null) return undefined;
    if (this.#isBounded()) this.#noteUse(id);
    return value instanceof Uint8Array ? parseRow(id, value) : unreadable(id, String(value).length);
  }

  async put(entry: Entry): Promise<void> {
    const connection = this.#connection ?? (await this.#open());
    await connection.set(entry.id, packRow(entry));
    if (this.#isBounded()) await this.#keepBounds(connection, entry);
    await this.#dropRetained(connection);
  }

  async drop(ids: readonly string[]): Promise<number> {
    const group = `${column('group')} IN (SELECT CAST(value AS BLOB) FROM json_each(?))`;
    const listed = JSON.stringify(ids);
    return this.#delete(`key IN (SELECT value FROM json_each(?)) OR ${group}`, listed, listed);
  }

  async dropExact(ids: readonly string[]): Promise<number> {
    return this.#delete('key IN (SELECT value FROM json_each(?))', JSON.stringify(ids));
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
        yield summary instanceof Uint8Array ? parseSummary(key, summary, size) : unreadable(key, size);
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

  async purge(now: number): Promise<number> {
    return this.#delete(`${column('expires')} <= ? AND ${IS_ROW}`, Buffer.from(instantField(now)));
  }

  /** A file that is damaged, or no database at all, is replaced by a new one. */
  async clear(): Promise<void> {
    this.#extent = undefined;
    try {
      const { table, query } = await this.#open();
      await query(`DELETE FROM ${table}`);
      if (this.#isBounded()) await query(`DELETE FROM ${USES}`);
    } catch (error) {
      if (!DAMAGED.test(String((error as Error).message))) throw error;
      await this.close();
      for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(this.file + suffix, { force: true });
      await this.#open();
    }
  }

  async claim(name: string, holder: string, seconds: number): Promise<boolean> {
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

  async release(name: string, holder: string): Promise<void> {
    const { query } = await this.#open();
    await query(`DELETE FROM ${LEASES} WHERE name = ? AND holder = ?`, name, holder);
  }

  async ready(): Promise<void> {
    const { table, query } = await this.#open();
    await query(`SELECT 1 FROM ${table} LIMIT 1`);
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#connection = undefined;
    const connection = await opening?.catch(() => undefined);
    if (!connection) return;
    if (this.#uses.size > 0) await this.#writeUses(connection).catch(() => {});
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
      if (this.#isBounded())
        await connection.query(`CREATE TABLE IF NOT EXISTS ${USES} (key TEXT PRIMARY KEY, used INTEGER)`);
    } catch (error) {
      await connection.close().catch(() => {});
      throw error;
    }
    return connection;
  }

  async #delete(where: string, ...parameters: unknown[]): Promise<number> {
    const { table, query } = await this.#open();
    const rows = await query(`DELETE FROM ${table} WHERE ${where} RETURNING ${COUNTS} AS counts`, ...parameters);
    this.#extent = undefined;
    return rows.filter(({ counts }) => counts === 1).length;
  }

  #isBounded(): boolean {
    return this.#options.maxEntries !== undefined || this.#options.maxSize !== undefined;
  }

  /** Uses are written down in batches: a hit costs no write. */
  #noteUse(id: string): void {
    this.#uses.set(id, this.#now());
    if (this.#uses.size >= USES_AT_ONCE && this.#connection) this.#writeUses(this.#connection).catch(() => {});
  }

  async #writeUses({ query }: SqliteConnection): Promise<void> {
    const uses = this.#uses;
    this.#uses = new Map();
    const insert = `INSERT INTO ${USES} SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
      ON CONFLICT (key) DO UPDATE SET used = max(used, excluded.used)`;
    await query(insert, JSON.stringify([...uses]));
  }

  /** Counts on from what is known, and looks again only when a bound seems to be reached. */
  async #keepBounds(connection: SqliteConnection, { id, size }: Entry): Promise<void> {
    this.#uses.set(id, this.#now());
    const { maxEntries = Number.POSITIVE_INFINITY, maxSize = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#extent) {
      this.#extent.entries += 1;
      this.#extent.bytes += size;
      if (this.#extent.entries <= maxEntries && this.#extent.bytes <= maxSize) return;
    }
    this.#extent = await this.#measure(connection);
    const { entries, bytes } = this.#extent;
    if (entries <= maxEntries && bytes <= maxSize) return;
    await this.#writeUses(connection);
    await this.#evict(
      connection,
      entries > maxEntries ? entries - maxEntries * EVICTION_GOAL : 0,
      bytes > maxSize ? bytes - maxSize * EVICTION_GOAL : 0,
    );
    this.#extent = await this.#measure(connection);
  }

  async #measure({ table, query }: SqliteConnection): Promise<{ entries: number; bytes: number }> {
    const [row] = await query(`SELECT count(*) AS entries, total(length(value)) AS bytes FROM ${table}`);
    return { entries: Number(row?.entries ?? 0), bytes: Number(row?.bytes ?? 0) };
  }

  /** Deletes the least recently used until so many entries and bytes are gone. */
  async #evict({ table, query }: SqliteConnection, entries: number, bytes: number): Promise<void> {
    const ranked = `SELECT t.key AS key, row_number() OVER oldest AS place,
        sum(length(t.value)) OVER (oldest ROWS UNBOUNDED PRECEDING) - length(t.value) AS before
      FROM ${table} t LEFT JOIN ${USES} u ON u.key = t.key
      WINDOW oldest AS (ORDER BY coalesce(u.used, 0), t.key)`;
    await query(
      `DELETE FROM ${table} WHERE key IN (SELECT key FROM (${ranked}) WHERE place <= ? OR before < ?)`,
      Math.ceil(entries),
      bytes,
    );
    await query(`DELETE FROM ${USES} WHERE key NOT IN (SELECT key FROM ${table})`);
  }

  async #dropRetained({ table, query }: SqliteConnection): Promise<void> {
    const until = this.#sweep.due();
    if (until === undefined) return;
    const expired = Buffer.from(instantField(until));
    await query(`DELETE FROM ${table} WHERE ${column('expires')} <= ? AND ${IS_ROW}`, expired);
  }
}

/** A query as SQL; head fields are compared as BLOBs. */
function conditions(query: EntryQuery): { where: string; parameters: unknown[] } {
  const terms: string[] = ['1'];
  const parameters: unknown[] = [];
  const add = (term: string, ...values: (string | Buffer)[]) => {
    terms.push(term);
    parameters.push(...values);
  };
  if (query.kind === 'unknown') add(`NOT (${IS_ROW})`);
  else if (query.kind !== undefined) add(`${column('kind')} = ?`, Buffer.from(kindField(query.kind)));
  if (query.group !== undefined) add(`(key = ? OR ${column('group')} = ?)`, query.group, Buffer.from(query.group));
  if (query.url !== undefined) {
    add(`(${column('url')} = ? OR ${column('otherUrl')} = ?)`, Buffer.from(query.url), Buffer.from(query.url));
  }
  if (query.expiredBy !== undefined) add(`${column('expires')} <= ?`, Buffer.from(instantField(query.expiredBy)));
  if (query.freshAt !== undefined) add(`${column('expires')} > ?`, Buffer.from(instantField(query.freshAt)));
  if (query.createdBefore !== undefined)
    add(`${column('created')} < ?`, Buffer.from(instantField(query.createdBefore)));
  return { where: terms.join(' AND '), parameters };
}

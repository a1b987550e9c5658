import type { Entry, EntrySummary } from '../../models/entry.js';
import { isBytes } from '../../platform/bytes.js';
import { chain, type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { invalidatedBy, isDirect } from '../entry-query.js';
import type { PreferredStore } from '../fallback.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery } from '../store.js';
import { failureKind, StoreFailure } from '../store-failure.js';
import { packEntry, packSummary, parseEntry, unreadable } from '../stored-form.js';
import { SqliteBounds } from './bounds.js';
import type { SqliteDriverName } from './choose-driver.js';
import { Database } from './database.js';
import type { Row, SqlValue, Statement } from './driver.js';
import { EntryTable } from './entry-table.js';
import { isBusy, isDamaged, isFull } from './failures.js';
import { DatabaseFile, type SqliteFileOptions, sqliteFile } from './file.js';
import { CURRENT_ORDER, Invalidations } from './invalidations.js';
import { Leases } from './leases.js';
import { DiskReserve } from './reserve.js';
import { createTables, HAS_TABLES, IS_INVALIDATED, putStatement, REPLACE, TABLE } from './schema.js';

export interface SqliteStoreOptions extends SqliteFileOptions {
  /**
   * Which package opens the file: `'node'` is `node:sqlite`, `'keyv'` is `@keyv/sqlite` 4. The file is the same. Default:
   * `node:sqlite` if the runtime has it and does not call it experimental, else `@keyv/sqlite` if it is installed.
   *
   * @example
   * new SqliteCache({ driver: 'node' });
   */
  readonly driver?: SqliteDriverName | undefined;
  /**
   * Seconds to retry while another process writes. Default: 5.
   *
   * @example
   * new SqliteCache({ busyTimeout: 10 });
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Writes faster, at the risk that a power cut damages the file. Default: `false`.
   *
   * @example
   * new SqliteCache({ fastSave: true });
   */
  readonly fastSave?: boolean | undefined;
  /**
   * Largest number of entries; the least recently used are evicted. Default: no bound.
   *
   * @example
   * new SqliteCache({ maxEntries: 10_000 });
   */
  readonly maxEntries?: number | undefined;
  /**
   * Largest number of bytes of all entries; the least recently used are evicted. Default: no bound.
   *
   * @example
   * new SqliteCache({ maxSize: 500_000_000 });
   */
  readonly maxSize?: number | undefined;
  /** Seconds for which an entry is kept after it expired. Default: forever. */
  readonly retention?: number | undefined;
}

const DEFAULT_BUSY_TIMEOUT = 5;
/** Largest value of SQLite in the builds that the drivers have. */
const LARGEST_VALUE = 1_000_000_000;

const FIND = `SELECT value FROM ${TABLE} WHERE key = ?`;

/** Stores entries in a SQLite file. Both drivers, and processes on different versions of Node.js, share its format. */
export class SqliteStore implements PreferredStore {
  readonly name = 'sqlite';
  /** The absolute path of the file, or `':memory:'`. */
  readonly file: string;
  readonly maxEntrySize: number;
  readonly #file: DatabaseFile;
  readonly #database: Database;
  readonly #table: EntryTable;
  readonly #bounds: SqliteBounds | undefined;
  readonly #sweep: RetentionSweep;
  readonly #invalidations: Invalidations;
  readonly #leases = new Leases();
  readonly #reserve: DiskReserve;

  constructor(cacheName: string, options: SqliteStoreOptions, now: () => number) {
    const { maxEntries, maxSize, retention, driver, busyTimeout = DEFAULT_BUSY_TIMEOUT, fastSave = false } = options;
    this.file = sqliteFile(cacheName, options);
    this.maxEntrySize = Math.min(maxSize ?? Number.POSITIVE_INFINITY, LARGEST_VALUE);
    const isBounded = maxEntries !== undefined || maxSize !== undefined;
    this.#bounds = isBounded ? new SqliteBounds(maxEntries, maxSize, now) : undefined;
    this.#file = new DatabaseFile(this.file);
    this.#reserve = new DiskReserve(this.#file);
    const settings = { driver, busyTimeout: busyTimeout * 1000, fastSave };
    this.#database = new Database(this.#file, settings, {
      exists: HAS_TABLES,
      create: createTables,
      onOpen: (connection) => this.#bounds?.open(connection),
    });
    this.#table = new EntryTable(this.#database, this.#reserve);
    this.#sweep = new RetentionSweep(retention, now);
    this.#invalidations = new Invalidations(now);
  }

  get location(): string | undefined {
    return this.#file.isInMemory ? undefined : this.file;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    return recover(
      () =>
        chain(
          this.#database.read((connection) => connection.get(FIND, id)),
          (row) => this.#entryOf(id, row),
        ),
      (error) => unreadableFor(id, error),
    );
  }

  #entryOf(id: string, row: Row | undefined): Entry | undefined {
    if (row === undefined) return undefined;
    if (this.#bounds?.used(id)) this.#writeUses(this.#bounds);
    const { value } = row;
    return isBytes(value) ? parseEntry(id, value) : unreadable(id, String(value).length);
  }

  /** A hit does not wait for it; uses that cannot be written are lost. */
  #writeUses(bounds: SqliteBounds): void {
    recover(
      () => this.#database.write((connection) => bounds.flush(connection)),
      () => undefined,
    );
  }

  put(entries: readonly Entry[]): MaybePromise<boolean> {
    if (entries.length === 0) return true;
    const values = entries.map((entry) => this.#packed(entry));
    const invalidated = invalidatedParameters(entries);
    const write: Statement = {
      sql: putStatement(entries.length),
      parameters: [...entries.flatMap(({ id }, index) => [id, values[index] as Buffer]), ...invalidated],
    };
    const ids = entries.map(({ id }) => id);
    return chain(this.#write(write, ids, values), (rows) => {
      if (rows.length > 0) return true;
      // Redirects alone may have been left out for the entries in their places.
      return entries.some((entry) => isDirect(entry)) ? false : this.#isCurrent(invalidated);
    });
  }

  replace(entry: Entry, replacement: Entry): MaybePromise<boolean> {
    const [value, summary] = [this.#packed(replacement), packSummary(entry)];
    const write: Statement = { sql: REPLACE, parameters: [value, entry.id, summary.byteLength, summary] };
    return chain(this.#write(write, [entry.id], [value]), (rows) => rows.length > 0);
  }

  /** @throws StoreFailure if the entry is larger than the store accepts */
  #packed(entry: Entry): Buffer {
    const packed = packEntry(entry);
    if (packed.byteLength <= this.maxEntrySize) return packed;
    const message = `an entry of ${packed.byteLength} bytes is larger than ${this.maxEntrySize} bytes`;
    throw new StoreFailure('entry', message);
  }

  /** Runs a statement that writes these values under these keys; returns its rows. */
  #write(write: Statement, ids: readonly string[], values: readonly Buffer[]): MaybePromise<readonly Row[]> {
    const written = this.#database.write((connection) =>
      this.#bounds
        ? connection.transaction(this.#bounds.within(write, ids))
        : connection.run(write.sql, ...write.parameters),
    );
    return chain(written, (rows) => {
      this.#reserve.wrote(values.reduce((sum, { byteLength }) => sum + byteLength, 0));
      this.#sweep.start((until) => this.deleteExpired(until));
      return rows;
    });
  }

  #isCurrent(invalidated: readonly SqlValue[]): MaybePromise<boolean> {
    const found = this.#database.read((connection) =>
      connection.get(`SELECT ${IS_INVALIDATED} AS found`, ...invalidated),
    );
    return chain(found, (row) => row?.found === 0);
  }

  currentOrder(): MaybePromise<number> {
    const row = this.#database.read((connection) => connection.get(CURRENT_ORDER));
    return chain(row, (found) => Number(found?.stamp ?? 0));
  }

  invalidate(digests: readonly string[]): MaybePromise<void> {
    return this.#table.withRoom(() =>
      this.#database.write((connection) => connection.transaction(this.#invalidations.record(digests))),
    );
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#table.deleteListed(ids, 'group');
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#table.deleteListed(ids, 'id');
  }

  list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    return this.#table.list(query);
  }

  count(query: EntryQuery = {}): Promise<number> {
    return this.#table.count(query);
  }

  deleteExpired(now: number): AsyncGenerator<number> {
    return this.#table.deleteExpired(now);
  }

  /**
   * A file that is damaged, or has no room even for deletions, is replaced by a new one. One that nothing shows to be ours is
   * kept under another name; one that has tables of others stays.
   */
  async *clear(): AsyncGenerator<unknown> {
    try {
      yield* this.#table.clear();
    } catch (error) {
      if (!isDamaged(error) && !isFull(error)) throw error;
      yield await this.#database.replace(error);
    }
    this.#database.removeDamaged();
  }

  onReplaced(listener: (error: Error) => void): void {
    this.#database.onReplaced(listener);
  }

  vacuum(): AsyncGenerator<unknown> {
    return this.#table.vacuum(true);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#database.write((connection) => this.#leases.acquire(connection, name, holder, seconds));
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await this.#database.write((connection) => this.#leases.release(connection, name, holder));
  }

  async ready(): Promise<void> {
    await this.#database.read((connection) => connection.get(`SELECT 1 FROM ${TABLE} LIMIT 1`));
  }

  /** A damaged or locked file is no obstacle: it may pass, or `clear()` mends it. */
  async findObstacle(): Promise<Error | undefined> {
    try {
      await this.#database.openForWriting();
      return undefined;
    } catch (error) {
      return isDamaged(error) || isBusy(error) ? undefined : (error as Error);
    }
  }

  async close(): Promise<void> {
    await this.#table.close();
    await this.#sweep.settled();
    this.#reserve.release();
    await this.#database.end((connection) => this.#bounds?.flush(connection));
  }
}

function invalidatedParameters(entries: readonly Entry[]): SqlValue[] {
  const order = Math.min(...entries.map((entry) => entry.order));
  return [order, order, JSON.stringify(entries.flatMap(invalidatedBy))];
}

/** A row that cannot be read is an unreadable entry; other failures concern the file. */
function unreadableFor(id: string, error: unknown): Entry {
  if (failureKind(error) === 'entry') return unreadable(id, 0);
  throw error;
}

import { setImmediate as turn } from 'node:timers/promises';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { isBytes } from '../../platform/bytes.js';
import { chain, type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { batches, isDirect } from '../entry-query.js';
import type { PreferredStore } from '../fallback.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery } from '../store.js';
import { failureKind, StoreFailure } from '../store-failure.js';
import { bodyLengthOf, instantField, packEntry, parseEntry, parseSummary, unreadable } from '../stored-form.js';
import { SqliteBounds } from './bounds.js';
import type { SqliteDriverName } from './choose-driver.js';
import { Database } from './database.js';
import type { Row, SqliteConnection, SqlValue, Statement } from './driver.js';
import { isBusy, isDamaged, isFull } from './failures.js';
import { DatabaseFile, type SqliteFileOptions, sqliteFile } from './file.js';
import { CURRENT_ORDER, Invalidations } from './invalidations.js';
import { Leases } from './leases.js';
import { DiskReserve } from './reserve.js';
import {
  COUNT_ALL,
  COUNTS,
  type Conditions,
  conditions,
  createTables,
  HAS_TABLES,
  IN_GROUPS,
  IS_EXPIRED,
  IS_INVALIDATED,
  putStatement,
  SUMMARY,
  TABLE,
} from './schema.js';
import { checkpoint, isVacuumWorthwhile, vacuum } from './space.js';

export interface SqliteStoreOptions extends SqliteFileOptions {
  /**
   * Which package opens the file: `'node'` is `node:sqlite`, `'keyv'` is `@keyv/sqlite` 4. The file is the same. Default:
   * `node:sqlite` if the runtime has it and does not call it experimental, else `@keyv/sqlite` if it is installed.
   *
   * @example driver: 'node'
   */
  readonly driver?: SqliteDriverName | undefined;
  /** Seconds to retry while another process writes. Default: 5. */
  readonly busyTimeout?: number | undefined;
  /** Writes faster, at the risk that a power cut damages the file. Default: `false`. */
  readonly fastSave?: boolean | undefined;
  /** Largest number of entries; the least recently used are evicted. Default: no bound. */
  readonly maxEntries?: number | undefined;
  /** Largest number of bytes of all entries; the least recently used are evicted. Default: no bound. */
  readonly maxSize?: number | undefined;
  /** Seconds for which an entry is kept after it expired. Default: forever. */
  readonly retention?: number | undefined;
}

const DEFAULT_BUSY_TIMEOUT = 5;
/** Largest value of SQLite in the builds that the drivers have. */
const LARGEST_VALUE = 1_000_000_000;
/** Rows of one step: it blocks the event loop with `node:sqlite`. */
const DELETED_AT_ONCE = 100;
const LISTED_AT_ONCE = 250;

const WINDOW_END = `SELECT key FROM ${TABLE} WHERE key > ? ORDER BY key LIMIT 1 OFFSET ${LISTED_AT_ONCE}`;
const FIND = `SELECT value FROM ${TABLE} WHERE key = ?`;

/** Stores entries in a SQLite file. Both drivers, and processes on different versions of Node.js, share its format. */
export class SqliteStore implements PreferredStore {
  readonly name = 'sqlite';
  /** The absolute path of the file, or `':memory:'`. */
  readonly file: string;
  readonly maxEntrySize: number;
  readonly #file: DatabaseFile;
  readonly #database: Database;
  readonly #bounds: SqliteBounds | undefined;
  readonly #sweep: RetentionSweep;
  readonly #invalidations: Invalidations;
  readonly #leases = new Leases();
  readonly #reserve: DiskReserve;
  #vacuuming: Promise<void> | undefined;

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
    this.#sweep = new RetentionSweep(retention, now);
    this.#invalidations = new Invalidations(now);
  }

  get location(): string | undefined {
    return this.#file.isInMemory ? undefined : this.file;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    return recover(
      () => this.#database.read((connection) => this.#find(connection, id)),
      (error) => unreadableFor(id, error),
    );
  }

  #find(connection: SqliteConnection, id: string): MaybePromise<Entry | undefined> {
    return chain(connection.get(FIND, id), (row) => {
      if (row === undefined) return undefined;
      this.#bounds?.used(connection, id);
      const { value } = row;
      return isBytes(value) ? parseEntry(id, value) : unreadable(id, String(value).length);
    });
  }

  put(entries: readonly Entry[]): MaybePromise<boolean> {
    if (entries.length === 0) return true;
    const values = entries.map((entry) => packEntry(entry));
    for (const { byteLength } of values) {
      if (byteLength > this.maxEntrySize)
        throw new StoreFailure('entry', `an entry of ${byteLength} bytes is larger than ${this.maxEntrySize} bytes`);
    }
    const invalidated = invalidatedParameters(entries);
    const write: Statement = {
      sql: putStatement(entries.length),
      parameters: [...entries.flatMap(({ id }, index) => [id, values[index] as Buffer]), ...invalidated],
    };
    const written = this.#database.write((connection) =>
      this.#bounds
        ? connection.transaction(
            this.#bounds.within(
              write,
              entries.map(({ id }) => id),
            ),
          )
        : connection.run(write.sql, ...write.parameters),
    );
    return chain(written, (rows) => {
      this.#reserve.wrote(values.reduce((sum, { byteLength }) => sum + byteLength, 0));
      this.#sweep.start((until) => this.deleteExpired(until));
      if (rows.length > 0) return true;
      // Redirects alone may have been left out for the entries in their places.
      return entries.some((entry) => isDirect(entry)) ? false : this.#isCurrent(invalidated);
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
    return this.#withRoom(() =>
      this.#database.write((connection) => connection.transaction(this.#invalidations.record(digests))),
    );
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#deleteListed(ids, IN_GROUPS);
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#deleteListed(ids, `SELECT key FROM ${TABLE} WHERE key IN (SELECT value FROM json_each(?1))`);
  }

  async #deleteListed(ids: readonly string[], keys: string): Promise<number> {
    let removed = 0;
    for (const batch of batches(ids, DELETED_AT_ONCE)) {
      for await (const { counted } of this.#deleteInSteps(
        `key IN (${keys} LIMIT ${DELETED_AT_ONCE})`,
        JSON.stringify(batch),
      ))
        removed += counted;
    }
    if (ids.length > 0) this.#vacuumInBackground();
    return removed;
  }

  /** Callers of a deletion do not wait for the space. */
  #vacuumInBackground(): void {
    this.#vacuuming ??= this.#vacuumIfWorthwhile()
      .catch(() => {})
      .finally(() => {
        this.#vacuuming = undefined;
      });
  }

  async #vacuumIfWorthwhile(): Promise<void> {
    await turn();
    if (await isVacuumWorthwhile(this.#database)) for await (const _ of this.vacuum(false));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const select = `SELECT key, length(value) AS size, ${SUMMARY} AS summary FROM ${TABLE}`;
    for await (const rows of this.#pages(select, conditions(query))) {
      for (const row of rows) {
        const summary = summaryOf(row);
        if (query.kind === undefined || summary.kind === query.kind) yield summary;
      }
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    if (Object.values(query).every((value) => value === undefined)) {
      return Number((await this.#database.read((connection) => connection.get(COUNT_ALL)))?.number);
    }
    const counted = query.kind === undefined ? COUNTS : '1';
    let number = 0;
    for await (const rows of this.#pages(`SELECT key, ${counted} AS counted FROM ${TABLE}`, conditions(query))) {
      for (const row of rows) number += Number(row.counted);
    }
    return number;
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    const expired = `rowid IN (SELECT rowid FROM ${TABLE} WHERE ${IS_EXPIRED} LIMIT ${DELETED_AT_ONCE})`;
    let isAnyGone = false;
    for await (const { deleted, counted } of this.#deleteInSteps(expired, Buffer.from(instantField(now)))) {
      isAnyGone ||= deleted > 0;
      yield counted;
    }
    if (isAnyGone) for await (const _ of this.vacuum(false)) yield 0;
  }

  /** A file that is damaged, or has no room even for deletions, is replaced by a new one. */
  async *clear(): AsyncGenerator<unknown> {
    try {
      yield* this.#deleteInSteps(`rowid IN (SELECT rowid FROM ${TABLE} LIMIT ${DELETED_AT_ONCE})`);
      yield* this.vacuum(false);
    } catch (error) {
      if (!isDamaged(error) && !isFull(error)) throw error;
      yield await this.#database.replace();
    }
  }

  async *vacuum(isRewriteAllowed = true): AsyncGenerator<unknown> {
    for await (const step of vacuum(this.#database, isRewriteAllowed)) {
      yield step;
      await turn();
    }
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
    await this.#sweep.settled();
    await this.#vacuuming;
    this.#reserve.release();
    await this.#database.closeAfter((connection) => this.#bounds?.flush(connection));
  }

  /** Does something that is to work on a full disk too. */
  #withRoom<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    return recover(work, async (error) => {
      if (!isFull(error)) throw error;
      this.#reserve.release();
      await checkpoint(this.#database).catch(() => {});
      return work();
    });
  }

  /** Deletes the rows of a condition that finds at most so many of them at once; yields what each step deleted. */
  async *#deleteInSteps(
    where: string,
    ...parameters: SqlValue[]
  ): AsyncGenerator<{ readonly deleted: number; readonly counted: number }> {
    const sql = `DELETE FROM ${TABLE} WHERE ${where} RETURNING ${COUNTS} AS counted`;
    for (;;) {
      const rows = await this.#withRoom(() => this.#database.write((connection) => connection.run(sql, ...parameters)));
      yield { deleted: rows.length, counted: rows.filter(({ counted }) => counted === 1).length };
      if (rows.length < DELETED_AT_ONCE) return;
      await turn();
    }
  }

  /** Rows of a query, in steps of bounded time: no statement stays open meanwhile, which would let the WAL grow. */
  async *#pages(select: string, { where, parameters, isSelective }: Conditions): AsyncGenerator<readonly Row[]> {
    const read = (limit: string, ...values: SqlValue[]) =>
      this.#database.read((connection) => connection.many(`${select} WHERE key > ? AND ${where} ${limit}`, ...values));
    for (let after = ''; ; await turn()) {
      let next: string | undefined;
      if (isSelective) {
        const rows = await read(`ORDER BY key LIMIT ${LISTED_AT_ONCE}`, after, ...parameters);
        yield rows;
        if (rows.length === LISTED_AT_ONCE) next = String(rows.at(-1)?.key);
      } else {
        next = await this.#windowEnd(after);
        yield await read('AND key <= ? ORDER BY key', after, ...parameters, next ?? LAST_KEY);
      }
      if (next === undefined) return;
      after = next;
    }
  }

  /** The last key of the next step of a pass over all entries; undefined if it is the last step. */
  async #windowEnd(after: string): Promise<string | undefined> {
    const row = await this.#database.read((connection) => connection.get(WINDOW_END, after));
    return row && String(row.key);
  }
}

/** Sorts after every key. */
const LAST_KEY = '\u{10ffff}';

function invalidatedParameters(entries: readonly Entry[]): SqlValue[] {
  const order = Math.min(...entries.map((entry) => entry.order));
  return [order, order, JSON.stringify(entries.flatMap(({ indexes }) => indexes))];
}

/** A row that cannot be read is an unreadable entry; other failures concern the file. */
function unreadableFor(id: string, error: unknown): Entry {
  if (failureKind(error) === 'entry') return unreadable(id, 0);
  throw error;
}

function summaryOf({ key, size, summary }: Row): EntrySummary {
  const [id, whole] = [String(key), Number(size)];
  if (!isBytes(summary)) return unreadable(id, whole);
  const isWhole = summary.byteLength + (bodyLengthOf(summary) ?? Number.NaN) === whole;
  return isWhole ? parseSummary(id, summary, whole) : unreadable(id, whole);
}

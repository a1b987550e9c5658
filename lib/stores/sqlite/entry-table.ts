import type { EntrySummary } from '../../models/entry.js';
import { isBytes } from '../../platform/bytes.js';
import { type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { yieldToEventLoop } from '../../platform/real-time.js';
import { batches } from '../concurrency.js';
import type { EntryQuery } from '../store.js';
import { instantField, parseWholeSummary, unreadable } from '../stored-form.js';
import type { Database } from './database.js';
import { LAST_KEY, type Row, type SqlValue } from './driver.js';
import { isFull } from './failures.js';
import type { DiskReserve } from './reserve.js';
import { COUNT_ALL, COUNTS, type Conditions, conditions, IN_GROUPS, IS_EXPIRED, SUMMARY, TABLE } from './schema.js';
import { checkpoint, isVacuumWorthwhile, vacuum } from './space.js';

/** Rows of one step, which blocks the event loop with `node:sqlite`. */
const DELETED_AT_ONCE = 100;
const LISTED_AT_ONCE = 250;

const BY_ID = `SELECT key FROM ${TABLE} WHERE key IN (SELECT value FROM json_each(?1))`;
const WINDOW_END = `SELECT key FROM ${TABLE} WHERE key > ? ORDER BY key LIMIT 1 OFFSET ${LISTED_AT_ONCE}`;

interface Step {
  readonly deleted: number;
  /** Those that count as responses. */
  readonly counted: number;
}

/** The table of entries, listed, counted and deleted from in steps of bounded time. */
export class EntryTable {
  readonly #database: Database;
  readonly #reserve: DiskReserve;
  #vacuuming: Promise<void> | undefined;
  #isClosing = false;

  constructor(database: Database, reserve: DiskReserve) {
    this.#database = database;
    this.#reserve = reserve;
  }

  async *list(query: EntryQuery): AsyncGenerator<EntrySummary> {
    const select = `SELECT key, length(value) AS size, ${SUMMARY} AS summary FROM ${TABLE}`;
    for await (const rows of this.#pages(select, conditions(query))) {
      for (const row of rows) {
        const summary = summaryOf(row);
        if (query.kind === undefined || summary.kind === query.kind) yield summary;
      }
    }
  }

  async count(query: EntryQuery): Promise<number> {
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

  /** Resolves to the number of responses; their space is returned in the background. */
  async deleteListed(ids: readonly string[], by: 'id' | 'group'): Promise<number> {
    const where = `key IN (${by === 'id' ? BY_ID : IN_GROUPS} LIMIT ${DELETED_AT_ONCE})`;
    let removed = 0;
    for (const batch of batches(ids, DELETED_AT_ONCE)) {
      for await (const { counted } of this.#delete(where, JSON.stringify(batch))) removed += counted;
    }
    if (ids.length > 0) this.#vacuumInBackground();
    return removed;
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    const expired = `rowid IN (SELECT rowid FROM ${TABLE} WHERE ${IS_EXPIRED} LIMIT ${DELETED_AT_ONCE})`;
    let isAnyGone = false;
    for await (const { deleted, counted } of this.#delete(expired, Buffer.from(instantField(now)))) {
      isAnyGone ||= deleted > 0;
      yield counted;
    }
    if (isAnyGone) for await (const _ of this.vacuum(false)) yield 0;
  }

  async *clear(): AsyncGenerator<unknown> {
    yield* this.#delete(`rowid IN (SELECT rowid FROM ${TABLE} LIMIT ${DELETED_AT_ONCE})`);
    yield* this.vacuum(false);
  }

  async *vacuum(isRewriteAllowed: boolean): AsyncGenerator<unknown> {
    for await (const step of vacuum(this.#database, isRewriteAllowed)) {
      yield step;
      if (this.#isClosing) return;
      await yieldToEventLoop();
    }
  }

  /** Does something that has to work on a full disk too. */
  withRoom<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    return recover(work, async (error) => {
      if (!isFull(error)) throw error;
      this.#reserve.release();
      await checkpoint(this.#database).catch(() => {});
      return work();
    });
  }

  /** Ends work in the background at its next step. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#vacuuming;
  }

  #vacuumInBackground(): void {
    this.#vacuuming ??= this.#vacuumIfWorthwhile()
      .catch(() => {})
      .finally(() => {
        this.#vacuuming = undefined;
      });
  }

  async #vacuumIfWorthwhile(): Promise<void> {
    await yieldToEventLoop();
    if (await isVacuumWorthwhile(this.#database)) for await (const _ of this.vacuum(false));
  }

  /** Deletes the rows of a condition that finds at most so many of them at once. */
  async *#delete(where: string, ...parameters: SqlValue[]): AsyncGenerator<Step> {
    const sql = `DELETE FROM ${TABLE} WHERE ${where} RETURNING ${COUNTS} AS counted`;
    for (;;) {
      const rows = await this.withRoom(() => this.#database.write((connection) => connection.run(sql, ...parameters)));
      yield { deleted: rows.length, counted: rows.filter(({ counted }) => counted === 1).length };
      if (rows.length < DELETED_AT_ONCE || this.#isClosing) return;
      await yieldToEventLoop();
    }
  }

  /** Rows of a query. No statement stays open between two steps, which would let the WAL grow. */
  async *#pages(select: string, { where, parameters, isSelective }: Conditions): AsyncGenerator<readonly Row[]> {
    const read = (limit: string, ...values: SqlValue[]) =>
      this.#database.read((connection) => connection.many(`${select} WHERE key > ? AND ${where} ${limit}`, ...values));
    for (let after = ''; ; await yieldToEventLoop()) {
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

  /** The last key of the next step of a pass over all entries; undefined if that step is the last. */
  async #windowEnd(after: string): Promise<string | undefined> {
    const row = await this.#database.read((connection) => connection.get(WINDOW_END, after));
    return row && String(row.key);
  }
}

function summaryOf({ key, size, summary }: Row): EntrySummary {
  const [id, whole] = [String(key), Number(size)];
  if (!isBytes(summary)) return unreadable(id, whole);
  return parseWholeSummary(id, summary, whole);
}

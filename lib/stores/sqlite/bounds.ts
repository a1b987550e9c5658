import type { MaybePromise } from '../../platform/maybe-promise.js';
import { type Row, type SqliteConnection, type Statement, statement, type Work } from './driver.js';
import { TABLE } from './schema.js';

/** Entries that one write evicts at most, so that it takes no longer than a write should. */
const EVICTED_AT_ONCE = 50;
/** Uses that are noted in memory before they are written down. */
const USES_AT_ONCE = 100;

const [USES, EXTENT] = [`${TABLE}_uses`, `${TABLE}_extent`];

/**
 * Keeps the table within a number of entries and bytes; the least recently used entry is evicted first. Triggers count,
 * so that the numbers are exact whichever process writes, and whether or not it has bounds.
 */
export class SqliteBounds {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #now: () => number;
  #uses = new Map<string, number>();

  constructor(maxEntries: number | undefined, maxSize: number | undefined, now: () => number) {
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY;
    this.#maxSize = maxSize ?? Number.POSITIVE_INFINITY;
    this.#now = now;
  }

  /** Creates the triggers if the file has none, and counts the entries that are there. */
  async open(connection: SqliteConnection): Promise<void> {
    const isCounted = `SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = '${TABLE}_removed'`;
    if (await connection.get(isCounted)) return;
    await connection.transaction(function* () {
      // Another process may have created them meanwhile.
      if ((yield statement(isCounted)).length > 0) return;
      for (const sql of COUNTING) yield statement(sql);
    });
  }

  /** Notes that an entry was used; returns whether the notes are to be written, so that a hit waits for no write. */
  used(id: string): boolean {
    this.#uses.set(id, this.#now());
    return this.#uses.size >= USES_AT_ONCE;
  }

  /** Writes the noted uses. */
  flush(connection: SqliteConnection): MaybePromise<unknown> {
    if (this.#uses.size === 0) return undefined;
    const { sql, parameters } = this.#writeUses();
    return connection.run(sql, ...parameters);
  }

  /** A write, and the evictions that it makes necessary, in one transaction. */
  within(write: Statement, ids: readonly string[]): Work<readonly Row[]> {
    const bounds = this;
    return function* () {
      const written = yield write;
      for (const id of ids) bounds.#uses.set(id, bounds.#now());
      const [extent] = yield statement(`SELECT entries, bytes FROM ${EXTENT}`);
      const entries = Number(extent?.entries) - bounds.#maxEntries;
      const bytes = Number(extent?.bytes) - bounds.#maxSize;
      const isExceeded = entries > 0 || bytes > 0;
      if (isExceeded || bounds.#uses.size >= USES_AT_ONCE) yield bounds.#writeUses();
      if (!isExceeded) return written;
      const oldest = yield statement(`SELECT key, size FROM ${USES} ORDER BY used, rowid LIMIT ${EVICTED_AT_ONCE}`);
      const evicted = JSON.stringify(enoughOf(oldest, entries, bytes));
      yield statement(`DELETE FROM ${TABLE} WHERE key IN (SELECT value FROM json_each(?))`, evicted);
      return written;
    };
  }

  #writeUses(): Statement {
    const uses = this.#uses;
    this.#uses = new Map();
    return statement(
      `UPDATE ${USES} SET used = max(${USES}.used, noted.used)
        FROM (SELECT value ->> 0 AS key, value ->> 1 AS used FROM json_each(?)) AS noted WHERE ${USES}.key = noted.key`,
      JSON.stringify([...uses]),
    );
  }
}

/** The first keys that have so many entries and bytes together, and no more. */
function enoughOf(rows: readonly Row[], entries: number, bytes: number): unknown[] {
  const keys: unknown[] = [];
  let size = 0;
  for (const row of rows) {
    if (keys.length >= entries && size >= bytes) break;
    keys.push(row.key);
    size += Number(row.size);
  }
  return keys;
}

const sizeOf = (key: string) => `coalesce((SELECT size FROM ${USES} WHERE key = ${key}), 0)`;

/** Tables that count the entries, and the triggers that write them. A new entry is as used as the one used last. */
const COUNTING: readonly string[] = [
  `CREATE TABLE ${USES} (key TEXT PRIMARY KEY, used INTEGER, size INTEGER)`,
  `CREATE INDEX ${USES}_used ON ${USES} (used)`,
  `INSERT INTO ${USES} SELECT key, 0, length(value) FROM ${TABLE}`,
  `CREATE TABLE ${EXTENT} (entries INTEGER, bytes INTEGER)`,
  `INSERT INTO ${EXTENT} SELECT count(*), coalesce(sum(size), 0) FROM ${USES}`,
  `CREATE TRIGGER ${TABLE}_stored AFTER INSERT ON ${TABLE} BEGIN
    UPDATE ${EXTENT} SET entries = entries + 1, bytes = bytes + length(new.value);
    INSERT INTO ${USES} VALUES (new.key, coalesce((SELECT max(used) FROM ${USES}), 0), length(new.value));
  END`,
  `CREATE TRIGGER ${TABLE}_replaced AFTER UPDATE OF value ON ${TABLE} BEGIN
    UPDATE ${EXTENT} SET bytes = bytes + length(new.value) - ${sizeOf('new.key')};
    UPDATE ${USES} SET size = length(new.value) WHERE key = new.key;
  END`,
  `CREATE TRIGGER ${TABLE}_removed AFTER DELETE ON ${TABLE} BEGIN
    UPDATE ${EXTENT} SET entries = entries - 1, bytes = bytes - ${sizeOf('old.key')};
    DELETE FROM ${USES} WHERE key = old.key;
  END`,
];

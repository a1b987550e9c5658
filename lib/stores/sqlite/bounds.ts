import type { Entry } from '../../models/entry.js';
import type { SqliteConnection } from './connection.js';

/** The part of a bound that is freed by an eviction, and may be written before the table is looked at again. */
const ROOM = 0.01;
/** Entries that one write evicts at most, so that it takes no longer than a write should. */
const EVICTED_AT_ONCE = 50;
/** Uses that are noted in memory before they are written down. */
const USES_AT_ONCE = 100;

/**
 * Keeps a table within a number of entries and bytes, the oldest use going first. SQLite itself keeps count, by triggers:
 * exactly, whichever process writes, and whether or not it has bounds.
 */
export class SqliteBounds {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #now: () => number;
  #uses = new Map<string, number>();
  /** What may be written before the table is looked at again. */
  #room = { entries: 0, bytes: 0 };

  constructor(maxEntries: number | undefined, maxSize: number | undefined, now: () => number) {
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY;
    this.#maxSize = maxSize ?? Number.POSITIVE_INFINITY;
    this.#now = now;
  }

  /** Has the table counted from now on, with what it holds already. */
  async open({ table, query }: SqliteConnection): Promise<void> {
    const isCounted = async () =>
      (await query("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?", `${table}_removed`)).length > 0;
    if (await isCounted()) return;
    await query('BEGIN IMMEDIATE');
    try {
      // Once more: another process may have been quicker.
      if (!(await isCounted())) for (const statement of counting(table)) await query(statement);
      await query('COMMIT');
    } catch (error) {
      await query('ROLLBACK');
      throw error;
    }
  }

  /** An entry was read, or written. Uses are written down in batches: a hit waits for no write. */
  used(connection: SqliteConnection, id: string): void {
    this.#uses.set(id, this.#now());
    if (this.#uses.size >= USES_AT_ONCE) this.flush(connection).catch(() => {});
  }

  /** An entry was written: what is too much goes. */
  async added(connection: SqliteConnection, { id, size }: Pick<Entry, 'id' | 'size'>): Promise<void> {
    this.used(connection, id);
    this.#room = { entries: this.#room.entries - 1, bytes: this.#room.bytes - size };
    if (this.#room.entries >= 0 && this.#room.bytes >= 0) return;
    const [extent] = await connection.query(`SELECT entries, bytes FROM ${connection.table}_extent`);
    const [entries, bytes] = [Number(extent?.entries), Number(extent?.bytes)];
    this.#room = {
      entries: Math.min(this.#maxEntries - entries, this.#maxEntries * ROOM),
      bytes: Math.min(this.#maxSize - bytes, this.#maxSize * ROOM),
    };
    if (entries <= this.#maxEntries && bytes <= this.#maxSize) return;
    await this.flush(connection);
    await this.#evict(
      connection,
      entries - Math.ceil(this.#maxEntries * (1 - ROOM)),
      bytes - this.#maxSize * (1 - ROOM),
    );
  }

  /** Writes down what uses were noted. */
  async flush({ table, query }: SqliteConnection): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    const update = `UPDATE ${table}_uses SET used = max(${table}_uses.used, noted.used)
      FROM (SELECT value ->> 0 AS key, value ->> 1 AS used FROM json_each(?)) AS noted WHERE ${table}_uses.key = noted.key`;
    await query(update, JSON.stringify([...uses]));
  }

  /** Deletes the least recently used until so many entries and bytes are gone. */
  async #evict({ table, query }: SqliteConnection, entries: number, bytes: number): Promise<void> {
    const oldest = await query(`SELECT key, size FROM ${table}_uses ORDER BY used, rowid LIMIT ${EVICTED_AT_ONCE}`);
    const evicted: unknown[] = [];
    let evictedBytes = 0;
    for (const { key, size } of oldest) {
      if (evicted.length >= entries && evictedBytes >= bytes) break;
      evicted.push(key);
      evictedBytes += Number(size);
    }
    await query(`DELETE FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`, JSON.stringify(evicted));
  }
}

/** Tables that keep count of another, and the triggers that write them. A new entry is as used as the one used last. */
function counting(table: string): string[] {
  const [uses, extent] = [`${table}_uses`, `${table}_extent`];
  const sizeOf = (key: string) => `coalesce((SELECT size FROM ${uses} WHERE key = ${key}), 0)`;
  return [
    `CREATE TABLE ${uses} (key TEXT PRIMARY KEY, used INTEGER, size INTEGER)`,
    `CREATE INDEX ${uses}_used ON ${uses} (used)`,
    `INSERT INTO ${uses} SELECT key, 0, length(value) FROM ${table}`,
    `CREATE TABLE ${extent} (entries INTEGER, bytes INTEGER)`,
    `INSERT INTO ${extent} SELECT count(*), coalesce(sum(size), 0) FROM ${uses}`,
    `CREATE TRIGGER ${table}_stored AFTER INSERT ON ${table} BEGIN
      UPDATE ${extent} SET entries = entries + 1, bytes = bytes + length(new.value);
      INSERT INTO ${uses} VALUES (new.key, coalesce((SELECT max(used) FROM ${uses}), 0), length(new.value));
    END`,
    `CREATE TRIGGER ${table}_replaced AFTER UPDATE OF value ON ${table} BEGIN
      UPDATE ${extent} SET bytes = bytes + length(new.value) - ${sizeOf('new.key')};
      UPDATE ${uses} SET size = length(new.value) WHERE key = new.key;
    END`,
    `CREATE TRIGGER ${table}_removed AFTER DELETE ON ${table} BEGIN
      UPDATE ${extent} SET entries = entries - 1, bytes = bytes - ${sizeOf('old.key')};
      DELETE FROM ${uses} WHERE key = old.key;
    END`,
  ];
}

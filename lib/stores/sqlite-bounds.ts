import type { Entry } from '../models/entry.js';
import type { SqliteConnection } from './sqlite-connection.js';

const USES = 'uses_v1';
/** After eviction there is room for some writes before the next. */
const EVICTION_GOAL = 0.9;
/** Uses that are noted in memory before they are written down. */
const USES_AT_ONCE = 100;

/** Keeps a table within a number of entries and bytes, the oldest use going first. */
export class SqliteBounds {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #now: () => number;
  #uses = new Map<string, number>();
  /** What is known of the table's extent; undefined where it has to be counted. */
  #extent: { entries: number; bytes: number } | undefined;

  constructor(maxEntries: number | undefined, maxSize: number | undefined, now: () => number) {
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY;
    this.#maxSize = maxSize ?? Number.POSITIVE_INFINITY;
    this.#now = now;
  }

  async open({ query }: SqliteConnection): Promise<void> {
    await query(`CREATE TABLE IF NOT EXISTS ${USES} (key TEXT PRIMARY KEY, used INTEGER)`);
  }

  /** An entry was read. Uses are written down in batches: a hit waits for no write. */
  used(connection: SqliteConnection, id: string): void {
    this.#uses.set(id, this.#now());
    if (this.#uses.size >= USES_AT_ONCE) this.flush(connection).catch(() => {});
  }

  /** An entry was written. Counts on from what is known, and looks again only when a bound seems to be reached. */
  async added(connection: SqliteConnection, { id, size }: Entry): Promise<void> {
    this.#uses.set(id, this.#now());
    if (this.#extent) {
      this.#extent.entries += 1;
      this.#extent.bytes += size;
      if (this.#isWithin(this.#extent)) return;
    }
    this.#extent = await this.#measure(connection);
    if (this.#isWithin(this.#extent)) return;
    const { entries, bytes } = this.#extent;
    await this.flush(connection);
    await this.#evict(
      connection,
      entries > this.#maxEntries ? entries - this.#maxEntries * EVICTION_GOAL : 0,
      bytes > this.#maxSize ? bytes - this.#maxSize * EVICTION_GOAL : 0,
    );
    this.#extent = await this.#measure(connection);
  }

  /** Entries were removed. */
  removed(): void {
    this.#extent = undefined;
  }

  async clear({ query }: SqliteConnection): Promise<void> {
    await query(`DELETE FROM ${USES}`);
  }

  /** Writes down what uses were noted. */
  async flush({ query }: SqliteConnection): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    const insert = `INSERT INTO ${USES} SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
      ON CONFLICT (key) DO UPDATE SET used = max(used, excluded.used)`;
    await query(insert, JSON.stringify([...uses]));
  }

  #isWithin({ entries, bytes }: { readonly entries: number; readonly bytes: number }): boolean {
    return entries <= this.#maxEntries && bytes <= this.#maxSize;
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
}

import { mkdir, open } from 'node:fs/promises';
import * as path from 'node:path';
import { loadClient } from '../../platform/load-client.js';
import { bytesDriver } from './keyv6-driver.js';
import { SqliteReader } from './reader.js';

type Row = Record<string, unknown>;

/** The part of @keyv/sqlite that is used. */
interface Adapter {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  query(sql: string, ...parameters: unknown[]): Promise<Row[]>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  disconnect(): Promise<void>;
}

interface KeyvSqliteModule {
  readonly default: (new (options: object) => Adapter) & { readonly prototype: object };
}

/** An open file, in either line of @keyv/sqlite. */
export interface SqliteConnection {
  /** Where values are. */
  readonly table: string;
  get(key: string): Promise<unknown>;
  set(key: string, value: Uint8Array): Promise<void>;
  query(sql: string, ...parameters: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** A new stored form gets a table of its own, since another version's process may use the old one. */
const TABLE = 'responses_v1';
/** @keyv/sqlite 6 rebuilds the tables of 4, which then can't write to them. */
const TABLE_OF_6 = 'responses_v1_keyv6';

/**
 * Opens a file by @keyv/sqlite, and makes it where it is not there.
 *
 * @param options.busyTimeout milliseconds
 */
export async function connectSqlite(
  file: string,
  options: { readonly busyTimeout: number; readonly fastSave: boolean },
): Promise<SqliteConnection> {
  const { default: KeyvSqlite } = await loadClient<KeyvSqliteModule>('@keyv/sqlite', 'backend "sqlite"');
  const isLine6 = 'setMany' in KeyvSqlite.prototype;
  const table = isLine6 ? TABLE_OF_6 : TABLE;
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  // SQLite gives its other files the mode of this one.
  await (await open(file, 'a', 0o600)).close();
  const { busyTimeout } = options;
  const adapter = new KeyvSqlite({ uri: `sqlite://${file}`, table, busyTimeout, driver: bytesDriver });
  let lastError: unknown;
  adapter.on('error', (error) => {
    lastError = error;
  });
  try {
    await adapter.query('PRAGMA journal_mode = WAL');
    await adapter.query(`PRAGMA synchronous = ${options.fastSave ? 'OFF' : 'NORMAL'}`);
    // The driver that 6 is given prepares its statements once. Where sqlite3 can't be had by itself, the adapter reads.
    const reader = isLine6 ? undefined : await SqliteReader.open(file, table).catch(() => undefined);
    return {
      table,
      get: (key) => (reader ?? adapter).get(key),
      async set(key, value) {
        // 6 tells a failed write by `false` and an event.
        if ((await adapter.set(key, value)) === false) throw lastError ?? new Error('not written');
      },
      query: (sql, ...parameters) => adapter.query(sql, ...parameters),
      async close() {
        await reader?.close();
        await adapter.disconnect();
      },
    };
  } catch (error) {
    await adapter.disconnect().catch(() => {});
    throw error;
  }
}

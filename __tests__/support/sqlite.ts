import { isBuiltin } from 'node:module';
import KeyvSqlite from '@keyv/sqlite';
import { loadDriver, type SqliteDriverName } from '../../lib/stores/sqlite/choose-driver.js';
import type { Row, SqliteConnection, SqlValue } from '../../lib/stores/sqlite/driver.js';
import { DatabaseFile } from '../../lib/stores/sqlite/file.js';
import { driverInUse } from '../../lib/stores/sqlite/open-files.js';
import { TABLE } from '../../lib/stores/sqlite/schema.js';
import type { Store } from '../../lib/stores/store.js';
import { entryOf } from './entries.js';

/** The drivers that work here: Node.js 20 has no `node:sqlite`, and `@keyv/sqlite` 6 is none. */
export const DRIVERS: readonly SqliteDriverName[] = [
  ...(isBuiltin('node:sqlite') ? (['node'] as const) : []),
  ...('setMany' in KeyvSqlite.prototype ? [] : (['keyv'] as const)),
];

/** Opens a SQLite file without a cache, by the driver that has it open in this process. */
export async function rawConnection(file: string): Promise<SqliteConnection> {
  const driver = await loadDriver(driverInUse(new DatabaseFile(file).identity()));
  return driver.open({ file, busyTimeout: 5000 });
}

/** Queries a SQLite file without the cache that has it open. */
export async function rawQuery(file: string, sql: string, ...parameters: SqlValue[]): Promise<readonly Row[]> {
  const connection = await rawConnection(file);
  try {
    return await connection.run(sql, ...parameters);
  } finally {
    await connection.close();
  }
}

/** A file's table, edited without the cache that has it open. */
export interface RawStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: Uint8Array | string): Promise<unknown>;
}

export function rawStore(file: string): RawStore {
  return {
    get: async (key) => (await rawQuery(file, `SELECT value FROM ${TABLE} WHERE key = ?`, key))[0]?.value,
    set: (key, value) =>
      rawQuery(
        file,
        `INSERT INTO ${TABLE} (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        key,
        value,
      ),
  };
}

/** Stores responses from one number to before another, with bodies of a size in bytes. */
export async function fill(store: Store, from: number, to: number, size = 10): Promise<void> {
  for (let number = from; number < to; number += 1) await store.put([entryOf(number, { body: Buffer.alloc(size) })]);
}

/** The numbers of the responses in a store. */
export async function numbersIn(store: Store): Promise<number[]> {
  const found: number[] = [];
  for await (const { id } of store.list()) found.push(Number.parseInt(id, 16));
  return found.sort((a, b) => a - b);
}

import { isBuiltin } from 'node:module';
import KeyvSqlite from '@keyv/sqlite';
import { loadDriver, type SqliteDriverName } from '../../lib/stores/sqlite/choose-driver.js';
import type { Row, SqlValue } from '../../lib/stores/sqlite/driver.js';
import { TABLE } from '../../lib/stores/sqlite/schema.js';

export { TABLE };

/** The drivers that work here: Node.js 20 has no `node:sqlite`, and `@keyv/sqlite` 6 is none. */
export const DRIVERS: readonly SqliteDriverName[] = [
  ...(isBuiltin('node:sqlite') ? (['node'] as const) : []),
  ...('setMany' in KeyvSqlite.prototype ? [] : (['keyv'] as const)),
];

/** Queries a SQLite file without the cache that has it open. */
export async function rawQuery(file: string, sql: string, ...parameters: SqlValue[]): Promise<readonly Row[]> {
  const connection = await (await loadDriver(undefined)).open({ file, busyTimeout: 5000 });
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

import KeyvSqlite from '@keyv/sqlite';
import { bytesDriver } from '../../lib/stores/sqlite/keyv6-driver.js';

/** Where entries are, by the line of @keyv/sqlite that is installed. */
export const TABLE = 'setMany' in KeyvSqlite.prototype ? 'responses_v1_keyv6' : 'responses_v1';

/** Asks a SQLite file behind the cache's back. */
export async function rawQuery(
  file: string,
  sql: string,
  ...parameters: unknown[]
): Promise<Record<string, unknown>[]> {
  const raw = new KeyvSqlite({ uri: `sqlite://${file}`, table: 'scratch', driver: bytesDriver } as object);
  const rows = (await raw.query(sql, ...(parameters as string[]))) as Record<string, unknown>[];
  await raw.disconnect();
  return rows;
}

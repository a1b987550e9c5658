import * as path from 'node:path';
import type { SqliteDriverName } from '../../lib/stores/sqlite/choose-driver.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';

/** For child processes of tests; an empty driver is the default one. */
export function open(folder: string, cacheName: string, driver?: SqliteDriverName | ''): SqliteStore {
  return new SqliteStore(path.join(folder, cacheName), { driver: driver || undefined }, Date.now);
}

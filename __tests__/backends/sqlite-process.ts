import * as path from 'node:path';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';

/** For the contract's child processes. */
export function open(folder: string, cacheName: string): SqliteStore {
  return new SqliteStore(path.join(folder, cacheName), {}, Date.now);
}

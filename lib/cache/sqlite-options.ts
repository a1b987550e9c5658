import type { SqliteStoreOptions } from '../stores/sqlite/index.js';
import {
  atLeastZero,
  type CommonBackendOptions,
  count,
  flag,
  readBackendOptions,
  readPath,
} from './backend-options.js';

export interface SqliteCacheOptions extends CommonBackendOptions, Omit<SqliteStoreOptions, 'retention'> {}

/** Options as they were read: lengths of time are numbers of seconds. */
export type ReadSqliteOptions = Omit<SqliteCacheOptions, 'retention'> & { readonly retention?: number };

/** @throws TypeError for a wrong option, which it names */
export function readSqliteOptions(options: SqliteCacheOptions): ReadSqliteOptions {
  return readBackendOptions(options, {
    cacheName: readPath,
    useTemp: flag,
    useCacheDir: flag,
    busyTimeout: atLeastZero,
    fastSave: flag,
    maxEntries: count,
    maxSize: count,
  });
}

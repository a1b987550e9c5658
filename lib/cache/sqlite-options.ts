import { optionError } from '../errors.js';
import { missingDriver, type SqliteDriverName } from '../stores/sqlite/choose-driver.js';
import { IN_MEMORY } from '../stores/sqlite/file.js';
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

/** Options as they were read: times are numbers of seconds. */
export type ReadSqliteOptions = Omit<SqliteCacheOptions, 'retention'> & { readonly retention?: number };

/**
 * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if neither driver, or not
 *   the one that `driver` names, is installed
 */
export function readSqliteOptions(options: SqliteCacheOptions): ReadSqliteOptions {
  const read: ReadSqliteOptions = readBackendOptions(options, {
    cacheName: (value, option) => (value === IN_MEMORY ? IN_MEMORY : readPath(value, option)),
    useTemp: flag,
    useCacheDir: flag,
    driver: readDriver,
    busyTimeout: atLeastZero,
    fastSave: flag,
    maxEntries: count,
    maxSize: count,
  });
  const missing = missingDriver(read.driver);
  if (missing) throw missing;
  return read;
}

function readDriver(value: unknown, option: string): SqliteDriverName {
  if (value === 'node' || value === 'keyv') return value;
  throw optionError(option, value, '"node" (node:sqlite) or "keyv" (@keyv/sqlite)');
}

import { canResolve, missingPackage } from '../../load-client.js';
import { SqliteStore, type SqliteStoreOptions } from '../../stores/sqlite.js';
import {
  atLeastZero,
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  count,
  DEFAULT_CACHE_NAME,
  flag,
  readBackendOptions,
  readPath,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface SqliteCacheOptions extends CommonBackendOptions, Omit<SqliteStoreOptions, 'retention'> {}

/**
 * Stored responses in a SQLite file, through @keyv/sqlite. `cacheName` is its path, relative or absolute; `.sqlite` is
 * added where it has no extension.
 */
export class SqliteCache extends BaseCache {
  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` where @keyv/sqlite is
   *   not installed
   */
  constructor(options: SqliteCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    if (!canResolve('@keyv/sqlite')) throw missingPackage('@keyv/sqlite', 'backend "sqlite"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = readSqliteOptions(options);
    super({ ...rest, store: new SqliteStore(cacheName, rest, now), codec: codecFor({ ...rest, cacheName }), now });
  }
}

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

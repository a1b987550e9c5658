import { canResolve, missingPackage } from '../../load-client.js';
import { SqliteStore } from '../../stores/sqlite.js';
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

export interface SqliteCacheOptions extends CommonBackendOptions {
  /** Puts a relative file into the system's folder for temporary files. Default: `false`. */
  readonly useTemp?: boolean | undefined;
  /** Puts a relative file into the user's cache folder. Default: `false`. */
  readonly useCacheDir?: boolean | undefined;
  /** Seconds to wait while another process writes. Default: 5. */
  readonly busyTimeout?: number | undefined;
  /** Faster writes that a power cut may undo or damage. Default: `false`. */
  readonly fastSave?: boolean | undefined;
  /** Entries at most, oldest use first. Default: no bound. */
  readonly maxEntries?: number | undefined;
  /** Bytes at most, oldest use first. Default: no bound. */
  readonly maxSize?: number | undefined;
}

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

import { canResolve, missingPackage } from '../../platform/load-client.js';
import { brandOf } from '../../platform/shared-state.js';
import { SqliteStore } from '../../stores/sqlite/index.js';
import { type BackendClock, codecFor, DEFAULT_CACHE_NAME } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { readSqliteOptions, type SqliteCacheOptions } from '../sqlite-options.js';

export type { SqliteCacheOptions };

/**
 * Stored responses in a SQLite file, through @keyv/sqlite. `cacheName` is its path, relative or absolute; `.sqlite` is
 * added where it has no extension.
 */
export class SqliteCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('SqliteCache');

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

import { systemNow } from '../../platform/clock.js';
import { brandOf } from '../../platform/shared-state.js';
import { SqliteStore } from '../../stores/sqlite/index.js';
import { type BackendClock, codecFor, DEFAULT_CACHE_NAME } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { readSqliteOptions, type SqliteCacheOptions } from '../sqlite-options.js';

export type { SqliteCacheOptions };

/**
 * Stores responses in a SQLite file, through `node:sqlite` or `@keyv/sqlite` (requests-cache: `SQLiteCache`).
 *
 * `cacheName` is the path of the file, relative or absolute; `~/` is the home directory, `.sqlite` is added to a path
 * without an extension, and `':memory:'` is a database in memory.
 *
 * @example new SqliteCache({ cacheName: '~/.cache/reports', maxSize: 500_000_000 })
 */
export class SqliteCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('SqliteCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if the runtime has no
   *   `node:sqlite` and `@keyv/sqlite` is not installed
   */
  constructor(options: SqliteCacheOptions = {}, { now = systemNow }: BackendClock = {}) {
    const read = readSqliteOptions(options);
    const store = new SqliteStore(read.cacheName ?? DEFAULT_CACHE_NAME, read, now);
    super({ ...read, store, codec: codecFor({ ...read }), now });
  }
}

import { FallbackStore } from '../../stores/fallback.js';
import { MemoryStore } from '../../stores/memory/index.js';
import { SqliteStore } from '../../stores/sqlite/index.js';
import { type BackendClock, codecFor, DEFAULT_CACHE_NAME } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { readSqliteOptions, type SqliteCacheOptions } from '../sqlite-options.js';

/** What is opened where no backend is named: SQLite, or memory where its package can't be loaded. */
export class DefaultCache extends BaseCache {
  constructor(options: SqliteCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = readSqliteOptions(options);
    const { maxEntries, maxSize, retention } = rest;
    const store = new FallbackStore(
      new SqliteStore(cacheName, rest, now),
      () => new MemoryStore({ maxEntries, maxSize, retention }, now),
      (error) => process.emitWarning(`${error.message}; memory takes its place`, 'CacheWarning'),
    );
    super({ ...rest, store, codec: codecFor({ ...rest, cacheName }), now });
  }
}

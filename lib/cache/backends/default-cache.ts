import { systemNow } from '../../platform/clock.js';
import { FallbackStore } from '../../stores/fallback.js';
import { MemoryStore } from '../../stores/memory/index.js';
import { SqliteStore } from '../../stores/sqlite/index.js';
import { type BackendClock, codecFor, DEFAULT_CACHE_NAME } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { readSqliteOptions, type SqliteCacheOptions } from '../sqlite-options.js';

/** The cache of an instance without a named backend: SQLite, or memory if the file cannot be used. */
export class DefaultCache extends BaseCache {
  constructor(options: SqliteCacheOptions = {}, { now = systemNow }: BackendClock = {}) {
    const read = readSqliteOptions(options);
    const { cacheName = DEFAULT_CACHE_NAME, maxEntries, maxSize, retention } = read;
    const sqlite = new SqliteStore(cacheName, read, now);
    const store = new FallbackStore(
      sqlite,
      () => new MemoryStore({ maxEntries, maxSize, retention }, now),
      ({ message }) => warnOfMemory(`the cache cannot use the file ${sqlite.file} (${message})`),
    );
    super({ ...read, store, codec: codecFor({ ...read }), now });
  }
}

/** Warns that responses are kept in memory only, which is not a choice of the user. */
export function warnOfMemory(reason: string): void {
  const message = `${reason}; memory takes its place, and stored responses are lost when the process ends. To silence this warning, set backend: 'memory'`;
  process.emitWarning(message, 'CacheWarning');
}

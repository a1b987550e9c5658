import { provideClient } from '../platform/load-client.js';

// Literal names, which bundlers follow; the handler makes a package that is not installed a warning of the build.
provideClient('@keyv/sqlite', () => import('@keyv/sqlite').catch(fail));

export { SqliteCache, type SqliteCacheOptions } from '../cache/backends/sqlite-cache.js';
export { NodeSqliteAdapter, type NodeSqliteAdapterOptions } from '../stores/sqlite/node-sqlite-adapter.js';

function fail(error: unknown): never {
  throw error;
}

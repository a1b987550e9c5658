import { provideClient } from '../platform/load-client.js';

// Literal names, which bundlers follow; the handler makes a package that is not installed a warning of the build.
provideClient('@keyv/mongo', () => import('@keyv/mongo').catch(fail));
provideClient('mongodb', () => import('mongodb').catch(fail));

export { MongoCache, type MongoCacheOptions } from '../cache/backends/mongo-cache.js';

function fail(error: unknown): never {
  throw error;
}

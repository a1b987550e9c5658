import { provideClient } from '../platform/load-client.js';

// Literal names, which bundlers follow; the handler makes a package that is not installed a warning of the build.
provideClient('@keyv/redis', () => import('@keyv/redis').catch(fail));

export { RedisCache, type RedisCacheOptions } from '../cache/backends/redis-cache.js';

function fail(error: unknown): never {
  throw error;
}

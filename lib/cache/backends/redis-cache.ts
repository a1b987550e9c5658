import { canResolve, missingPackage } from '../../load-client.js';
import { RedisStore, type RedisStoreOptions } from '../../stores/redis.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  DEFAULT_CACHE_NAME,
  readBackendOptions,
  readName,
  readObject,
  readUrl,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface RedisCacheOptions extends CommonBackendOptions, Omit<RedisStoreOptions, 'retention'> {}

/**
 * Stored responses in Redis, or what speaks its protocol, through @keyv/redis. `cacheName` is the prefix of all keys. With
 * `retention` the server lets entries go by itself.
 */
export class RedisCache extends BaseCache {
  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` where @keyv/redis is not
   *   installed
   */
  constructor(options: RedisCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, {
      cacheName: readName,
      url: readUrl(['redis:', 'rediss:']),
      client: readObject,
      clientOptions: readObject,
    });
    if (!canResolve('@keyv/redis')) throw missingPackage('@keyv/redis', 'backend "redis"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as RedisCacheOptions & { retention?: number };
    super({ ...rest, store: new RedisStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

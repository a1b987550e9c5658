import { optionError } from '../../errors.js';
import { canResolve, missingPackage } from '../../load-client.js';
import { RedisStore } from '../../stores/redis.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  DEFAULT_CACHE_NAME,
  readBackendOptions,
  readName,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface RedisCacheOptions extends CommonBackendOptions {
  /** `redis://` or `rediss://`. Default: `redis://localhost:6379`. */
  readonly url?: string | undefined;
  /** A node-redis client of your own, which stays yours to close. */
  readonly client?: object | undefined;
  /** What node-redis's `createClient` takes, in its units: `socket`, `username`, `database` ... */
  readonly clientOptions?: object | undefined;
}

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
      url: readUrl,
      client: readObject,
      clientOptions: readObject,
    });
    if (!canResolve('@keyv/redis')) throw missingPackage('@keyv/redis', 'backend "redis"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as RedisCacheOptions & { retention?: number };
    super({ ...rest, store: new RedisStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

/** The value is not shown: a URL may hold a password. */
function readUrl(value: unknown, option: string): string {
  if (typeof value === 'string' && /^rediss?:\/\//.test(value) && URL.canParse(value)) return value;
  throw new TypeError(`${option}: what was given is not accepted; expected a redis:// or rediss:// URL`);
}

function readObject(value: unknown, option: string): object {
  if (typeof value !== 'object' || value === null) throw optionError(option, value, 'an object');
  return value;
}

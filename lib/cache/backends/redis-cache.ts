import { canResolve, missingPackage } from '../../platform/load-client.js';
import { brandOf } from '../../platform/shared-state.js';
import { RedisStore, type RedisStoreOptions } from '../../stores/redis/index.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  DEFAULT_CACHE_NAME,
  hiddenError,
  readBackendOptions,
  readClientObject,
  readName,
  readUrl,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface RedisCacheOptions extends CommonBackendOptions, Omit<RedisStoreOptions, 'retention'> {}

/** The options that say where Redis is. */
const SERVERS = ['url', 'client', 'clientOptions', 'clusterOptions', 'sentinelOptions'];

/**
 * A cache in Redis, or in a server with its protocol, through @keyv/redis. `cacheName` is the prefix of all keys. With
 * `retention` the server removes entries by itself.
 *
 * @example
 * const cache = new RedisCache({ cacheName: 'reports', url: 'redis://localhost:6379', retention: '7d' });
 */
export class RedisCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('RedisCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if @keyv/redis is not
   *   installed
   */
  constructor(options: RedisCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, {
      cacheName: readName,
      url: readUrl(['redis:', 'rediss:']),
      client: readClientObject('a node-redis client, cluster or sentinel'),
      clientOptions: readClientObject(),
      clusterOptions: readCluster,
      sentinelOptions: readSentinel,
    });
    refuseSecondServer(read);
    if (!canResolve('@keyv/redis')) throw missingPackage('@keyv/redis', 'backend "redis"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as RedisCacheOptions & { retention?: number };
    super({ ...rest, store: new RedisStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

function readCluster(value: unknown, option: string): object {
  const accepted = "options of node-redis's createCluster, with rootNodes as a list that is not empty";
  const options = readClientObject(accepted)(value, option);
  if (!isFilledList((options as { rootNodes?: unknown }).rootNodes)) throw hiddenError(option, accepted);
  return options;
}

function readSentinel(value: unknown, option: string): object {
  const accepted =
    "options of node-redis's createSentinel, with name as a text and sentinelRootNodes as a list that is not empty";
  const options = readClientObject(accepted)(value, option);
  const { name, sentinelRootNodes } = options as { name?: unknown; sentinelRootNodes?: unknown };
  if (typeof name !== 'string' || name === '' || !isFilledList(sentinelRootNodes)) throw hiddenError(option, accepted);
  return options;
}

function isFilledList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** @throws TypeError if there is another server beside a cluster or a sentinel */
function refuseSecondServer(read: Readonly<Record<string, unknown>>): void {
  const given = SERVERS.filter((option) => read[option] !== undefined);
  for (const option of ['clusterOptions', 'sentinelOptions']) {
    const other = given.find((one) => one !== option);
    if (given.includes(option) && other !== undefined) {
      throw hiddenError(option, `no ${other} beside it: one of url, client, clusterOptions and sentinelOptions`);
    }
  }
}

import { hiddenOptionError, optionError } from '../../errors.js';
import { brandOf } from '../../platform/shared-state.js';
import type { RedisStoreOptions } from '../../stores/redis/index.js';
import { isCluster, redisTraits } from '../../stores/redis/traits.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  readClientObject,
  readName,
  readUrl,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { type BackendDefinition, openParts } from './define-backend.js';

export interface RedisCacheOptions extends CommonBackendOptions, Omit<RedisStoreOptions, 'retention'> {}

const MAX_SHARDS = 1_024;
/** The options with the address of Redis. */
const SERVERS = ['url', 'client', 'clientOptions', 'clusterOptions', 'sentinelOptions'];

const REDIS: BackendDefinition<RedisCacheOptions> = {
  name: 'redis',
  needs: '@keyv/redis',
  options: {
    cacheName: readName,
    url: /* @__PURE__ */ readUrl(['redis:', 'rediss:']),
    client: /* @__PURE__ */ readClientObject('a node-redis client, cluster or sentinel'),
    clientOptions: /* @__PURE__ */ readClientObject(),
    clusterOptions: readCluster,
    sentinelOptions: readSentinel,
    shards: readShards,
  },
  check(read) {
    refuseSecondServer(read);
    refuseShardsOfOneServer(read);
  },
  traits: (_, options) => redisTraits(options),
  async open(cacheName, options, now) {
    const { RedisStore } = await import('../../stores/redis/index.js');
    return new RedisStore(cacheName, options, now);
  },
};

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
  constructor(options: RedisCacheOptions = {}, clock: BackendClock = {}) {
    super(openParts(REDIS, options, clock));
  }
}

function readCluster(value: unknown, option: string): object {
  const accepted = "options of node-redis's createCluster, with rootNodes as a list that is not empty";
  const options = readClientObject(accepted)(value, option);
  if (!isFilledList((options as { rootNodes?: unknown }).rootNodes)) throw hiddenOptionError(option, accepted);
  return options;
}

function readSentinel(value: unknown, option: string): object {
  const accepted =
    "options of node-redis's createSentinel, with name as a text and sentinelRootNodes as a list that is not empty";
  const options = readClientObject(accepted)(value, option);
  const { name, sentinelRootNodes } = options as { name?: unknown; sentinelRootNodes?: unknown };
  if (typeof name !== 'string' || name === '' || !isFilledList(sentinelRootNodes))
    throw hiddenOptionError(option, accepted);
  return options;
}

function readShards(value: unknown, option: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_SHARDS) {
    throw optionError(option, value, 'a whole number from 1 to 1024');
  }
  return value;
}

/** @throws TypeError for several shards without a cluster */
function refuseShardsOfOneServer(read: Readonly<Record<string, unknown>>): void {
  const { shards } = read;
  if (typeof shards === 'number' && shards > 1 && !isCluster(read)) {
    throw optionError('shards', shards, '1 without clusterOptions or a cluster as client');
  }
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
      throw hiddenOptionError(option, `no ${other} beside it: one of url, client, clusterOptions and sentinelOptions`);
    }
  }
}

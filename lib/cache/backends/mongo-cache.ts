import { brandOf } from '../../platform/shared-state.js';
import type { MongoStoreOptions } from '../../stores/mongodb/index.js';
import { MAX_ENTRY, mongoTraits } from '../../stores/mongodb/traits.js';
import { type BackendClock, type CommonBackendOptions, readName } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { type BackendDefinition, MONGODB_OPTIONS, openParts } from './define-backend.js';

export interface MongoCacheOptions extends CommonBackendOptions, Omit<MongoStoreOptions, 'retention'> {}

const MONGODB: BackendDefinition<MongoCacheOptions> = {
  name: 'mongodb',
  needs: '@keyv/mongo',
  options: { ...MONGODB_OPTIONS, collection: readName },
  traits: (cacheName, options) => mongoTraits(cacheName, options, MAX_ENTRY),
  async open(cacheName, options, now) {
    const { MongoStore } = await import('../../stores/mongodb/index.js');
    return new MongoStore(cacheName, options, now);
  },
};

/**
 * A cache in MongoDB, through the driver of @keyv/mongo (requests-cache: `MongoCache`): in the collection `responses_v1`
 * of the database `cacheName`, or of `database`. With `retention` the server deletes expired entries. Entries over 16 MB
 * are not stored.
 *
 * @example
 * const cache = new MongoCache({ cacheName: 'reports', url: 'mongodb://localhost:27017', retention: '7d' });
 */
export class MongoCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('MongoCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if @keyv/mongo is not
   *   installed
   */
  constructor(options: MongoCacheOptions = {}, clock: BackendClock = {}) {
    super(openParts(MONGODB, options, clock));
  }
}

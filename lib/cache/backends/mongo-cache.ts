import { canResolve, missingPackage } from '../../platform/load-client.js';
import { brandOf } from '../../platform/shared-state.js';
import { MongoStore, type MongoStoreOptions } from '../../stores/mongodb/index.js';
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

export interface MongoCacheOptions extends CommonBackendOptions, Omit<MongoStoreOptions, 'retention'> {}

/**
 * Stored responses in MongoDB, through @keyv/mongo: in the database `cacheName`, or a collection of that name where a
 * `database` is given. With `retention` the server lets entries go by itself. Entries over 16 MB are not stored.
 */
export class MongoCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('MongoCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` where @keyv/mongo is not
   *   installed
   */
  constructor(options: MongoCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, {
      cacheName: readName,
      url: readUrl(['mongodb:', 'mongodb+srv:']),
      client: readObject,
      clientOptions: readObject,
      database: readName,
      collection: readName,
    });
    if (!canResolve('@keyv/mongo')) throw missingPackage('@keyv/mongo', 'backend "mongodb"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as MongoCacheOptions & { retention?: number };
    super({ ...rest, store: new MongoStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

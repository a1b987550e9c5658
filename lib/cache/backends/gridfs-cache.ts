import { brandOf } from '../../platform/shared-state.js';
import type { GridFSStoreOptions } from '../../stores/gridfs/index.js';
import { mongoTraits } from '../../stores/mongodb/traits.js';
import { type BackendClock, type CommonBackendOptions, readName } from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { type BackendDefinition, MONGODB_OPTIONS, openParts } from './define-backend.js';

export interface GridFSCacheOptions extends CommonBackendOptions, Omit<GridFSStoreOptions, 'retention'> {}

const GRIDFS: BackendDefinition<GridFSCacheOptions> = {
  name: 'gridfs',
  needs: '@keyv/mongo',
  options: { ...MONGODB_OPTIONS, bucket: readName },
  traits: mongoTraits,
  async open(cacheName, options, now) {
    const { GridFSStore } = await import('../../stores/gridfs/index.js');
    return new GridFSStore(cacheName, options, now);
  },
};

/**
 * A cache in MongoDB's GridFS, for bodies of any size (requests-cache: `GridFSCache`): in the bucket `responses_v1` of the
 * database `cacheName`, or of `database`.
 *
 * @example
 * const cache = new GridFSCache({ cacheName: 'videos', url: 'mongodb://localhost:27017' });
 */
export class GridFSCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('GridFSCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if @keyv/mongo is not
   *   installed
   */
  constructor(options: GridFSCacheOptions = {}, clock: BackendClock = {}) {
    super(openParts(GRIDFS, options, clock));
  }
}

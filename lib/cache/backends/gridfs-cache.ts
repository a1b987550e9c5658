import { canResolve, missingPackage } from '../../platform/load-client.js';
import { brandOf } from '../../platform/shared-state.js';
import { GridFSStore, type GridFSStoreOptions } from '../../stores/gridfs/index.js';
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

export interface GridFSCacheOptions extends CommonBackendOptions, Omit<GridFSStoreOptions, 'retention'> {}

/**
 * Stored responses in MongoDB's GridFS, of any size: in the database `cacheName`, or a bucket of that name where a
 * `database` is given.
 */
export class GridFSCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('GridFSCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` where @keyv/mongo is not
   *   installed
   */
  constructor(options: GridFSCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, {
      cacheName: readName,
      url: readUrl(['mongodb:', 'mongodb+srv:']),
      client: readObject,
      clientOptions: readObject,
      database: readName,
      bucket: readName,
    });
    if (!canResolve('@keyv/mongo')) throw missingPackage('@keyv/mongo', 'backend "gridfs"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as GridFSCacheOptions & { retention?: number };
    super({ ...rest, store: new GridFSStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

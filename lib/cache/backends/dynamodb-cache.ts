import { canResolve, missingPackage } from '../../platform/load-client.js';
import { brandOf } from '../../platform/shared-state.js';
import { DynamoDbStore, type DynamoDbStoreOptions } from '../../stores/dynamodb/index.js';
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

export interface DynamoDbCacheOptions extends CommonBackendOptions, Omit<DynamoDbStoreOptions, 'retention'> {}

/**
 * Stored responses in DynamoDB, on @keyv/dynamo's client: in the table `cacheName`, which is made on demand. With
 * `retention` the server lets entries go by itself. Entries over 400 KB are not stored.
 */
export class DynamoDbCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('DynamoDbCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` where @keyv/dynamo is not
   *   installed
   */
  constructor(options: DynamoDbCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, {
      cacheName: readName,
      endpoint: readUrl(['http:', 'https:']),
      region: readName,
      credentials: readObject,
      clientOptions: readObject,
      table: readName,
    });
    if (!canResolve('@keyv/dynamo')) throw missingPackage('@keyv/dynamo', 'backend "dynamodb"');
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as DynamoDbCacheOptions & { retention?: number };
    super({ ...rest, store: new DynamoDbStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

import { hiddenOptionError, optionError } from '../../errors.js';
import { brandOf } from '../../platform/shared-state.js';
import type { DynamoDbStoreOptions } from '../../stores/dynamodb/index.js';
import { dynamoDbTraits } from '../../stores/dynamodb/traits.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  readClientObject,
  readName,
  readUrl,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';
import { type BackendDefinition, openParts } from './define-backend.js';

export interface DynamoDbCacheOptions extends CommonBackendOptions, Omit<DynamoDbStoreOptions, 'retention'> {}

const DYNAMODB: BackendDefinition<DynamoDbCacheOptions> = {
  name: 'dynamodb',
  needs: '@keyv/dynamo',
  options: {
    cacheName: readName,
    endpoint: /* @__PURE__ */ readUrl(['http:', 'https:']),
    region: readName,
    credentials: readCredentials,
    clientOptions: /* @__PURE__ */ readClientObject(),
    table: readTable,
  },
  check({ cacheName, table }) {
    if (table === undefined && cacheName !== undefined) readTable(cacheName, 'cacheName');
  },
  traits: dynamoDbTraits,
  async open(cacheName, options, now) {
    const { DynamoDbStore } = await import('../../stores/dynamodb/index.js');
    return new DynamoDbStore(cacheName, options, now);
  },
};

/**
 * A cache in DynamoDB, on the client of @keyv/dynamo (requests-cache: `DynamoDbCache`): in the table `cacheName`, which is
 * created on demand. With `retention` the server deletes expired entries. Entries over 400 KB are not stored.
 *
 * @example
 * const cache = new DynamoDbCache({ cacheName: 'reports', region: 'eu-central-1', retention: '7d' });
 */
export class DynamoDbCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('DynamoDbCache');

  /**
   * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if @keyv/dynamo is not
   *   installed
   */
  constructor(options: DynamoDbCacheOptions = {}, clock: BackendClock = {}) {
    super(openParts(DYNAMODB, options, clock));
  }
}

/** DynamoDB refuses names of tables with fewer than three characters. */
function readTable(value: unknown, option: string): string {
  const name = readName(value, option);
  if (name.length < 3) throw optionError(option, value, 'the name of a table, of at least three characters');
  return name;
}

/** The AWS SDK accepts keys, or a function that resolves to them. */
function readCredentials(value: unknown, option: string): object {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return value;
  throw hiddenOptionError(option, 'an object or a function, as of the AWS SDK');
}

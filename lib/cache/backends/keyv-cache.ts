import type Keyv from 'keyv';
import { optionError } from '../../errors.js';
import { systemNow } from '../../platform/clock.js';
import { brandOf } from '../../platform/shared-state.js';
import { isAdapter, isKeyv, type KeyvAdapter, KeyvStore } from '../../stores/keyv/index.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  DEFAULT_CACHE_NAME,
  readBackendOptions,
  readName,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export type KeyvCacheOptions = CommonBackendOptions;

/**
 * Stored responses in any store with a Keyv adapter: PostgreSQL, MySQL, Valkey, etcd, Memcached, a `Map` ... Keys begin
 * with `cacheName`. Listing, counting and removing expired responses are passes over all entries; if the adapter cannot
 * iterate, they throw `UnsupportedOperationError`.
 *
 * @example
 * new KeyvCache(new Keyv(), { cacheName: 'reports', retention: '7d' });
 */
export class KeyvCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('KeyvCache');

  /**
   * @param store a Keyv, which stays yours to disconnect, or a storage adapter
   * @throws TypeError for a wrong option, which it names
   */
  constructor(store: Keyv | KeyvAdapter, options: KeyvCacheOptions = {}, { now = systemNow }: BackendClock = {}) {
    if (!isKeyv(store) && !isAdapter(store)) throw optionError('backend', store, 'a Keyv or a Keyv storage adapter');
    const read = readBackendOptions(options, { cacheName: readName });
    const { cacheName = DEFAULT_CACHE_NAME, retention } = read as { cacheName?: string; retention?: number };
    super({ ...read, store: new KeyvStore(store, cacheName, { retention }, now), codec: codecFor(read), now });
  }
}

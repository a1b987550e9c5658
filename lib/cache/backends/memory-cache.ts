import { systemNow } from '../../platform/clock.js';
import { brandOf } from '../../platform/shared-state.js';
import { MemoryStore, type MemoryStoreOptions } from '../../stores/memory/index.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  count,
  readBackendOptions,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface MemoryCacheOptions extends CommonBackendOptions, Omit<MemoryStoreOptions, 'retention'> {}

/**
 * Stored responses in this process's memory, bounded by number and bytes (requests-cache: `BaseCache` without a backend).
 *
 * @example new MemoryCache({ maxEntries: 500, maxSize: 20_000_000 })
 */
export class MemoryCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('MemoryCache');

  /** @throws TypeError for a wrong option, which it names */
  constructor(options: MemoryCacheOptions = {}, { now = systemNow }: BackendClock = {}) {
    const read = readBackendOptions(options, { maxEntries: count, maxSize: count });
    super({ ...read, store: new MemoryStore(read, now), codec: codecFor(read, { keepsObjects: true }), now });
  }
}

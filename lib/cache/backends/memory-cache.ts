import { MemoryStore } from '../../stores/memory.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  count,
  readBackendOptions,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface MemoryCacheOptions extends CommonBackendOptions {
  /** Entries at most, the least recently used dropped first. Default: 10,000. */
  readonly maxEntries?: number | undefined;
  /** Bytes at most, the least recently used dropped first. Default: 100 MB. */
  readonly maxSize?: number | undefined;
}

/** Stored responses in this process's memory, bounded by number and bytes. */
export class MemoryCache extends BaseCache {
  /** @throws TypeError for a wrong option, which it names */
  constructor(options: MemoryCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, { maxEntries: count, maxSize: count });
    super({ ...read, store: new MemoryStore(read, now), codec: codecFor(read), now });
  }
}

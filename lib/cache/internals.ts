import type { CachedResponse } from '../models/cached-response.js';
import type { CacheEvent, CacheEventType } from '../models/events.js';
import type { ResponseRecord } from '../models/record.js';
import { shared } from '../platform/shared-state.js';
import type { KeyRules } from '../request/cache-key.js';
import type { CircuitBreaker } from '../stores/circuit-breaker.js';
import type { StoredResponses } from './stored-responses.js';

/** What the request's path uses of a cache, and its users do not. */
export interface CacheInternals {
  readonly stored: StoredResponses;
  readonly guard: CircuitBreaker;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether entries are encrypted, so that secrets may be in them. */
  readonly encrypts: boolean;
  /** Counts an event and passes it on; see `EventHub`. */
  emit(type: CacheEventType, describe: () => CacheEvent, onEvent: ((event: CacheEvent) => void) | undefined): void;
  /**
   * Told of each instance that uses the cache: the first makes the rules for keys, all hear of outages.
   *
   * @returns ends it
   */
  use(settings: {
    readonly compiled: KeyRules & { readonly onEvent: ((event: CacheEvent) => void) | undefined };
  }): () => void;
  /** A stored response as users see it. */
  present(record: ResponseRecord): CachedResponse;
}

const internals = /* @__PURE__ */ shared('cacheInternals', () => new WeakMap<object, CacheInternals>());

export function setInternals(cache: object, value: CacheInternals): void {
  internals.set(cache, value);
}

/** @throws TypeError for anything but a cache of ours */
export function internalsOf(cache: object): CacheInternals {
  const found = internals.get(cache);
  if (!found) throw new TypeError('not a cache of axios-keyv-cache');
  return found;
}

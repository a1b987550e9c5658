import { optionError } from '../errors.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { CacheEvent } from '../models/events.js';
import type { ResponseRecord } from '../models/record.js';
import { brandOf } from '../platform/shared-state.js';
import type { KeyRules } from '../request/cache-key.js';
import type { CircuitBreaker } from '../stores/circuit-breaker.js';
import type { EntryRepository } from './entry-repository.js';
import type { EventHub } from './events.js';
import type { Invalidator } from './invalidator.js';

/** Settings of an instance that uses the cache. */
export interface UserOfCache {
  readonly compiled: KeyRules & { readonly onEvent: ((event: CacheEvent) => void) | undefined };
}

/** The part of a cache that the request's path uses, and that is not public. */
export interface CacheInternals {
  readonly repository: EntryRepository;
  readonly breaker: CircuitBreaker;
  readonly invalidator: Invalidator;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether entries are encrypted, so that they may contain secrets. */
  readonly encrypts: boolean;
  /** The coalesced requests of all instances that share the cache; the exchange sets it. */
  coalescing: unknown;
  readonly events: EventHub;
  /**
   * Registers an instance that uses the cache. The first one decides on the rules for keys and the client's defaults; all
   * receive the events of the store as a whole.
   *
   * @param defaults of the client's instance
   * @returns a function that ends it
   */
  use(settings: UserOfCache, defaults?: object): () => void;
  /** Returns a stored response in its public form. */
  present(record: ResponseRecord): CachedResponse;
}

/** The member of a cache with its internals, the same in all copies of this version. */
export const INTERNALS: unique symbol = Symbol.for(brandOf('internals')) as never;

/** @throws TypeError for a value that is no cache of this package */
export function internalsOf(cache: object): CacheInternals {
  const found = (cache as { readonly [INTERNALS]?: CacheInternals } | null | undefined)?.[INTERNALS];
  if (!found) throw optionError('cache', cache, 'a cache of axios-keyv-cache');
  return found;
}

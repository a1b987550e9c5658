import type { BreakerState } from '../models/events.js';
import type { EntryCodec } from '../serializers/codec.js';
import type { CircuitBreakerOptions } from '../stores/circuit-breaker.js';
import type { Store } from '../stores/store.js';
import type { EventCounts, ServedTotals } from './events.js';

/** The result of `removeExpiredResponses`. */
export interface RemovalCount {
  readonly removed: number;
  readonly kept: number;
}

/** The result of `stats`. */
export interface CacheStats extends EventCounts, ServedTotals {
  readonly breaker: BreakerState;
}

/** The parts of which a cache is made. */
export interface CacheParts extends CircuitBreakerOptions {
  readonly store: Store;
  readonly codec: EntryCodec;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

import type { Reason } from '../policy/reasons.js';

/** The type of an event of a request, of stored responses or of the store. */
export type CacheEventType =
  | 'hit'
  | 'miss'
  | 'stale'
  | 'revalidated'
  | 'stored'
  | 'skipped'
  | 'invalidated'
  | 'removed'
  | 'invalid'
  | 'error'
  | 'recovered';

/** A state of the circuit breaker: the store is used; it is not used (an outage); a probe is checking it. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** An event, frozen, since several listeners may get it. */
export interface CacheEvent {
  readonly type: CacheEventType;
  /** Cache key of the request as asked; absent if the event concerns the store as a whole. */
  readonly key?: string;
  /** Redacted. */
  readonly url?: string;
  /** The reason, in the words of `detail=` in `cacheStatus`. */
  readonly reason?: Reason;
  readonly error?: unknown;
  /** Seconds; of `recovered`, the length of the outage, or of the suspension of writes (reason `writes-suspended`). */
  readonly duration?: number;
  /** Number of responses, of `removed` and `invalidated`. */
  readonly count?: number;
  /**
   * Bytes of the body that the caller gets; of `hit`, `miss`, `stale` and `revalidated`. Absent if the body is a stream from
   * the origin, and of a refresh in the background.
   */
  readonly size?: number;
  /** The answer is that of another caller's request (option `coalesce`). */
  readonly coalesced?: boolean;
  /** Seconds that the request waited for reads of the store; of `stored`, for the write. Measured only for the channel. */
  readonly storeDuration?: number;
  /** The backend, such as `sqlite`; of events with `storeDuration` or `breaker`, and of suspended writes. */
  readonly store?: string;
  /** The new state of the circuit breaker; of the `error` that begins an outage, and of its `recovered`. */
  readonly breaker?: BreakerState;
}

/** A listener for events. Its errors and rejections are ignored. */
export type CacheEventListener = (event: CacheEvent) => unknown;

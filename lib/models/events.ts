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

/** An event, frozen, since several listeners may get it. */
export interface CacheEvent {
  readonly type: CacheEventType;
  /** Cache key of the request as asked; absent if the event concerns the store as a whole. */
  readonly key?: string;
  /** Redacted. */
  readonly url?: string;
  /** The reason, in the words of `detail=` in `cacheStatus`. */
  readonly reason?: string;
  readonly error?: unknown;
  /** Seconds; of `recovered`, the length of the outage. */
  readonly duration?: number;
  /** Number of responses, of `removed` and `invalidated`. */
  readonly count?: number;
}

/** A listener for events. Its errors and rejections are ignored. */
export type CacheEventListener = (event: CacheEvent) => unknown;

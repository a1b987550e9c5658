/** What happened to a request's stored response, or to the store. */
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

export interface CacheEvent {
  readonly type: CacheEventType;
  /** The key as asked; absent for what concerns the store as a whole. */
  readonly key?: string;
  /** Redacted. */
  readonly url?: string;
  /** Why, in the words of `cacheStatus`' detail. */
  readonly reason?: string;
  readonly error?: unknown;
  /** Seconds. */
  readonly duration?: number;
}

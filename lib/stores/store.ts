import type { Entry, EntryKind, EntrySummary } from '../models/entry.js';
import type { MaybePromise } from '../platform/maybe-promise.js';

/**
 * The port between the cache and its stores: the interface that a backend implements, in one folder each.
 *
 * A store keeps entries: a small head that it may index, the metadata and the body as bytes. It knows nothing of HTTP,
 * cache keys or serializers. It may be slow or hang: the circuit breaker limits the time of each call. It reports a
 * failure by a `StoreFailure`, which classifies it; any other error counts as an outage.
 */

/** Conditions on entries; all given conditions must hold. No condition: every entry. */
export interface EntryQuery {
  readonly kind?: EntryKind;
  readonly group?: string;
  /** A digest that is one of `indexes`. */
  readonly index?: string;
  /** Milliseconds: `staleAt <= staleBy`. */
  readonly staleBy?: number;
  /** Milliseconds: `staleAt > freshAt`. */
  readonly freshAt?: number;
  /** Milliseconds: `receivedAt < receivedBefore`. */
  readonly receivedBefore?: number;
  /** Milliseconds: `receivedAt > receivedAfter`. */
  readonly receivedAfter?: number;
}

export interface Store {
  /** Short name for events and messages: `sqlite`, `redis`, `memory` ... */
  readonly name: string;
  /** File, folder or URL without credentials; undefined for memory and for stores of the user. */
  readonly location?: string | undefined;
  /** Largest entry in bytes that the store accepts (DynamoDB 400 KB, MongoDB 16 MB). Default: no bound. */
  readonly maxEntrySize?: number;
  /** Largest body in bytes that is worth storing if the store is bounded by design. */
  readonly suggestedBodySize?: number;

  /** Returns the entry with that id, `undefined` if there is none, an entry of kind `unknown` if it cannot be read. */
  find(id: string): MaybePromise<Entry | undefined>;

  /**
   * Writes entries that belong together (a response, its variant marker, its redirects) in one write: each whole or not
   * at all, and all or none where the store can. An entry replaces the entry with its id, except that a redirect never
   * replaces a response or a variant marker: it is left out.
   *
   * @returns `false`, with nothing written, if one of the entries' names, or everything, was invalidated after the
   *   entries' `order` (see {@link Store.invalidate})
   */
  put(entries: readonly Entry[]): MaybePromise<boolean>;

  /**
   * Replaces an entry that `find` returned by another one with its id, group and digests. No other write or deletion takes
   * place between the comparison and the write, except with `KeyvStore`: its adapters have no such operation. Invalidations
   * need no further look: an entry that is still stored was not deleted by one.
   *
   * @returns `false`, with nothing written, if the entry was replaced or deleted meanwhile
   */
  replace(entry: Entry, replacement: Entry): MaybePromise<boolean>;

  /** Deletes every entry whose id or group is among the given; resolves to the number of responses (and unknown entries). */
  deleteGroups(ids: readonly string[]): Promise<number>;

  /** Deletes exactly the entries with these ids; resolves to the number of responses (and unknown entries). */
  delete(ids: readonly string[]): Promise<number>;

  /**
   * Lists entries without bodies, in no particular order and in bounded memory. Entries that are written or deleted during
   * the listing may or may not be seen; the reader may delete and write meanwhile. Every store can list by group and by
   * index; other queries throw UnsupportedOperationError if the store cannot iterate.
   */
  list(query?: EntryQuery): AsyncIterable<EntrySummary>;

  /**
   * Counts the entries that match; without `kind` those of kind `response` and `unknown`. Absent if the store would have
   * to read every entry: the caller then lists them, with a time limit for each step.
   */
  count?(query?: EntryQuery): Promise<number>;

  /**
   * Deletes every entry with `staleAt <= now` (milliseconds), in one step or in many; yields the number of responses of
   * each step. Absent if the store would have to read every entry.
   */
  deleteExpired?(now: number): AsyncIterable<number>;

  /** Deletes every entry of this cache and nothing else, in one step or in many. */
  clear(): AsyncIterable<unknown>;

  /** Resolves when the store answers; rejects with the reason if it does not. */
  ready(): Promise<void>;

  /** Releases the connections and files that this store opened itself. May be called again; no other call follows. */
  close(): Promise<void>;

  /**
   * Acquires or renews the lease of that name for the holder, for that many seconds; false if another holder has it.
   * Expiry is measured by the store's clock, never by another process's. Absent if the store has no leases.
   */
  acquireLease?(name: string, holder: string, seconds: number): Promise<boolean>;

  /** Releases the lease if that holder has it. */
  releaseLease?(name: string, holder: string): Promise<void>;

  /**
   * Returns the order of the last invalidation, by a counter or clock of the store: a response that was requested before
   * an invalidation has a lower order. Absent if the store cannot order the invalidations of several processes.
   */
  currentOrder?(): MaybePromise<number>;

  /**
   * Records that stored responses with one of these names, which are digests or ids of cache keys (no names: all stored
   * responses), are out of date if they were requested before now, so that `put` refuses them for at least an hour. Deletes
   * nothing.
   */
  invalidate?(names: readonly string[]): MaybePromise<void>;

  /** Returns the bytes that the store uses. Absent if the store cannot determine them. */
  size?(): Promise<number>;

  /**
   * Calls the listener when the store has replaced damaged storage by itself, with an error that says what was lost and where
   * the damaged one is. Absent if the store never does.
   */
  onReplaced?(listener: (error: Error) => void): void;

  /** Returns unused space to the operating system, in steps. Absent if the store does so by itself. */
  vacuum?(): AsyncIterable<unknown>;
}

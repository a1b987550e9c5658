import type { Entry, EntryKind, EntrySummary } from '../models/entry.js';
import type { MaybePromise } from '../platform/maybe-promise.js';

/**
 * The port between the cache and its stores: what a backend implements, in one file each.
 *
 * A store knows entries: a small head that it may index, the metadata and the body as bytes. It knows nothing of HTTP,
 * keys or serializers. It may throw or hang as its client does: the guard stands in front of it.
 */

/** All given conditions hold together. No condition: every entry. */
export interface EntryQuery {
  readonly kind?: EntryKind;
  readonly group?: string;
  /** A digest that is one of `urls`. */
  readonly url?: string;
  /** Milliseconds: `staleAt <= staleBy`. */
  readonly staleBy?: number;
  /** Milliseconds: `staleAt > freshAt`. */
  readonly freshAt?: number;
  /** Milliseconds: `receivedAt < receivedBefore`. */
  readonly receivedBefore?: number;
}

export interface Store {
  /** Short name for events and messages: `sqlite`, `redis`, `memory` ... */
  readonly name: string;
  /** Largest entry in bytes that the store takes; beyond it the cache does not try (DynamoDB 400 KB, MongoDB 16 MB). */
  readonly maxEntrySize?: number;

  /** Largest body in bytes that is worth its room, where it is bounded by design. */
  readonly suggestedBodySize?: number;

  /** The entry with that id, `undefined` where there is none, an entry of kind `unknown` where its row cannot be read. */
  find(id: string): MaybePromise<Entry | undefined>;

  /** Stores the entry whole or not at all, replacing what had its id. */
  put(entry: Entry): MaybePromise<void>;

  /** Removes every entry whose id or group is among the given, and resolves to the number of responses (and unknown rows) removed. */
  deleteGroups(ids: readonly string[]): Promise<number>;

  /** Removes just the entries with these ids, whatever belongs to them, and resolves to the number of responses (and unknown rows) removed. */
  delete(ids: readonly string[]): Promise<number>;

  /**
   * Entries without bodies, in no particular order and in bounded memory. Entries that come or go during the listing may
   * or may not be seen; the listing's reader may drop and put meanwhile. By group and by URL every
   * store can list; other queries throw UnsupportedOperationError where it can't.
   */
  list(query?: EntryQuery): AsyncIterable<EntrySummary>;

  /**
   * Number of entries that fit, for a query without `kind` those of kind `response` and `unknown`. Absent where each has
   * to be looked at: then they are listed, which has time for every step.
   */
  count?(query?: EntryQuery): Promise<number>;

  /**
   * Removes every entry with `staleAt <= now` (milliseconds), in one step or in many; yields how many responses each
   * removed. Absent where each entry has to be looked at.
   */
  deleteExpired?(now: number): AsyncIterable<number>;

  /** Removes every entry of this cache and nothing else, in one step or in many. */
  clear(): AsyncIterable<unknown>;

  /** Resolves when the store answers; rejects with why it does not. */
  ready(): Promise<void>;

  /** Releases what this store opened itself. May be called again; no other call follows. */
  close(): Promise<void>;

  /**
   * Takes the name for a holder, or renews what it has, for that many seconds; false where another holds it. Absent where
   * the store cannot hold a lease.
   */
  acquireLease?(name: string, holder: string, seconds: number): Promise<boolean>;

  /** Gives the name back, where that holder has it. */
  releaseLease?(name: string, holder: string): Promise<void>;
}

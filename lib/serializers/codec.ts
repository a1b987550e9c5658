import type { Entry, EntrySummary } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import type { InvalidReason } from '../policy/reasons.js';

export interface InvalidEntry {
  readonly invalid: InvalidReason;
  readonly error?: unknown;
}

export type Decoded<T extends StoredRecord = StoredRecord> = { readonly record: T } | InvalidEntry;

/**
 * The step between cache and store, the same for all stores: storage keys, serialization, compression, signature and
 * encryption. Synchronous unless the serializer or a new signature is not, so that a hit does not wait.
 */
export interface EntryCodec {
  /** Whether entries are encrypted. */
  readonly encrypts: boolean;
  /** Whether the serializer changes bodies, which may become shorter. */
  readonly packsBodies: boolean;

  /**
   * Returns the storage keys of a cache key: the current one first, then those under older encryption keys, which are
   * looked up only after a miss. Without `encryptionKey` the cache key itself if it is a hex digest, else its SHA-256.
   */
  names(key: string): readonly [string, ...string[]];
  /**
   * Returns the digests of a name in the secondary index (such as `url https://a.com/`), 32 hex digits each: the current
   * one first, then those under older encryption keys. Keyed if `encryptionKey` is set.
   */
  indexDigests(name: string): readonly [string, ...string[]];

  /** @throws CacheError `ERR_CACHE_SERIALIZER` if the serializer cannot write the record */
  encode(record: StoredRecord): MaybePromise<Entry>;

  /**
   * Never throws; an entry that cannot be read is invalid.
   *
   * @param asked the key that was looked up: the record of another key is `wrong-item`. `undefined` in listings: the
   *   entry must then have the storage key of its own cache key
   */
  decode(entry: Entry, asked?: string): MaybePromise<Decoded>;

  /** Decodes an entry without its body, for listings. The record's body is empty, and its digest is not verified. */
  decodeSummary(summary: EntrySummary, asked?: string): MaybePromise<Decoded>;
}

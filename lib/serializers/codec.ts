import type { Entry, EntrySummary } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import type { MaybePromise } from '../platform/maybe-promise.js';

/** Why an entry cannot be used. */
export type InvalidReason =
  | 'unreadable' // no head of ours, an older format, or a structure that does not hold together
  | 'wrong-serializer'
  | 'wrong-item' // whole, but not what the reader asked for under that name
  | 'unsigned'
  | 'bad-signature'
  | 'bad-digest'
  | 'unknown-key'
  | 'key-missing' // marked signed or encrypted, and no key is set here
  | 'not-encrypted'
  | 'cannot-decrypt';

export type Decoded<T extends StoredRecord = StoredRecord> =
  | { readonly record: T }
  | { readonly invalid: InvalidReason; readonly error?: unknown };

/**
 * The one step between cache and store: naming, serializing, compressing, signing, encrypting. The same for all stores.
 * Synchronous where nothing in it has to wait, so that a plain hit does not pay for it.
 */
export interface EntryCodec {
  /** Whether entries are encrypted. */
  readonly encrypts: boolean;
  /**
   * The store's names for a key, the current first; further ones where older encryption keys rotate out, to be asked
   * only after a miss. Without `encryptionKey` the key itself where it is a hex digest, else its SHA-256.
   */
  names(key: string): readonly [string, ...string[]];
  /** The names of a variant under a key's names; `variant` is the record's digest. */
  variantName(name: string, variant: string): string;
  /**
   * Returns the digests of a name in the secondary index (such as `url https://a.com/`), 32 hex digits each: the current
   * one first, then those under older encryption keys. Keyed if `encryptionKey` is set.
   */
  indexDigests(name: string): readonly [string, ...string[]];

  encode(record: StoredRecord): MaybePromise<Entry>;

  /**
   * @param asked the key that the reader asked for; a record of another key under its name is `wrong-item`. Undefined
   *   when listing: the entry must then stand under the name of the key that it states.
   */
  decode(entry: Entry, asked?: string): MaybePromise<Decoded>;

  /** The same without the body (`body` is empty, and its digest not checked), for listings. */
  decodeSummary(summary: EntrySummary, asked?: string): MaybePromise<Decoded>;
}

/** `unknown`: an entry whose head cannot be read (foreign, older format, damaged). It can be counted and deleted. */
export type EntryKind = 'response' | 'variants' | 'redirect' | 'unknown';

/** Fields of an entry that a store can index, and read without the rest. */
export interface EntryHead {
  /** Storage key of the entry: up to 120 characters of `[0-9a-z.]`. */
  readonly id: string;
  readonly kind: EntryKind;
  /**
   * Id of the cache key that the entry serves: its own id if a response is stored under its cache key, the id of the
   * cache key for a variant, the id of the target for a redirect. Deleting a group deletes all of these.
   */
  readonly group: string;
  /** Milliseconds since the epoch, an integer. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch, an integer; `Infinity`: never stale. */
  readonly staleAt: number;
  /** Digests in the secondary index (32 hex digits each, no duplicates): URLs, tags and cache groups. */
  readonly indexes: readonly string[];
  /** The store's invalidation order when the origin was asked (see `Store.currentOrder`); 0 if the store has none. */
  readonly order: number;
  /** How the entry is protected: `''`, `'S'` signed, `'E'` encrypted, `'B'` both. */
  readonly protection: '' | 'S' | 'E' | 'B';
  /** Bytes of signature, metadata and body; bytes of the whole value if the store knows no better. */
  readonly size: number;
}

/** A head with the metadata: the part that can be listed without reading bodies. */
export interface EntrySummary extends EntryHead {
  /** Detached JWS of a signed entry, else empty. ASCII. */
  readonly signature: string;
  /** Output of the serializer. */
  readonly meta: Uint8Array;
}

/** A whole entry. `body` must not be written to: the memory store returns the bytes that it keeps. */
export interface Entry extends EntrySummary {
  readonly body: Uint8Array;
}

/** Milliseconds since the epoch; instants from this one on count as never, since stores keep 13 digits. */
const LATEST = 9_999_999_999_999;

/** Returns the integer that every store keeps for an instant in milliseconds; `Infinity` for never. */
export function storedInstant(instant: number): number {
  return instant >= LATEST ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor(instant));
}

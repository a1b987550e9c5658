/** `unknown`: a row whose head cannot be read (foreign, older format, damaged); it can be counted and dropped. */
export type EntryKind = 'response' | 'variants' | 'redirect' | 'unknown';

/** What a store can index, and read without the rest. */
export interface EntryHead {
  /** The row's name in the store: up to 120 characters of `[0-9a-z.]`. */
  readonly id: string;
  readonly kind: EntryKind;
  /**
   * The id of the key that the entry serves: its own where a response stands under its key, the key's for a variant,
   * the target's for a redirect. Dropping a group drops all of these.
   */
  readonly group: string;
  /** Milliseconds since the epoch, an integer. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch, an integer; `Infinity` for never. */
  readonly staleAt: number;
  /** Digests (32 hex digits each) of the URL asked and the final URL where that is another; empty where no look-up by URL applies. */
  readonly urls: readonly string[];
  /** How the entry is protected: `''`, `'S'` signed, `'E'` encrypted, `'B'` both. */
  readonly protection: '' | 'S' | 'E' | 'B';
  /** Bytes of signature, metadata and body; of the whole row where a store knows no better. */
  readonly size: number;
}

/** A head with the metadata: what can be listed without reading bodies. */
export interface EntrySummary extends EntryHead {
  /** Detached JWS where the entry is signed, else empty. ASCII. */
  readonly signature: string;
  /** As the serializer wrote it. */
  readonly meta: Uint8Array;
}

/** A whole entry. `body` must not be written to: memory hands out what it holds. */
export interface Entry extends EntrySummary {
  readonly body: Uint8Array;
}

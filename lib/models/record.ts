import type { Fields, StoredMessage } from '../policy/messages.js';

/** One hop of a redirect chain that was followed, redacted. */
export interface Hop {
  readonly url: string;
  readonly status: number;
  readonly headers: Fields;
}

/** What is kept of the request that a response answered, redacted. */
export interface RequestRecord {
  readonly method: string;
  readonly url: string;
  readonly headers: Fields;
  /** Text or base64 of the request's body; absent where there was none. */
  readonly body?: string;
}

/**
 * How the body's bytes came from the adapter, so that a replay gives the same:
 * `bytes` (an adapter that honours `responseType`), `text` (one that returned a string all the same),
 * `json` (a mock that returned an object), `none` (no body at all, as for the fetch adapter's 204).
 */
export type BodyForm = 'bytes' | 'text' | 'json' | 'none';

interface RecordBase {
  /** The key as asked: the row it stands in is named after it. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly staleAt: number;
}

/** A stored response. All of it but the body goes through the serializer. */
export interface ResponseRecord extends RecordBase, StoredMessage {
  readonly kind: 'response';
  readonly status: number;
  readonly statusText: string;
  readonly headers: Fields;
  /** The final URL, redacted. */
  readonly url: string;
  readonly request: RequestRecord;
  readonly history: readonly Hop[];
  readonly initialAge: number;
  /**
   * RFC 9111 section 4.1: the field names of Vary that count, lower case and sorted, and the digest of what the
   * request had for them. Both are empty for a response without Vary, which then stands under the key itself.
   */
  readonly vary: readonly string[];
  readonly variant: string;
  readonly bodyForm: BodyForm;
  readonly body: Uint8Array;
}

/** Stands under a key whose responses vary: tells which fields select. Overwritten as a whole, never merged. */
export interface VariantsRecord extends RecordBase {
  readonly kind: 'variants';
  readonly vary: readonly string[];
}

/** Another URL of a redirect chain, leading to the key that was asked. */
export interface RedirectRecord extends RecordBase {
  readonly kind: 'redirect';
  readonly target: string;
  /** The URL that leads there, redacted. */
  readonly url: string;
}

export type StoredRecord = ResponseRecord | VariantsRecord | RedirectRecord;

import type { Fields, StoredMessage } from '../policy/messages.js';

/** One hop of a redirect chain that was followed, redacted. */
export interface Hop {
  readonly url: string;
  readonly status: number;
  readonly headers: Fields;
}

/** The stored part of the request that a response answers, redacted. */
export interface RequestRecord {
  readonly method: string;
  readonly url: string;
  readonly headers: Fields;
  /** The request body as text, or as base64 of bytes; absent if there was none. */
  readonly body?: string;
  /** Set if the key cannot be computed from this record: it has redacted parts, or lacks some. */
  readonly isPartial?: boolean;
}

/**
 * The form in which the adapter returned the body, so that a hit returns the same form:
 * `bytes` (the adapter respects `responseType`), `text` (it returned a string anyway), `json` (a mock returned an
 * object), `none` (no body at all, such as a 204 of the fetch adapter).
 */
export type BodyForm = 'bytes' | 'text' | 'json' | 'none';

interface RecordBase {
  /** Cache key of the request as asked. The entry's id is derived from it. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch; `Infinity`: never stale. */
  readonly staleAt: number;
  /** Digests in the secondary index, made by `EntryCodec.indexDigests`; stored in the entry's head. */
  readonly indexes: readonly string[];
  /** The store's invalidation order when the origin was asked (see `EntryHead.order`); stored in the entry's head. */
  readonly order: number;
}

/** A stored response. The serializer writes everything except the body and the fields of the entry's head. */
export interface ResponseRecord extends RecordBase, StoredMessage {
  readonly kind: 'response';
  /** 16 hex digits, new for each stored response. A redirect belongs to the response that has the same stamp. */
  readonly stamp: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Fields;
  /** The final URL, redacted. */
  readonly url: string;
  readonly request: RequestRecord;
  readonly history: readonly Hop[];
  /** Seconds (RFC 9111 section 4.2.3, corrected_initial_age). */
  readonly initialAge: number;
  /**
   * RFC 9111 section 4.1: the field names of Vary that count, in lower case and sorted, and the digest of the request's
   * values for them. Both are empty for a response without Vary, which is stored under the key itself.
   */
  readonly vary: readonly string[];
  readonly variant: string;
  /** The option `tags`. */
  readonly tags: readonly string[];
  /** 16 hex digits, new for each change of the body after it was stored; absent before the first. */
  readonly revision?: string | undefined;
  /** Cache keys of the redirects to this response, which are renewed with it; absent if there are none. */
  readonly aliases?: readonly string[] | undefined;
  readonly bodyForm: BodyForm;
  readonly body: Uint8Array;
}

/** Stored under a key whose responses vary: the field names that select the variant. Stale with the last variant. */
export interface VariantsRecord extends RecordBase {
  readonly kind: 'variants';
  readonly vary: readonly string[];
}

/** Maps another URL of a redirect chain to the key of the request as asked. */
export interface RedirectRecord extends RecordBase {
  readonly kind: 'redirect';
  /** Cache key of the response. */
  readonly target: string;
  /** The `stamp` of the response that the redirect belongs to. */
  readonly stamp: string;
  /** The mapped URL, redacted. */
  readonly url: string;
}

export type StoredRecord = ResponseRecord | VariantsRecord | RedirectRecord;

/** A lifetime that a user gives to a stored entry; both in milliseconds since the epoch. */
export interface Lifetime {
  readonly staleAt: number;
  /** When it was given. */
  readonly now: number;
}

/** Returns the entry with another lifetime. Its age is known again if the clock was set back since it was received. */
export function withLifetime<T extends StoredRecord>(record: T, { staleAt, now }: Lifetime): T {
  return { ...record, staleAt, receivedAt: Math.min(record.receivedAt, now) };
}

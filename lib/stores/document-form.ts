import type { Entry, EntryHead, EntrySummary } from '../models/entry.js';
import { instantField, packSummary, parseSummary, unreadable } from './stored-form.js';

// The stored form for stores that keep fields rather than one value: what is indexed, the row's beginning, and the body.

/** An entry less its body, as a document has it. */
export interface EntryFields extends Pick<EntryHead, 'kind' | 'group' | 'urls' | 'receivedAt' | 'staleAt' | 'size'> {
  /** Head, signature and metadata in one: what is believed; the fields beside it are for queries. */
  readonly head: Buffer;
}

export function fieldsOf(entry: Entry): EntryFields {
  const { kind, group, urls, receivedAt, staleAt, size } = entry;
  return { kind, group, urls, receivedAt, staleAt: Number(instantField(staleAt)), size, head: packSummary(entry) };
}

/** An entry less its body from a stored value; of kind `unknown` where that is not one of ours. */
export function summaryOf(id: string, value: { head?: unknown; size?: unknown } | null | undefined): EntrySummary {
  const head = value?.head;
  const size = typeof value?.size === 'number' ? value.size : 0;
  return head instanceof Uint8Array ? parseSummary(id, head, size) : unreadable(id, size);
}

/** A whole entry from a stored value. */
export function entryOf(id: string, value: { head?: unknown; body?: unknown; size?: unknown } | undefined): Entry {
  const body = value?.body;
  return { ...summaryOf(id, value), body: body instanceof Uint8Array ? body : Buffer.alloc(0) };
}

/** Without a copy: what the drivers of stores take. */
export function bytes(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

import type { Entry, EntryHead, EntrySummary } from '../models/entry.js';
import { isBytes } from '../platform/bytes.js';
import { bodyLengthOf, instantField, packSummary, parseSummary, unreadable } from './stored-form.js';

// The stored form for stores that keep fields instead of one value: the indexed fields, the packed summary, and the body.

/** An entry without its body, as a document contains it. */
export interface EntryFields extends Pick<EntryHead, 'kind' | 'group' | 'indexes' | 'receivedAt' | 'staleAt' | 'size'> {
  /** Head, index digests, signature and metadata in one. It decides; the fields beside it serve queries. */
  readonly head: Buffer;
}

export function fieldsOf(entry: Entry): EntryFields {
  const { kind, group, indexes, receivedAt, staleAt, size } = entry;
  return { kind, group, indexes, receivedAt, staleAt: Number(instantField(staleAt)), size, head: packSummary(entry) };
}

/** Returns an entry without its body from a stored value; of kind `unknown` if the value is not one of this package. */
export function summaryOf(id: string, value: { head?: unknown; size?: unknown } | null | undefined): EntrySummary {
  const head = value?.head;
  const size = typeof value?.size === 'number' ? value.size : 0;
  return isBytes(head) ? parseSummary(id, head, size) : unreadable(id, size);
}

/** Returns a whole entry from a stored value; of kind `unknown` if the body has another length than was stored. */
export function entryOf(id: string, value: { head?: unknown; body?: unknown; size?: unknown } | undefined): Entry {
  const summary = summaryOf(id, value);
  const body = isBytes(value?.body) ? value.body : Buffer.alloc(0);
  if (summary.kind === 'unknown' || bodyLengthOf(value?.head as Uint8Array) === body.byteLength)
    return { ...summary, body };
  return unreadable(id, summary.size);
}

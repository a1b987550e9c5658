import type { Entry } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';

/** Share of a body's buffer that may be unused. */
const UNUSED = 1 / 20;
const NONE: readonly never[] = Object.freeze([]);
const ASCII = /^[\0-\x7f]*$/;

/**
 * Returns a record that keeps only its own content in memory, for stores in this process's memory.
 *
 * A body is often a view of a larger buffer (a network read, a block of a decompressor, Node's buffer pool), and a text a
 * part of a longer one or a chain of parts. Each view and part keeps the whole of it in memory.
 */
export function compactRecord(record: StoredRecord): StoredRecord {
  const indexes = compactList(record.indexes);
  if (record.kind !== 'response') return { ...record, indexes };
  const { request, tags, vary } = record;
  const url = compactText(record.url);
  return {
    ...record,
    indexes,
    url,
    request: { ...request, url: request.url === record.url ? url : compactText(request.url) },
    stamp: compactText(record.stamp),
    vary: vary.length === 0 ? NONE : vary,
    tags: tags.length === 0 ? NONE : tags,
    history: record.history.length === 0 ? NONE : record.history,
    body: compactBytes(record.body),
  };
}

/** Returns a serialized entry that keeps only its own content in memory. */
export function compactEntry(entry: Entry): Entry {
  const { indexes, meta, body } = entry;
  return { ...entry, indexes: compactList(indexes), meta: compactBytes(meta), body: compactBytes(body) };
}

/** Returns the bytes in a buffer of their own, or as they are if they nearly fill theirs. */
function compactBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer.byteLength - bytes.byteLength <= bytes.byteLength * UNUSED) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

function compactList(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return NONE;
  // A copy has no room to grow, unlike the result of `map`.
  const list = [...texts];
  for (const [index, text] of texts.entries()) list[index] = compactText(text);
  return list;
}

/** Other texts than ASCII are returned as they are: a copy would change lone surrogates. */
function compactText(text: string): string {
  return ASCII.test(text) ? Buffer.from(text, 'latin1').toString('latin1') : text;
}

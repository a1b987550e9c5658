import type { Document, Filter } from 'mongodb';
import type { EntryQuery } from '../store.js';

/** Names of the fields that a filter is about: documents have a key and a value, files a name and metadata. */
export interface FieldNames {
  /** The field with the cache's name and the entry's id. */
  readonly key: 'key' | 'filename';
  /** The field that contains those of the entry. */
  readonly entry: 'value' | 'metadata';
}

/** Kinds of entries that counts leave out. */
export const NOT_COUNTED = ['variants', 'redirect'];
/** Kinds of entries that a redirect must not replace. */
export const DIRECT = ['response', 'variants'];

/** Selects every key of a cache, by a range that an index serves; the prefix ends with a colon. */
export function keysOf(prefix: string, field: FieldNames['key']): Filter<Document> {
  // A list of strings would meet the range too.
  return { [field]: { $gt: prefix, $lt: `${prefix.slice(0, -1)};`, $not: { $type: 'array' } } };
}

/** Selects the documents that counts include: responses, and documents that cannot be read. */
export function counted({ entry }: FieldNames): Filter<Document> {
  return { [`${entry}.kind`]: { $nin: NOT_COUNTED } };
}

/** Selects the documents of a query by the fields beside the head; the reader compares the head itself. */
export function conditions(query: EntryQuery, prefix: string, { key, entry }: FieldNames): Filter<Document> {
  const { kind, group, index, staleBy, freshAt, receivedBefore, receivedAfter } = query;
  const terms: Filter<Document>[] = [];
  if (kind !== undefined && kind !== 'unknown') terms.push({ [`${entry}.kind`]: kind });
  if (group !== undefined) terms.push({ $or: [{ [`${entry}.group`]: group }, { [key]: prefix + group }] });
  if (index !== undefined) terms.push({ [`${entry}.indexes`]: index });
  if (staleBy !== undefined) terms.push({ [`${entry}.staleAt`]: { $lte: staleBy } });
  if (freshAt !== undefined) terms.push({ [`${entry}.staleAt`]: { $gt: freshAt } });
  if (receivedBefore !== undefined) terms.push({ [`${entry}.receivedAt`]: { $lt: receivedBefore } });
  if (receivedAfter !== undefined) terms.push({ [`${entry}.receivedAt`]: { $gt: receivedAfter } });
  return terms.length === 0 ? {} : { $and: terms };
}

/**
 * Returns the indexes that serve those filters: each ends with the key, so that a page in the order of keys needs no
 * sorting.
 */
export function indexesOf({ key, entry }: FieldNames): { readonly key: Record<string, 1> }[] {
  return ['group', 'indexes', 'staleAt'].map((field) => ({ key: { [`${entry}.${field}`]: 1, [key]: 1 } }));
}

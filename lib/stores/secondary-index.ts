import type { EntryHead } from '../models/entry.js';

// The secondary index of stores that have none of their own: lists of ids for each group and digest.

/** A list is stored in parts: some stores have no room for a long one, and concurrent writers rarely need the same part. */
export const LIST_PARTS = [...'0123456789abcdef'];

/** Returns the part that contains an id. Its last digit is random even if ids begin alike, as those of variants do. */
export function listPart(id: string): string {
  const digit = id.at(-1) ?? '0';
  return LIST_PARTS.includes(digit) ? digit : '0';
}

/** Returns the group and the digests under which an entry is found, unless the group is its id. */
export function indexedUnder({ group, id, indexes }: Pick<EntryHead, 'group' | 'id' | 'indexes'>): string[] {
  return [...(group === id ? [] : [group]), ...indexes];
}

import type { EntryHead } from '../models/entry.js';

// Links lead from groups, and digests of URLs, to ids, for stores that have no index of their own.

/** A link's lists are kept in parts: some stores have no room for all of it in one, and writers seldom meet. */
export const LINK_PARTS = [...'0123456789abcdef'];

/** The part of a link that an id is in: spread evenly also where ids begin alike, as a key's variants do. */
export function linkPart(id: string): string {
  return id.at(-1) ?? '0';
}

/** What leads to an entry, beside its id. */
export function leadingTo({ group, id, indexes }: Pick<EntryHead, 'group' | 'id' | 'indexes'>): string[] {
  return [...(group === id ? [] : [group]), ...indexes];
}

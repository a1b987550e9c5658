import type { EntryHead } from '../models/entry.js';
import type { EntryQuery, Store } from './store.js';

/** Returns whether an entry matches a query, for stores that filter themselves. */
export function fits(entry: EntryHead, query: EntryQuery): boolean {
  if (query.kind !== undefined && entry.kind !== query.kind) return false;
  if (query.group !== undefined && entry.group !== query.group && entry.id !== query.group) return false;
  if (query.index !== undefined && !entry.indexes.includes(query.index)) return false;
  if (query.staleBy !== undefined && entry.staleAt > query.staleBy) return false;
  if (query.freshAt !== undefined && entry.staleAt <= query.freshAt) return false;
  if (query.receivedAfter !== undefined && entry.receivedAt <= query.receivedAfter) return false;
  return query.receivedBefore === undefined || entry.receivedAt < query.receivedBefore;
}

/** Returns the query for entries that count as stale only because they were received later than now. */
export function fromFuture(now: number): EntryQuery {
  return { freshAt: now, receivedAfter: now };
}

/**
 * Returns the names by which an invalidation selects an entry: its digests, the id of its cache key, and, for a redirect, of
 * the key that it maps.
 */
export function invalidatedBy({ id, kind, group, indexes }: EntryHead): readonly string[] {
  return kind === 'redirect' ? [...indexes, group, id] : [...indexes, group];
}

/** Returns whether counts include an entry: a response, or an entry that may have been one. */
export function counts(entry: Pick<EntryHead, 'kind'>): boolean {
  return entry.kind === 'response' || entry.kind === 'unknown';
}

/** Returns the number of matching entries, by the count of the store or by its list. */
export async function countOf(store: Store, query: EntryQuery): Promise<number> {
  return store.count ? store.count(query) : countListed(store.list(query), query);
}

/** Returns the number of listed entries that counts include. */
export async function countListed(entries: AsyncIterable<EntryHead>, query: EntryQuery): Promise<number> {
  let number = 0;
  for await (const entry of entries) if (query.kind !== undefined || counts(entry)) number += 1;
  return number;
}

/** Returns these ids and those of the entries whose group is among them, without duplicates. */
export async function withMembers(store: Pick<Store, 'list'>, ids: readonly string[]): Promise<string[]> {
  const all = new Set(ids);
  for (const group of ids) for await (const entry of store.list({ group })) all.add(entry.id);
  return [...all];
}

/** Returns whether an entry is a response or a variant marker, which no redirect may replace. */
export function isDirect(entry: Pick<EntryHead, 'kind'> | undefined): boolean {
  return entry?.kind === 'response' || entry?.kind === 'variants';
}

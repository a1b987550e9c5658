import type { EntryHead } from '../models/entry.js';
import type { EntryQuery } from './store.js';

/** Whether an entry fits a query, for stores that have to look themselves. */
export function fits(entry: EntryHead, query: EntryQuery): boolean {
  if (query.kind !== undefined && entry.kind !== query.kind) return false;
  if (query.group !== undefined && entry.group !== query.group && entry.id !== query.group) return false;
  if (query.url !== undefined && !entry.urls.includes(query.url)) return false;
  if (query.expiredBy !== undefined && entry.expires > query.expiredBy) return false;
  if (query.freshAt !== undefined && entry.expires <= query.freshAt) return false;
  return query.createdBefore === undefined || entry.created < query.createdBefore;
}

/** Whether an entry is one that counts are of: a response, or what may have been one. */
export function counts(entry: Pick<EntryHead, 'kind'>): boolean {
  return entry.kind === 'response' || entry.kind === 'unknown';
}

/** How many of the entries that a query lists are to be counted, where each has to be looked at. */
export async function countListed(entries: AsyncIterable<EntryHead>, query: EntryQuery): Promise<number> {
  let number = 0;
  for await (const entry of entries) if (query.kind !== undefined || counts(entry)) number += 1;
  return number;
}

/** Lists of at most that many. */
export function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

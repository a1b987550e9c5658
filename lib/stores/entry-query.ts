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

/** Concurrent operations on a store or a disk, at most. */
const AT_ONCE = 16;

/** Returns the results of the work for each item; several run at once. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce = AT_ONCE,
): Promise<R[]> {
  const results: R[] = [];
  for (const batch of batches(items, atOnce)) results.push(...(await Promise.all(batch.map(work))));
  return results;
}

/** Waits for all, then throws the reason of the first failure. */
export async function allSettled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** Yields the found items; several are looked up at once. */
export async function* eachFound<T>(
  ids: readonly string[],
  find: (id: string) => Promise<T | undefined>,
): AsyncGenerator<T> {
  for (const batch of batches(ids, AT_ONCE)) {
    for (const found of await Promise.all(batch.map(find))) if (found !== undefined) yield found;
  }
}

/** Returns these ids and those of the entries whose group is among them, without duplicates. */
export async function withMembers(store: Pick<Store, 'list'>, ids: readonly string[]): Promise<string[]> {
  const all = new Set(ids);
  for (const group of ids) for await (const entry of store.list({ group })) all.add(entry.id);
  return [...all];
}

/** Yields lists of at most that many items. */
export function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Returns whether an entry is a response or a variant marker, which no redirect may replace. */
export function isDirect(entry: Pick<EntryHead, 'kind'> | undefined): boolean {
  return entry?.kind === 'response' || entry?.kind === 'variants';
}

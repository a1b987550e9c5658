import type { Entry, EntryHead } from '../models/entry.js';
import type { EntryQuery, Store } from './store.js';

/** Whether an entry fits a query, for stores that have to look themselves. */
export function fits(entry: EntryHead, query: EntryQuery): boolean {
  if (query.kind !== undefined && entry.kind !== query.kind) return false;
  if (query.group !== undefined && entry.group !== query.group && entry.id !== query.group) return false;
  if (query.index !== undefined && !entry.indexes.includes(query.index)) return false;
  if (query.staleBy !== undefined && entry.staleAt > query.staleBy) return false;
  if (query.freshAt !== undefined && entry.staleAt <= query.freshAt) return false;
  return query.receivedBefore === undefined || entry.receivedAt < query.receivedBefore;
}

/** Whether an entry is one that counts are of: a response, or what may have been one. */
export function counts(entry: Pick<EntryHead, 'kind'>): boolean {
  return entry.kind === 'response' || entry.kind === 'unknown';
}

/** Number of entries that fit, as the store knows it or as it lists them. */
export async function countOf(store: Store, query: EntryQuery): Promise<number> {
  return store.count ? store.count(query) : countListed(store.list(query), query);
}

/** How many of the entries that a query lists are to be counted, where each has to be looked at. */
export async function countListed(entries: AsyncIterable<EntryHead>, query: EntryQuery): Promise<number> {
  let number = 0;
  for await (const entry of entries) if (query.kind !== undefined || counts(entry)) number += 1;
  return number;
}

/** What is asked of a store, or of a disk, at once where much is to be done. */
const AT_ONCE = 16;

/** What the work makes of each, several at once. */
export async function mapConcurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const batch of batches(items, AT_ONCE)) results.push(...(await Promise.all(batch.map(work))));
  return results;
}

/** Waits for all, and then throws the reason of the first that failed. */
export async function allSettled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** What there is of what is looked for, several at once. */
export async function* eachFound<T>(
  ids: readonly string[],
  find: (id: string) => Promise<T | undefined>,
): AsyncGenerator<T> {
  for (const batch of batches(ids, AT_ONCE)) {
    for (const found of await Promise.all(batch.map(find))) if (found !== undefined) yield found;
  }
}

/** These ids, and those of the entries whose group is among them, each once. */
export async function withMembers(store: Pick<Store, 'list'>, ids: readonly string[]): Promise<string[]> {
  const all = new Set(ids);
  for (const group of ids) for await (const entry of store.list({ group })) all.add(entry.id);
  return [...all];
}

/** Lists of at most that many. */
export function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Whether an entry was stored for a request of its own, so that no redirect may replace it. */
export function isDirect(entry: Pick<EntryHead, 'kind'> | undefined): boolean {
  return entry?.kind === 'response' || entry?.kind === 'variants';
}

/** Writes entries one after another, for stores without a write of several; a redirect never replaces a direct response. */
export async function putInTurn(
  store: Pick<Store, 'find'>,
  entries: readonly Entry[],
  put: (entry: Entry) => Promise<void>,
): Promise<boolean> {
  for (const entry of entries) {
    if (entry.kind === 'redirect' && isDirect(await store.find(entry.id))) continue;
    await put(entry);
  }
  return true;
}

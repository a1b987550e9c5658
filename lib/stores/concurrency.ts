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

/** Yields lists of at most that many items. */
export function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

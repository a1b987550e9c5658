import type { CachedResponse } from '../models/cached-response.js';
import type { BaseCache } from './base-cache.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import type { Invalidator } from './invalidator.js';
import { readKey, readKeys } from './queries.js';

/** A view of a cache's entries like a dictionary (requests-cache: `BaseStorage`), by the key of a request as asked. */
export interface CacheStorage<T> {
  get(key: string): Promise<T | undefined>;
  set(key: string, value: T): Promise<void>;
  /** Resolves to whether there was anything to delete. */
  delete(key: string): Promise<boolean>;
  bulkDelete(keys: string | readonly string[]): Promise<void>;
  has(key: string): Promise<boolean>;
  keys(): AsyncIterable<string>;
  entries(): AsyncIterable<[key: string, value: T]>;
  count(): Promise<number>;
  clear(): Promise<void>;
}

/** `cache.responses`. */
export function responsesView(
  cache: BaseCache,
  invalidator: Invalidator,
  set: (key: string, value: CachedResponse) => Promise<void>,
): CacheStorage<CachedResponse> {
  return {
    get: (key) => cache.getResponse(key),
    set,
    delete: async (key) => (await cache.delete(readKey('key', key))) > 0,
    bulkDelete: async (keys) => void (await cache.bulkDelete(keys)),
    has: (key) => cache.hasKey(key),
    keys: () => cache.keys(),
    async *entries() {
      for await (const response of cache.values()) yield [response.cacheKey, response];
    },
    count: () => cache.responseCount(),
    clear: () => invalidator.clearResponses(),
  };
}

/** `cache.redirects`. */
export function redirectsView(
  repository: EntryRepository,
  scan: EntryScan,
  set: (key: string, target: string) => Promise<void>,
): CacheStorage<string> {
  const remove = async (key: string): Promise<boolean> => {
    const found = await repository.redirect(readKey('key', key));
    if (found) await repository.deleteExact(repository.codec.names(key));
    return found !== undefined;
  };
  const entries = async function* (): AsyncGenerator<[string, string]> {
    for await (const record of scan.others({ kind: 'redirect' })) {
      if (record.kind === 'redirect') yield [record.key, record.target];
    }
  };
  return {
    get: async (key) => (await repository.redirect(readKey('key', key)))?.target,
    set,
    delete: remove,
    bulkDelete: async (keys) => {
      for (const key of readKeys('keys', keys)) await remove(key);
    },
    has: async (key) => (await repository.redirect(readKey('key', key))) !== undefined,
    async *keys() {
      for await (const [key] of entries()) yield key;
    },
    entries,
    count: () => scan.count({ kind: 'redirect' }),
    clear: async () => void (await scan.deleteMatching(() => scan.summaries({ kind: 'redirect' }))),
  };
}

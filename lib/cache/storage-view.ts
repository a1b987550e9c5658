import type { CachedResponse } from '../models/cached-response.js';
import type { RedirectRecord } from '../models/record.js';
import type { BaseCache } from './base-cache.js';
import type { Rows } from './rows.js';

/** A view of a cache's rows like a dictionary (requests-cache: `BaseStorage`). All by the key of a request as asked. */
export interface CacheStorage<T> {
  get(key: string): Promise<T | undefined>;
  set(key: string, value: T): Promise<void>;
  /** Resolves to whether there was anything to delete. */
  delete(key: string): Promise<boolean>;
  bulkDelete(keys: readonly string[]): Promise<void>;
  has(key: string): Promise<boolean>;
  keys(): AsyncIterable<string>;
  entries(): AsyncIterable<[key: string, value: T]>;
  count(): Promise<number>;
  clear(): Promise<void>;
}

/** `cache.responses`. */
export function responsesView(
  cache: BaseCache,
  rows: Rows,
  set: (key: string, value: CachedResponse) => Promise<void>,
): CacheStorage<CachedResponse> {
  return {
    get: (key) => cache.getResponse(key),
    set,
    delete: async (key) => (await cache.delete(key)) > 0,
    bulkDelete: async (keys) => void (await cache.bulkDelete(keys)),
    has: (key) => cache.hasKey(key),
    keys: () => cache.keys(),
    async *entries() {
      for await (const response of cache.values()) yield [response.cacheKey, response];
    },
    count: () => cache.responseCount(),
    clear: async () => void (await rows.dropFitting(() => rows.responses())),
  };
}

/** `cache.redirects`. */
export function redirectsView(rows: Rows, set: (key: string, target: string) => Promise<void>): CacheStorage<string> {
  const find = async (key: string): Promise<RedirectRecord | undefined> => {
    const record = await rows.find(key);
    return record?.kind === 'redirect' ? record : undefined;
  };
  const remove = async (key: string): Promise<boolean> => {
    const found = await find(key);
    if (found) await rows.dropExact(rows.names(key));
    return found !== undefined;
  };
  const entries = async function* (): AsyncGenerator<[string, string]> {
    for await (const row of rows.summaries({ kind: 'redirect' })) {
      if ('record' in row && row.record.kind === 'redirect') yield [row.record.key, row.record.target];
    }
  };
  return {
    get: async (key) => (await find(key))?.target,
    set,
    delete: remove,
    bulkDelete: async (keys) => {
      for (const key of keys) await remove(key);
    },
    has: async (key) => (await find(key)) !== undefined,
    async *keys() {
      for await (const [key] of entries()) yield key;
    },
    entries,
    count: () => rows.count({ kind: 'redirect' }),
    clear: async () => void (await rows.dropFitting(() => rows.summaries({ kind: 'redirect' }))),
  };
}

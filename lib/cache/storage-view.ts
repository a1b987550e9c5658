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

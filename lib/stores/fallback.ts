import { CacheError } from '../errors.js';
import type { Entry, EntrySummary } from '../models/entry.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import type { EntryQuery, Store } from './store.js';

/** One that counts and purges in one step, as SQLite and memory do. */
type IndexedStore = Store & Required<Pick<Store, 'count' | 'deleteExpired'>>;

/**
 * A store that nobody asked for by name, with another to take its place where its package turns out to be broken: a
 * native part that was never built is no reason for requests to fail.
 */
export class FallbackStore implements Store {
  #store: IndexedStore;
  readonly #substitute: () => IndexedStore;
  readonly #onFallback: (error: CacheError) => void;
  #settled = false;

  /** @param onFallback told once, when the substitute takes over */
  constructor(store: IndexedStore, substitute: () => IndexedStore, onFallback: (error: CacheError) => void) {
    this.#store = store;
    this.#substitute = substitute;
    this.#onFallback = onFallback;
  }

  get name(): string {
    return this.#store.name;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    return this.#use((store) => store.find(id));
  }

  put(entries: readonly Entry[]): MaybePromise<boolean> {
    return this.#use((store) => store.put(entries));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#use((store) => store.deleteGroups(ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    return this.#use((store) => store.delete(ids));
  }

  async *list(query?: EntryQuery): AsyncGenerator<EntrySummary> {
    await this.ready();
    yield* this.#store.list(query);
  }

  async count(query?: EntryQuery): Promise<number> {
    return this.#use((store) => store.count(query));
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    await this.ready();
    yield* this.#store.deleteExpired(now);
  }

  async *clear(): AsyncGenerator<unknown> {
    yield await this.#use(async (store) => {
      for await (const _ of store.clear());
    });
  }

  /** Memory, which may have taken SQLite's place, has nobody to share a lease with. */
  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#use((store) => store.acquireLease?.(name, holder, seconds) ?? true);
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    return this.#use((store) => store.releaseLease?.(name, holder));
  }

  async ready(): Promise<void> {
    return this.#use((store) => store.ready());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #use<T>(work: (store: IndexedStore) => MaybePromise<T>): MaybePromise<T> {
    return this.#settled ? work(this.#store) : this.#try(work);
  }

  async #try<T>(work: (store: IndexedStore) => MaybePromise<T>): Promise<T> {
    const tried = this.#store;
    try {
      const value = await work(tried);
      this.#settled = true;
      return value;
    } catch (error) {
      if (!(error instanceof CacheError) || error.code !== 'ERR_CACHE_BROKEN_PACKAGE') throw error;
      if (this.#store === tried) {
        this.#store = this.#substitute();
        this.#settled = true;
        this.#onFallback(error);
      }
      return work(this.#store);
    }
  }
}

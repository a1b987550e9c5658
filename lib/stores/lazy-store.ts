import type { Entry, EntrySummary } from '../models/entry.js';
import { chain, type MaybePromise } from '../platform/maybe-promise.js';
import type { EntryQuery, Store } from './store.js';

/** The properties of a store on a network that are known before its code is loaded. */
export interface StoreTraits {
  readonly location: string | undefined;
  /** Default: no bound. */
  readonly maxEntrySize?: number | undefined;
  /** Whether it has `count` and `deleteExpired`. */
  readonly isIndexed: boolean;
  /** Whether it has `size`. */
  readonly reportsSize: boolean;
}

/** A store with leases and an order of invalidations, but without unused space. */
export type NetworkStore = Omit<Store, 'vacuum'> &
  Required<Pick<Store, 'acquireLease' | 'releaseLease' | 'currentOrder' | 'invalidate'>>;

/**
 * A store on a network, whose code is loaded by its first use: the import of the package loads no code of backends that the
 * process does not use.
 */
export class LazyStore implements Store {
  readonly name: string;
  readonly location: string | undefined;
  readonly maxEntrySize: number;
  readonly count?: (query?: EntryQuery) => Promise<number>;
  readonly deleteExpired?: (now: number) => AsyncIterable<number>;
  readonly size?: () => Promise<number>;
  readonly #load: () => Promise<NetworkStore>;
  #loading: Promise<NetworkStore> | undefined;
  #loaded: NetworkStore | undefined;

  constructor(name: string, traits: StoreTraits, load: () => Promise<NetworkStore>) {
    this.name = name;
    this.location = traits.location;
    this.maxEntrySize = traits.maxEntrySize ?? Number.POSITIVE_INFINITY;
    this.#load = load;
    if (traits.isIndexed) {
      this.count = async (query) => (await this.#store()).count?.(query) ?? 0;
      this.deleteExpired = (now) => this.#iterate((store) => store.deleteExpired?.(now) ?? []);
    }
    if (traits.reportsSize) this.size = async () => (await this.#store()).size?.() ?? 0;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    return chain(this.#store(), (store) => store.find(id));
  }

  put(entries: readonly Entry[]): MaybePromise<boolean> {
    return chain(this.#store(), (store) => store.put(entries));
  }

  replace(entry: Entry, replacement: Entry): MaybePromise<boolean> {
    return chain(this.#store(), (store) => store.replace(entry, replacement));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return (await this.#store()).deleteGroups(ids);
  }

  async delete(ids: readonly string[]): Promise<number> {
    return (await this.#store()).delete(ids);
  }

  list(query?: EntryQuery): AsyncGenerator<EntrySummary> {
    return this.#iterate((store) => store.list(query));
  }

  clear(): AsyncGenerator<unknown> {
    return this.#iterate((store) => store.clear());
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return (await this.#store()).acquireLease(name, holder, seconds);
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await (await this.#store()).releaseLease(name, holder);
  }

  currentOrder(): MaybePromise<number> {
    return chain(this.#store(), (store) => store.currentOrder());
  }

  invalidate(digests: readonly string[]): MaybePromise<void> {
    return chain(this.#store(), (store) => store.invalidate(digests));
  }

  async ready(): Promise<void> {
    await (await this.#store()).ready();
  }

  /** A store that was never used has nothing to release. */
  async close(): Promise<void> {
    await (await this.#loading)?.close();
  }

  async *#iterate<T>(work: (store: NetworkStore) => AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
    yield* work(await this.#store());
  }

  #store(): MaybePromise<NetworkStore> {
    if (this.#loaded) return this.#loaded;
    this.#loading ??= this.#load().then(
      (store) => {
        this.#loaded = store;
        return store;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}

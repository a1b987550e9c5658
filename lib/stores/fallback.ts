import type { Entry, EntrySummary } from '../models/entry.js';
import { chain, type MaybePromise } from '../platform/maybe-promise.js';
import type { EntryQuery, Store } from './store.js';

type IndexedStore = Store & Required<Pick<Store, 'count' | 'deleteExpired'>>;

/** A store that can say why it is of no use here. */
export interface PreferredStore extends IndexedStore {
  /** Opens the store; resolves to the reason if it cannot be written to in this environment. Never rejects. */
  findObstacle(): Promise<Error | undefined>;
}

/** The store of a cache without a named backend, with a substitute if the store cannot be used in this environment. */
export class FallbackStore implements Store {
  readonly #preferred: PreferredStore;
  readonly #substitute: () => IndexedStore;
  readonly #onFallback: (obstacle: Error) => void;
  #chosen: IndexedStore | undefined;
  #choosing: Promise<IndexedStore> | undefined;

  /** @param onFallback called once, when the substitute takes over */
  constructor(preferred: PreferredStore, substitute: () => IndexedStore, onFallback: (obstacle: Error) => void) {
    this.#preferred = preferred;
    this.#substitute = substitute;
    this.#onFallback = onFallback;
  }

  get name(): string {
    return this.#current.name;
  }

  get location(): string | undefined {
    return this.#current.location;
  }

  get maxEntrySize(): number {
    return this.#current.maxEntrySize ?? Number.POSITIVE_INFINITY;
  }

  get suggestedBodySize(): number {
    return this.#current.suggestedBodySize ?? Number.POSITIVE_INFINITY;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    return this.#use((store) => store.find(id));
  }

  put(entries: readonly Entry[]): MaybePromise<boolean> {
    return this.#use((store) => store.put(entries));
  }

  replace(entry: Entry, replacement: Entry): MaybePromise<boolean> {
    return this.#use((store) => store.replace(entry, replacement));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#use((store) => store.deleteGroups(ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    return this.#use((store) => store.delete(ids));
  }

  async *list(query?: EntryQuery): AsyncGenerator<EntrySummary> {
    yield* (await this.#choose()).list(query);
  }

  async count(query?: EntryQuery): Promise<number> {
    return this.#use((store) => store.count(query));
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    yield* (await this.#choose()).deleteExpired(now);
  }

  async *clear(): AsyncGenerator<unknown> {
    yield* (await this.#choose()).clear();
  }

  /** Memory has no other process with which it could share a lease. */
  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#use((store) => store.acquireLease?.(name, holder, seconds) ?? true);
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    return this.#use((store) => store.releaseLease?.(name, holder));
  }

  /** Memory has no other process whose invalidations would have to be ordered. */
  currentOrder(): MaybePromise<number> {
    return this.#use((store) => store.currentOrder?.() ?? 0);
  }

  invalidate(digests: readonly string[]): MaybePromise<void> {
    return this.#use((store) => store.invalidate?.(digests));
  }

  async size(): Promise<number> {
    return this.#use((store) => store.size?.() ?? 0);
  }

  async *vacuum(): AsyncGenerator<unknown> {
    const store = await this.#choose();
    if (store.vacuum) yield* store.vacuum();
  }

  onReplaced(listener: (error: Error) => void): void {
    this.#preferred.onReplaced?.(listener);
  }

  async ready(): Promise<void> {
    return this.#use((store) => store.ready());
  }

  close(): Promise<void> {
    return this.#current.close();
  }

  get #current(): IndexedStore {
    return this.#chosen ?? this.#preferred;
  }

  #use<T>(work: (store: IndexedStore) => MaybePromise<T>): MaybePromise<T> {
    return this.#chosen ? work(this.#chosen) : chain(this.#choose(), work);
  }

  #choose(): Promise<IndexedStore> {
    this.#choosing ??= this.#chooseOnce();
    return this.#choosing;
  }

  async #chooseOnce(): Promise<IndexedStore> {
    const obstacle = await this.#preferred.findObstacle();
    this.#chosen = obstacle ? this.#substitute() : this.#preferred;
    if (obstacle) {
      await this.#preferred.close();
      this.#onFallback(obstacle);
    }
    return this.#chosen;
  }
}

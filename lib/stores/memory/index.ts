import { LRUCache } from 'lru-cache';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { counts, fits, isDirect } from '../entry-query.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';
import { StoreFailure } from '../store-failure.js';

export interface MemoryStoreOptions {
  /**
   * Maximum number of entries; the least recently used is evicted first. Default: 10,000.
   *
   * @example
   * new MemoryCache({ maxEntries: 500 });
   */
  readonly maxEntries?: number | undefined;
  /**
   * Maximum number of bytes of memory; the least recently used entry is evicted first. Default: 100,000,000.
   *
   * @example
   * new MemoryCache({ maxSize: 20_000_000 });
   */
  readonly maxSize?: number | undefined;
  /** Seconds that an entry is kept after it has expired. Default: forever. */
  readonly retention?: number | undefined;
}

const MEMORY_MAX_ENTRIES = 10_000;
const MEMORY_MAX_SIZE = 100_000_000;
/** Bytes of an entry beside body and metadata: objects, nodes of maps, indexes. Measured by the test of memory use. */
const OVERHEAD = 840;
/** Maximum number of entries for which lru-cache may allocate its arrays at once, which saves 30 bytes an entry. */
const ALLOCATED = 100_000;

/**
 * Keeps entries in the memory of this process, within a number of entries and bytes, and evicts the least recently used
 * first. Answers synchronously, and returns the same object each time, so that the codec can reuse the decoded form.
 */
export class MemoryStore implements Store {
  readonly name = 'memory';
  readonly maxEntrySize: number;
  /** An eighth of the bound, so that one response never evicts most of the others. */
  readonly suggestedBodySize: number;
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #entries: LRUCache<string, Entry>;
  /** Ids of members of a group, except the entry whose id is the group. */
  readonly #members = new MemoryIndex();
  readonly #digests = new MemoryIndex();
  readonly #sweep: RetentionSweep;

  constructor(options: MemoryStoreOptions, now: () => number) {
    this.#sweep = new RetentionSweep(options.retention, now);
    this.#maxEntries = options.maxEntries ?? MEMORY_MAX_ENTRIES;
    this.#maxSize = options.maxSize ?? MEMORY_MAX_SIZE;
    this.maxEntrySize = Math.max(0, this.#maxSize - OVERHEAD);
    this.suggestedBodySize = Math.floor(this.#maxSize / 8);
    this.#entries = new LRUCache<string, Entry>({
      max: this.#maxEntries <= ALLOCATED ? this.#maxEntries : 0,
      maxSize: this.#maxSize,
      sizeCalculation: costOf,
      dispose: (entry) => this.#removeFromIndexes(entry),
    });
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  put(entries: readonly Entry[]): boolean {
    const written = entries.filter(({ kind, id }) => kind !== 'redirect' || !isDirect(this.#entries.peek(id)));
    const cost = written.reduce((sum, entry) => sum + costOf(entry), 0);
    if (cost > this.#maxSize) throw new StoreFailure('entry', new RangeError(`${cost} bytes exceed maxSize`));
    const expiredBy = this.#sweep.due();
    if (expiredBy !== undefined) this.#deleteStale(expiredBy);
    for (const entry of written) this.#put(entry);
    while (this.#entries.size > this.#maxEntries) this.#entries.pop();
    return true;
  }

  replace(entry: Entry, replacement: Entry): boolean {
    return this.#entries.peek(entry.id) === entry && this.put([replacement]);
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    if (entry.group !== entry.id) this.#members.add(entry.group, entry.id);
    for (const digest of entry.indexes) this.#digests.add(digest, entry.id);
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(ids.flatMap((id) => [id, ...this.#members.idsOf(id)]));
  }

  async delete(ids: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const id of ids) {
      const entry = this.#entries.peek(id);
      if (entry && this.#entries.delete(id) && counts(entry)) deleted += 1;
    }
    return deleted;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    // A copy of the ids, since the reader may delete and write meanwhile.
    for (const id of [...this.#candidates(query)]) {
      const entry = this.#entries.peek(id);
      if (entry && fits(entry, query)) yield entry;
    }
  }

  async count(query: EntryQuery = {}): Promise<number> {
    let number = 0;
    for (const id of this.#candidates(query)) {
      const entry = this.#entries.peek(id);
      if (entry && fits(entry, query) && (query.kind !== undefined || counts(entry))) number += 1;
    }
    return number;
  }

  async *deleteExpired(now: number): AsyncGenerator<number> {
    yield this.#deleteStale(now);
  }

  async *clear(): AsyncGenerator<unknown> {
    yield this.#entries.clear();
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#entries.clear();
  }

  async size(): Promise<number> {
    return this.#entries.calculatedSize;
  }

  #candidates({ group, index }: EntryQuery): Iterable<string> {
    if (group !== undefined) return [group, ...this.#members.idsOf(group)];
    return index === undefined ? this.#entries.keys() : this.#digests.idsOf(index);
  }

  #deleteStale(staleBy: number): number {
    let deleted = 0;
    for (const id of [...this.#entries.keys()]) {
      const entry = this.#entries.peek(id);
      if (!entry || entry.staleAt > staleBy) continue;
      this.#entries.delete(id);
      if (counts(entry)) deleted += 1;
    }
    return deleted;
  }

  #removeFromIndexes(entry: Entry): void {
    if (entry.group !== entry.id) this.#members.remove(entry.group, entry.id);
    for (const digest of entry.indexes) this.#digests.remove(digest, entry.id);
  }
}

function costOf(entry: Entry): number {
  return entry.size + OVERHEAD;
}

/**
 * A secondary index in memory: from a name (a group or a digest) to the ids of its entries. Most names have one id, so a
 * name has a `Set` only if it has several: a `Set` of one costs 200 bytes.
 */
class MemoryIndex {
  readonly #ids = new Map<string, string | Set<string>>();

  add(name: string, id: string): void {
    const ids = this.#ids.get(name);
    if (ids === undefined) this.#ids.set(name, id);
    else if (typeof ids !== 'string') ids.add(id);
    else if (ids !== id) this.#ids.set(name, new Set([ids, id]));
  }

  remove(name: string, id: string): void {
    const ids = this.#ids.get(name);
    if (ids === id) this.#ids.delete(name);
    if (ids === undefined || typeof ids === 'string') return;
    ids.delete(id);
    if (ids.size === 1) this.#ids.set(name, String([...ids][0]));
  }

  /** Returns the ids under a name: a view, which changes with the index. */
  idsOf(name: string): Iterable<string> {
    const ids = this.#ids.get(name);
    return typeof ids === 'string' ? [ids] : (ids ?? []);
  }
}

import { LRUCache } from 'lru-cache';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { counts, fits, isDirect } from '../entry-query.js';
import { RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';

export interface MemoryStoreOptions {
  /** Entries at most. Default: 10,000. */
  readonly maxEntries?: number | undefined;
  /** Bytes at most. Default: 100 MB. */
  readonly maxSize?: number | undefined;
  /** Seconds that an entry is kept after it expired. Default: for ever. */
  readonly retention?: number | undefined;
}

export const MEMORY_MAX_ENTRIES = 10_000;
export const MEMORY_MAX_SIZE = 100_000_000;
/** What an entry costs beside its bytes: objects, map nodes, index. */
const OVERHEAD = 500;

/**
 * Entries in this process's memory, bounded by number and bytes, the least recently used dropped first. It answers at
 * once, and hands out the same object each time, so that what was decoded once can be remembered.
 */
export class MemoryStore implements Store {
  readonly name = 'memory';
  /** An eighth of all there is room for. */
  readonly suggestedBodySize: number;
  readonly #entries: LRUCache<string, Entry>;
  /** Ids by group and by URL digest. */
  readonly #groups = new Map<string, Set<string>>();
  readonly #urls = new Map<string, Set<string>>();
  readonly #sweep: RetentionSweep;

  constructor(options: MemoryStoreOptions, now: () => number) {
    this.#sweep = new RetentionSweep(options.retention, now);
    this.suggestedBodySize = Math.floor((options.maxSize ?? MEMORY_MAX_SIZE) / 8);
    this.#entries = new LRUCache<string, Entry>({
      max: options.maxEntries ?? MEMORY_MAX_ENTRIES,
      maxSize: options.maxSize ?? MEMORY_MAX_SIZE,
      sizeCalculation: (entry) => entry.size + OVERHEAD,
      dispose: (entry) => this.#forget(entry),
    });
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  put(entries: readonly Entry[]): boolean {
    for (const entry of entries) {
      if (entry.kind !== 'redirect' || !isDirect(this.#entries.peek(entry.id))) this.#put(entry);
    }
    return true;
  }

  #put(entry: Entry): void {
    const until = this.#sweep.due();
    if (until !== undefined) this.#purge(until);
    this.#entries.set(entry.id, entry);
    if (this.#entries.peek(entry.id) !== entry) return;
    add(this.#groups, entry.group, entry.id);
    for (const url of entry.indexes) add(this.#urls, url, entry.id);
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(ids.flatMap((id) => [id, ...(this.#groups.get(id) ?? [])]));
  }

  async delete(ids: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const id of ids) {
      const entry = this.#entries.peek(id);
      if (entry && this.#entries.delete(id) && counts(entry)) dropped += 1;
    }
    return dropped;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    // A copy of the ids, so that whoever reads may drop and put meanwhile.
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
    yield this.#purge(now);
  }

  async *clear(): AsyncGenerator<unknown> {
    yield this.#entries.clear();
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#entries.clear();
  }

  #candidates({ group, index: url }: EntryQuery): Iterable<string> {
    if (group !== undefined) return [group, ...(this.#groups.get(group) ?? [])].filter(isFirst);
    if (url !== undefined) return this.#urls.get(url) ?? [];
    return this.#entries.keys();
  }

  #purge(until: number): number {
    let purged = 0;
    for (const id of [...this.#entries.keys()]) {
      const entry = this.#entries.peek(id);
      if (!entry || entry.staleAt > until) continue;
      this.#entries.delete(id);
      if (counts(entry)) purged += 1;
    }
    return purged;
  }

  #forget(entry: Entry): void {
    remove(this.#groups, entry.group, entry.id);
    for (const url of entry.indexes) remove(this.#urls, url, entry.id);
  }
}

function isFirst(id: string, index: number, ids: readonly string[]): boolean {
  return ids.indexOf(id) === index;
}

function add(index: Map<string, Set<string>>, name: string, id: string): void {
  const ids = index.get(name);
  if (ids) ids.add(id);
  else index.set(name, new Set([id]));
}

function remove(index: Map<string, Set<string>>, name: string, id: string): void {
  const ids = index.get(name);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(name);
}

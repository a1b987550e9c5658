import type Keyv from 'keyv';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { batches } from '../concurrency.js';
import { counts, fits, isDirect, withMembers } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import { isSame, packEntry, parseEntry, unreadable } from '../stored-form.js';
import { isKeyv, type KeyvAdapter, throughKeyv } from './keyv-line.js';
import { KeyvIndex } from './secondary-index.js';
import { type Found, KeyvTexts, UNREADABLE } from './texts.js';
import { Watches } from './watches.js';

export { isAdapter, isKeyv, type KeyvAdapter } from './keyv-line.js';

export interface KeyvStoreOptions {
  /** Seconds that an entry is kept after it has expired, passed to the adapter as a ttl. Default: forever. */
  readonly retention?: number | undefined;
}

/** Entries that are read at once, and keys that are deleted in one step. */
const READ_BATCH = 25;
const DELETE_BATCH = 500;

/**
 * Keeps entries in any store that has a Keyv adapter, through Keyv's interface alone: as base64, since only text passes
 * every adapter unchanged. Groups and digests have lists of ids. Other queries read every entry, or are refused if the
 * adapter cannot iterate. All keys begin with the cache's name and a colon, since the store may be the user's own.
 */
export class KeyvStore implements Store {
  readonly name = 'keyv';
  readonly #keyv: Keyv;
  readonly #texts: KeyvTexts;
  readonly #index: KeyvIndex;
  readonly #retention: number;
  readonly #watches = new Watches();
  /** Whether the Keyv was made here, and is disconnected by {@link KeyvStore.close}. */
  readonly #isOwned: boolean;
  #isClosed = false;

  constructor(store: Keyv | KeyvAdapter, cacheName: string, options: KeyvStoreOptions, now: () => number) {
    this.#isOwned = !isKeyv(store);
    this.#keyv = isKeyv(store) ? store : throughKeyv(store);
    this.#texts = new KeyvTexts(this.#keyv, `${cacheName}:`, now);
    this.#index = new KeyvIndex(this.#texts, now);
    this.#retention = (options.retention ?? Number.POSITIVE_INFINITY) * 1000;
  }

  async find(id: string): Promise<Entry | undefined> {
    return entryOf(id, await this.#texts.get(id));
  }

  put(entries: readonly Entry[]): Promise<boolean> {
    return this.#write(entries, () => true);
  }

  /** @param isAllowed decides in the moment of the write */
  async #write(entries: readonly Entry[], isAllowed: () => boolean): Promise<boolean> {
    const previous = await this.#findMany(entries.map(({ id }) => id));
    const before = new Map(previous.map((entry) => [entry.id, entry]));
    const written = entries.filter(({ kind, id }) => kind !== 'redirect' || !isDirect(before.get(id)));
    // Lists first: an id without an entry harms less than an entry that no invalidation finds.
    await Promise.all(written.map((entry) => this.#index.add(entry, this.#until(entry))));
    if (!isAllowed()) return false;
    await this.#changing(
      written.map(({ id }) => id),
      () =>
        this.#texts.set(
          written.map((entry) => ({
            key: entry.id,
            text: packEntry(entry).toString('base64'),
            until: this.#until(entry),
          })),
        ),
    );
    await Promise.all(
      written.map(async (entry) => {
        const replaced = before.get(entry.id);
        if (replaced) await this.#index.remove(replaced, entry);
      }),
    );
    return true;
  }

  /** Atomic among the operations of this store; a write or deletion by another process in between is lost. */
  replace(entry: Entry, replacement: Entry): Promise<boolean> {
    return this.#watches.watching(
      entry.id,
      async (isChanged) =>
        isSame(await this.find(entry.id), entry) && (await this.#write([replacement], () => !isChanged())),
    );
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const batch of batches(ids, READ_BATCH)) {
      const found = await this.#findMany(batch, true);
      const present = found.map(({ id }) => id);
      await this.#changing(present, () => this.#texts.delete(present));
      await Promise.all(found.map((entry) => this.#index.remove(entry)));
      deleted += found.filter(counts).length;
    }
    return deleted;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  async *#candidates({ group, index }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) yield* this.#found([group, ...(await this.#index.idsOf(group))]);
    else if (index !== undefined) yield* this.#found(await this.#index.idsOf(index));
    else {
      let ids: string[] = [];
      for await (const key of this.#texts.keys()) {
        if (key.includes(':')) continue;
        ids.push(key);
        if (ids.length < READ_BATCH) continue;
        yield* await this.#findMany(ids, true);
        ids = [];
      }
      yield* await this.#findMany(ids, true);
    }
  }

  /** Collects keys before it deletes them, since iterators skip keys if others are deleted meanwhile. */
  async *clear(): AsyncGenerator<unknown> {
    let keys: string[] = [];
    do {
      const before = keys.join();
      keys = [];
      for await (const key of this.#texts.keys({ probes: true })) {
        keys.push(key);
        if (keys.length === DELETE_BATCH) break;
      }
      if (keys.length === DELETE_BATCH && keys.join() === before) throw new Error('the adapter does not delete');
      yield await this.#texts.delete(keys);
    } while (keys.length === DELETE_BATCH);
  }

  async ready(): Promise<void> {
    await this.#texts.get('ready');
  }

  async close(): Promise<void> {
    if (!this.#isOwned || this.#isClosed) return;
    this.#isClosed = true;
    // Adapters may share a connection, as those of PostgreSQL do, which may be closed already.
    await this.#keyv.disconnect().catch(() => {});
  }

  async *#found(ids: readonly string[]): AsyncGenerator<Entry> {
    for (const batch of batches(ids, READ_BATCH)) yield* await this.#findMany(batch);
  }

  /** @param known whether keys were listed, so that one without a readable value is an entry nevertheless */
  async #findMany(ids: readonly string[], known = false): Promise<Entry[]> {
    const texts = await this.#texts.getMany(ids);
    const entries = await Promise.all(
      ids.map(async (id, index) => {
        const text = texts[index];
        return entryOf(id, text === undefined && known && (await this.#texts.exists(id)) ? UNREADABLE : text);
      }),
    );
    return entries.filter((entry) => entry !== undefined);
  }

  async #changing(ids: readonly string[], change: () => Promise<unknown>): Promise<void> {
    this.#watches.changed(ids);
    await change();
    this.#watches.changed(ids);
  }

  #until(entry: Entry): number {
    return entry.staleAt + this.#retention;
  }
}

function entryOf(id: string, text: Found): Entry | undefined {
  if (text === undefined) return undefined;
  return text === UNREADABLE ? unreadable(id, 0) : parseEntry(id, Buffer.from(text, 'base64'));
}

import Keyv from 'keyv';
import { UnsupportedOperationError } from '../../errors.js';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { counts, eachFound, fits, mapConcurrently, putInTurn, withMembers } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import { packEntry, parseEntry, unreadable } from '../stored-form.js';
import { KeyvLinks } from './secondary-index.js';

/** A Keyv storage adapter, as far as it is used; a `Map` is one. */
export interface KeyvAdapter {
  get(key: string): unknown;
  set(key: string, value: unknown, ttl?: number): unknown;
  delete(key: string): unknown;
}

export interface KeyvStoreOptions {
  /** Seconds that an entry is kept after it expired, handed to the adapter as a ttl. Default: for ever. */
  readonly retention?: number | undefined;
}

/** Keys that are dropped with one call. */
const BATCH = 500;

/** Whether a value is a Keyv instance, of whatever copy and line of Keyv: adapters know no raw values. */
export function isKeyv(value: unknown): value is Keyv {
  const { get, set, getRaw, store } = (value ?? {}) as Record<string, unknown>;
  const methods = [get, set, getRaw];
  return methods.every((method) => typeof method === 'function') && typeof store === 'object';
}

export function isAdapter(value: unknown): value is KeyvAdapter {
  const { get, set, delete: remove } = (value ?? {}) as Record<string, unknown>;
  return typeof get === 'function' && typeof set === 'function' && typeof remove === 'function';
}

/**
 * Entries in whatever Keyv has an adapter for, through Keyv alone: as base64, since only text passes every adapter whole,
 * and in the quotes of JSON, which some adapters (Memcached's) parse by themselves.
 * Beside the entries stand lists that lead to them from groups and URLs. What else needs an index is a pass over all
 * entries where the adapter can iterate, and refused where it can't. All keys begin with the cache's name, since the store
 * may be somebody's own.
 */
export class KeyvStore implements Store {
  readonly name = 'keyv';
  readonly #keyv: Keyv;
  readonly #prefix: string;
  readonly #linkPrefix: string;
  readonly #links: KeyvLinks;
  readonly #retention: number;
  readonly #now: () => number;
  /** Whether the Keyv was made here, and is disconnected on closing. */
  readonly #owned: boolean;
  #closed = false;
  readonly #errors: { readonly last: unknown };

  constructor(store: Keyv | KeyvAdapter, cacheName: string, options: KeyvStoreOptions, now: () => number) {
    this.#owned = !isKeyv(store);
    this.#keyv = isKeyv(store) ? store : throughKeyv(store);
    this.#errors = errorsOf(this.#keyv);
    this.#prefix = `${cacheName}:`;
    this.#retention = (options.retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
    this.#linkPrefix = `${this.#prefix}l:`;
    const texts = {
      get: async (key: string) => textOf(await this.#keyv.get<unknown>(key)),
      set: (key: string, text: string, until: number) => this.#write(key, text, until),
      delete: (key: string) => this.#keyv.delete(key),
    };
    this.#links = new KeyvLinks(texts, this.#linkPrefix, now);
  }

  async find(id: string): Promise<Entry | undefined> {
    return this.#parse(id, await this.#keyv.get<unknown>(this.#prefix + id));
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    const until = entry.staleAt + this.#retention;
    // Before the entry: a link that leads nowhere harms less than an entry that nothing leads to.
    await this.#links.add(entry, until);
    await this.#write(this.#prefix + entry.id, packEntry(entry).toString('base64'), until);
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    const dropped = await mapConcurrently(ids, async (id) => {
      const entry = await this.find(id);
      if (entry) await this.#keyv.delete(this.#prefix + id);
      if (entry) await this.#links.remove(entry);
      return entry !== undefined && counts(entry);
    });
    return dropped.filter(Boolean).length;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  async *#candidates({ group, index: url }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) yield* this.#found([group, ...(await this.#links.idsOf(group))]);
    else if (url !== undefined) yield* this.#found(await this.#links.idsOf(url));
    else {
      for await (const [key, value] of this.#all()) {
        if (key.startsWith(this.#linkPrefix)) continue;
        const entry = this.#parse(key.slice(this.#prefix.length), value);
        if (entry) yield entry;
      }
    }
  }

  /** Collects before it deletes, since iterators skip where something is deleted meanwhile. */
  async *clear(): AsyncGenerator<unknown> {
    let found: string[] = [];
    do {
      const before = found.join();
      found = [];
      for await (const [key] of this.#all()) {
        found.push(key);
        if (found.length === BATCH) break;
      }
      if (found.length === BATCH && found.join() === before) throw new Error('the adapter does not delete');
      yield await mapConcurrently(found, (key) => this.#keyv.delete(key));
    } while (found.length === BATCH);
  }

  async ready(): Promise<void> {
    await this.#keyv.get(`${this.#prefix}ready`);
  }

  async close(): Promise<void> {
    if (!this.#owned || this.#closed) return;
    this.#closed = true;
    // Adapters may share a connection, as those of PostgreSQL do, which then is closed already.
    await this.#keyv.disconnect().catch(() => {});
  }

  /** Everything of this cache: entries and links. */
  async *#all(): AsyncGenerator<[key: string, value: unknown]> {
    const { iterator } = this.#keyv;
    if (!iterator || !canIterate(this.#keyv)) throw unsupported('listing');
    for await (const pair of iterator.call(this.#keyv, undefined) as AsyncIterable<[string, unknown]>) {
      if (pair[0].startsWith(this.#prefix)) yield pair;
    }
  }

  #found(ids: readonly string[]): AsyncGenerator<Entry> {
    return eachFound(ids, (id) => this.find(id));
  }

  /** In the quotes of JSON. @param until milliseconds since the epoch: it may go then; Infinity for never */
  async #write(key: string, text: string, until: number): Promise<void> {
    const kept = until - this.#now();
    const ttl = Number.isFinite(kept) ? [Math.max(1, Math.ceil(kept))] : [];
    const done = await this.#keyv.set(key, JSON.stringify(text), ...ttl);
    if (done === false) throw new Error('the adapter refused the write', { cause: this.#errors.last });
  }

  #parse(id: string, value: unknown): Entry | undefined {
    if (value === undefined || value === null) return undefined;
    const text = textOf(value);
    return text === undefined ? unreadable(id, 0) : parseEntry(id, Buffer.from(text, 'base64'));
  }
}

/** What was written, whether or not the adapter has taken it out of its quotes. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.startsWith('"') ? value.slice(1, -1) : value;
}

const errors = new WeakMap<Keyv, { last: unknown }>();

/**
 * The last error that a Keyv told: Keyv 6 tells of them by an event alone. It is listened to once, however many caches it
 * has, and for ever, since without a listener errors are thrown where nobody can catch them.
 */
function errorsOf(keyv: Keyv): { readonly last: unknown } {
  let told = errors.get(keyv);
  if (!told) {
    const own: { last: unknown } = { last: undefined };
    keyv.on('error', (error: unknown) => {
      own.last = error;
    });
    errors.set(keyv, own);
    told = own;
  }
  return told;
}

/** Keyv 5 has no iterator where its adapter has none; that of Keyv 6 is always there, and then yields nothing. */
function canIterate(keyv: Keyv): boolean {
  if (!keyv.iterator) return false;
  const adapter = keyv.store as { capabilities?: unknown; store?: unknown };
  if (adapter.capabilities === undefined) return true;
  // Keyv 6 puts adapters of other lines, and Maps, behind one of its own.
  const { iterator, entries } = (adapter.store ?? adapter) as Record<string, unknown>;
  return typeof iterator === 'function' || typeof entries === 'function';
}

/** An adapter behind a Keyv that leaves values as they are, in both lines of Keyv. */
function throughKeyv(store: KeyvAdapter): Keyv {
  const plain = {
    serialize: ({ value }: { value: unknown }) => value,
    deserialize: (value: unknown) => ({ value, expires: undefined }),
  };
  const options = {
    store,
    throwOnErrors: true,
    ...plain,
    serialization: { stringify: plain.serialize, parse: plain.deserialize },
  };
  return new Keyv(options as unknown as ConstructorParameters<typeof Keyv>[0]);
}

function unsupported(what: string): UnsupportedOperationError {
  return new UnsupportedOperationError(
    `${what} needs an adapter that can iterate, which this one can't; delete by key or URL, let entries go by retention, or use another backend`,
  );
}

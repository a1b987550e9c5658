import Keyv from 'keyv';
import { UnsupportedOperationError } from '../errors.js';
import type { Entry, EntrySummary } from '../models/entry.js';
import { counts, fits, mapConcurrently } from './query.js';
import { packRow, parseRow, unreadable } from './row.js';
import type { EntryQuery, Store } from './store.js';

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
 * There is no index: what needs one is a pass over all entries where the adapter can iterate, and refused where it can't.
 * All keys begin with the cache's name, since the store may be somebody's own.
 */
export class KeyvStore implements Store {
  readonly name = 'keyv';
  readonly #keyv: Keyv;
  readonly #prefix: string;
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
  }

  async find(id: string): Promise<Entry | undefined> {
    return this.#parse(id, await this.#keyv.get<unknown>(this.#prefix + id));
  }

  async put(entry: Entry): Promise<void> {
    const kept = entry.expires + this.#retention - this.#now();
    const ttl = Number.isFinite(kept) ? [Math.max(1, Math.ceil(kept))] : [];
    const value = JSON.stringify(packRow(entry).toString('base64'));
    const done = await this.#keyv.set(this.#prefix + entry.id, value, ...ttl);
    if (done === false) throw new Error('the adapter refused the write', { cause: this.#errors.last });
  }

  async drop(ids: readonly string[]): Promise<number> {
    if (!canIterate(this.#keyv)) return this.dropExact(ids);
    const wanted = new Set(ids);
    let dropped = 0;
    for await (const number of this.#dropWhere(({ id, group }) => wanted.has(id) || wanted.has(group)))
      dropped += number;
    return dropped;
  }

  async dropExact(ids: readonly string[]): Promise<number> {
    const dropped = await mapConcurrently(ids, async (id) => {
      const entry = await this.find(id);
      if (entry) await this.#keyv.delete(this.#prefix + id);
      return entry !== undefined && counts(entry);
    });
    return dropped.filter(Boolean).length;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    const { iterator } = this.#keyv;
    if (!iterator || !canIterate(this.#keyv)) throw unsupported('listing');
    for await (const [key, value] of iterator.call(this.#keyv, undefined) as AsyncIterable<[string, unknown]>) {
      if (!key.startsWith(this.#prefix)) continue;
      const id = key.slice(this.#prefix.length);
      const entry = this.#parse(id, value);
      if (entry && fits(entry, query)) yield entry;
    }
  }

  async *clear(): AsyncGenerator<unknown> {
    yield* this.#dropWhere(() => true);
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

  #parse(id: string, value: unknown): Entry | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') return unreadable(id, 0);
    return parseRow(id, Buffer.from(value.startsWith('"') ? value.slice(1, -1) : value, 'base64'));
  }

  /**
   * Yields how many responses each step dropped. It collects before it deletes, since iterators skip where something is
   * deleted meanwhile.
   */
  async *#dropWhere(wanted: (entry: EntrySummary) => boolean): AsyncGenerator<number> {
    let found: Pick<EntrySummary, 'id' | 'kind'>[];
    do {
      found = [];
      for await (const entry of this.list()) {
        if (wanted(entry)) found.push({ id: entry.id, kind: entry.kind });
        if (found.length === BATCH) break;
      }
      await mapConcurrently(found, ({ id }) => this.#keyv.delete(this.#prefix + id));
      yield found.filter(counts).length;
    } while (found.length === BATCH);
  }
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
    `${what} needs an adapter that can iterate, which this one can't; delete by key, let entries go by retention, or use another backend`,
  );
}

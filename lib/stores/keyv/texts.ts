import { randomBytes } from 'node:crypto';
import type Keyv from 'keyv';
import { UnsupportedOperationError } from '../../errors.js';
import { batches } from '../concurrency.js';
import { writeFailure } from './failures.js';
import { type KeyvLine, lineOf } from './keyv-line.js';

/** A value that is not a text of this package, or that Keyv cannot deserialize. */
export const UNREADABLE = Symbol('unreadable');
export type Found = string | typeof UNREADABLE | undefined;

export interface TextToWrite {
  readonly key: string;
  readonly text: string;
  /** Milliseconds since the epoch: the text may be removed then; `Infinity`: never. */
  readonly until: number;
}

/** Keys of one call: adapters of DynamoDB take 25 writes, or silently write nothing. */
const BATCH = 25;
/** Milliseconds after which a probe may be removed. */
const PROBE_LIFE = 60_000;
/** Entries, lists of the secondary index, and probes: other keys with the prefix are foreign. */
const OWN = /^(?:[0-9a-z]{64}(?:\.[0-9a-z]{1,55})?|l:[0-9a-z.]{1,120}:[0-9a-f]|p:[0-9a-f]{12})$/;
const PROBE = /^p:/;
const PROBE_ATTEMPTS = 3;

/**
 * Texts by key, through a Keyv of either line. All keys begin with the prefix.
 *
 * Texts are in the quotes of JSON, since some adapters (Memcached's) parse values. What calls return is not trusted: some
 * adapters report success for a failed write, and Keyv returns nothing for a value that it failed to read.
 */
export class KeyvTexts {
  readonly #keyv: Keyv;
  readonly #line: KeyvLine;
  readonly #prefix: string;
  readonly #now: () => number;
  /** Errors of Keyv and of its adapter: of what Keyv could not deserialize, too. */
  readonly #errors: ErrorCount;
  /** The arrangement of namespaces in which listed keys were seen to include those of this cache. */
  #seenIn: string | undefined;

  constructor(keyv: Keyv, prefix: string, now: () => number) {
    this.#keyv = keyv;
    this.#line = lineOf(keyv);
    this.#prefix = prefix;
    this.#now = now;
    this.#errors = errorsOf(keyv);
  }

  /** @throws the adapter's error if it does not answer */
  async get(key: string): Promise<Found> {
    const before = this.#errors.count;
    try {
      // Not `get`, which in line 5 takes an error of the adapter for an absent key.
      const found = textOf(await this.#keyv.getRaw(this.#prefix + key));
      if (found !== undefined || this.#errors.count === before) return found;
    } catch {
      // From the adapter, or from deserializing the value.
    }
    return (await this.exists(key)) ? UNREADABLE : undefined;
  }

  /** @throws the adapter's error if it does not answer */
  async getMany(keys: readonly string[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const batch of batches(keys, BATCH)) found.push(...(await this.#getBatch(batch)));
    return found;
  }

  async #getBatch(keys: readonly string[]): Promise<Found[]> {
    const oneByOne = () => Promise.all(keys.map((key) => this.get(key)));
    const { getMany } = this.#keyv.store as { readonly getMany?: unknown };
    if (typeof getMany !== 'function' || this.#batchOf(keys) === 1) return oneByOne();
    const before = this.#errors.count;
    try {
      const values: readonly unknown[] = await this.#keyv.getManyRaw(keys.map((key) => this.#prefix + key));
      if (values.length === keys.length && this.#errors.count === before) return values.map(textOf);
    } catch {
      // One value that cannot be deserialized fails the whole call.
    }
    return oneByOne();
  }

  /** Returns whether the adapter has a value under a key, whatever it is. @throws the adapter's error */
  async exists(key: string): Promise<boolean> {
    const errors = this.#adapterErrors();
    const before = errors.count;
    const adapter = this.#keyv.store as { get(key: string): unknown };
    const value = await adapter.get(this.#line.adapterKey(this.#prefix + key));
    // An adapter's way to return nothing may be an envelope of nothing (Memcached's).
    if (isSomething(value)) return true;
    if (errors.count > before) throw errors.last;
    return false;
  }

  /** @throws StoreFailure */
  async set(texts: readonly TextToWrite[]): Promise<void> {
    const entries = texts.map(({ key, text, until }) => {
      const kept = until - this.#now();
      const ttl = Number.isFinite(kept) ? { ttl: Math.max(1, Math.ceil(kept)) } : {};
      return { key: this.#prefix + key, value: JSON.stringify(text), ...ttl };
    });
    for (const batch of batches(entries, this.#batchOf(texts.map(({ key }) => key)))) {
      const [first] = batch;
      await this.#write(
        () =>
          batch.length === 1 && first
            ? this.#keyv.set(first.key, first.value, first.ttl)
            : this.#keyv.setMany(batch as Parameters<Keyv['setMany']>[0]),
        () => this.#areSet(texts.filter(({ key }) => batch.some((entry) => entry.key === this.#prefix + key))),
      );
    }
  }

  async #areSet(texts: readonly TextToWrite[]): Promise<boolean> {
    const found = await Promise.all(texts.map(({ key }) => this.get(key)));
    return texts.every(({ text }, index) => found[index] === text);
  }

  /** Deletes keys, also absent ones. @throws StoreFailure */
  async delete(keys: readonly string[]): Promise<void> {
    for (const batch of batches(keys, this.#batchOf(keys))) {
      const [first = ''] = batch;
      await this.#write(
        async () => {
          // The result is `false` for an absent key as well.
          await (batch.length === 1
            ? this.#keyv.delete(this.#prefix + first)
            : this.#keyv.deleteMany(batch.map((key) => this.#prefix + key)));
        },
        async () => !(await Promise.all(batch.map((key) => this.exists(key)))).some(Boolean),
      );
    }
  }

  /**
   * Lists the keys with the prefix, without it.
   *
   * @param options.probes whether probes that a killed process has left are listed. Default: `false`
   * @throws UnsupportedOperationError if the adapter cannot iterate, or if its keys are not visible under this namespace
   */
  async *keys({ probes = false } = {}): AsyncGenerator<string> {
    let isSeen = false;
    for await (const key of this.#listed()) {
      isSeen = true;
      if (probes || !PROBE.test(key)) yield key;
    }
    if (isSeen) this.#seenIn = this.#line.arrangement();
    else await this.#probe();
  }

  async *#listed(): AsyncGenerator<string> {
    const keys = this.#line.adapterKeys();
    if (!keys) throw unsupported('the adapter cannot iterate');
    const errors = this.#adapterErrors();
    const before = errors.count;
    for await (const key of keys) {
      const own = typeof key === 'string' ? this.#ownKey(key) : undefined;
      if (own !== undefined) yield own;
    }
    // Some iterators report an error by an event, and end.
    if (errors.count > before) throw errors.last;
  }

  /** Returns a key of the adapter as this object knows it; undefined if it is not one of this cache. */
  #ownKey(adapterKey: string): string | undefined {
    const at = adapterKey.indexOf(this.#prefix);
    if (at === -1) return undefined;
    const candidates = [at, adapterKey.indexOf(this.#prefix, at + 1)].filter((index) => index !== -1);
    const keys = candidates.filter((index) => this.#line.adapterKey(adapterKey.slice(index)) === adapterKey);
    return keys.map((index) => adapterKey.slice(index + this.#prefix.length)).find((key) => OWN.test(key));
  }

  /**
   * Distinguishes an empty cache from one whose keys cannot be seen, as under a namespace that another Keyv over the
   * same adapter has replaced: writes a key and looks for it.
   */
  async #probe(): Promise<void> {
    const arrangement = this.#line.arrangement();
    if (this.#seenIn === arrangement) return;
    const key = `p:${randomBytes(6).toString('hex')}`;
    try {
      await this.set([{ key, text: '', until: this.#now() + PROBE_LIFE }]);
    } catch {
      // A full store: the next listing tries again.
      return;
    }
    try {
      for (let attempt = 0; attempt < PROBE_ATTEMPTS; attempt += 1) {
        if (!(await this.#isListed(key))) continue;
        this.#seenIn = arrangement;
        return;
      }
    } finally {
      await this.delete([key]);
    }
    throw unsupported('the keys of this cache are not among those that the adapter lists under this namespace');
  }

  async #isListed(key: string): Promise<boolean> {
    for await (const listed of this.#listed()) if (listed === key) return true;
    return false;
  }

  /** Returns how many of the keys one call may have. */
  #batchOf(keys: readonly string[]): number {
    return keys.length > 1 && keys.every((key) => this.#line.isBatchable(this.#prefix + key)) ? BATCH : 1;
  }

  /**
   * Runs a write. If it reports `false`, or if there was an error meanwhile, which may be that of another call, looks
   * whether it is done.
   */
  async #write(write: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
    const before = this.#errors.count;
    try {
      const result = await write();
      const isRefused = result === false || (Array.isArray(result) && result.includes(false));
      if (!isRefused && this.#errors.count === before) return;
      if (await isDone()) return;
    } catch (error) {
      throw writeFailure(error);
    }
    const { last, count } = this.#errors;
    throw writeFailure(count > before ? last : new Error('the adapter refused the write', { cause: last }));
  }

  /** Not remembered: the adapter of a Keyv may be replaced. */
  #adapterErrors(): ErrorCount {
    return errorsOf(this.#keyv.store as object);
  }
}

function isSomething(value: unknown): boolean {
  try {
    const content: unknown = typeof value === 'object' && value && 'value' in value ? value.value : value;
    return content !== undefined && content !== null;
  } catch {
    // An object whose properties throw.
    return true;
  }
}

/** Returns the text in what Keyv read, whether or not the adapter has removed the quotes. */
function textOf(raw: unknown): Found {
  if (raw === undefined || raw === null) return undefined;
  if (typeof raw !== 'object' || !('value' in raw)) return UNREADABLE;
  const { value } = raw;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') return UNREADABLE;
  return value.startsWith('"') ? value.slice(1, -1) : value;
}

interface ErrorCount {
  count: number;
  last: unknown;
}

const errorCounts = new WeakMap<object, ErrorCount>();

/**
 * Counts the errors that a Keyv or an adapter reports by events. Each has one listener however many caches it has, and for
 * as long as it exists: without a listener its errors are uncaught exceptions.
 */
function errorsOf(emitter: object): ErrorCount {
  const known = errorCounts.get(emitter);
  if (known) return known;
  const own: ErrorCount = { count: 0, last: undefined };
  const { on } = emitter as { readonly on?: unknown };
  if (typeof on === 'function') {
    on.call(emitter, 'error', (error: unknown) => {
      own.count += 1;
      own.last = error;
    });
  }
  errorCounts.set(emitter, own);
  return own;
}

function unsupported(reason: string): UnsupportedOperationError {
  return new UnsupportedOperationError(
    `listing needs an adapter that can iterate: ${reason}; delete by key or URL, let entries expire by retention, or use another backend`,
  );
}

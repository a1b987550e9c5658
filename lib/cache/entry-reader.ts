import type { Entry } from '../models/entry.js';
import type { CacheEvent } from '../models/events.js';
import type { RedirectRecord, ResponseRecord, StoredRecord, VariantsRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import type { Fields } from '../policy/messages.js';
import type { InvalidReason, Reason } from '../policy/reasons.js';
import { matchesVary, variantOf } from '../policy/vary.js';
import type { EntryCodec } from '../serializers/codec.js';
import { type CircuitBreaker, MANAGEMENT, type StoreAccess } from '../stores/circuit-breaker.js';
import { failureKind } from '../stores/store-failure.js';
import { Invalidations, type PendingInvalidation, type Selectable } from './invalidations.js';
import { urlsOf } from './record-urls.js';

/** The result of looking for a stored response. */
export interface Lookup {
  readonly record?: ResponseRecord;
  /** Why there is none, in the words of RFC 9211 section 2.2. */
  readonly miss?: 'uri-miss' | 'vary-miss' | 'miss';
  /** Why an entry that exists cannot be used. */
  readonly detail?: Reason;
}

/** Chooses among the responses of a key: by the request's header fields (Vary), or the newest. */
export type Selection = Fields | 'newest';

const URI_MISS: Lookup = { miss: 'uri-miss' };
const VARY_MISS: Lookup = { miss: 'vary-miss' };
const NONE_PENDING: readonly PendingInvalidation[] = [];

export interface EntryReaderParts {
  readonly breaker: CircuitBreaker;
  readonly codec: EntryCodec;
  /** Receives the events of management. */
  readonly onEvent: (event: CacheEvent) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The reading half of the entry repository: storage keys, older keys, variants, redirects, decoding. */
export class EntryReader {
  readonly breaker: CircuitBreaker;
  readonly codec: EntryCodec;
  readonly invalidations = new Invalidations();
  readonly #onEvent: (event: CacheEvent) => void;
  readonly #now: () => number;

  constructor({ breaker, codec, onEvent, now }: EntryReaderParts) {
    this.breaker = breaker;
    this.codec = codec;
    this.#onEvent = onEvent;
    this.#now = now;
  }

  /**
   * Finds the stored response for a request or, for management, the newest of a key: with one read, two if Vary or a
   * redirect applies. It needs validation if its invalidation has not reached the store yet.
   */
  lookup(key: string, select: Selection, access: StoreAccess): MaybePromise<Lookup> {
    const { pending } = this.invalidations;
    // The store may carry out an invalidation after it has read the entry, and before the result arrives here. With
    // nothing pending, a hit pays two comparisons.
    const earlier = pending.size === 0 ? NONE_PENDING : [...pending];
    return chain(this.#lookupKey(key, select, access), (found) =>
      earlier.length + pending.size === 0 ? found : this.#withPending(key, found, earlier),
    );
  }

  /** The storage key of a response among those of its key. */
  nameOf(record: ResponseRecord, name: string): string {
    return record.variant ? this.codec.variantName(name, record.variant) : name;
  }

  /** The properties by which invalidations select a response. */
  selectable(record: ResponseRecord): Selectable {
    return { digests: [...record.indexes, ...this.codec.names(record.key)], urls: urlsOf(record) };
  }

  /** A stored response, invalidated if that has not reached the store yet. */
  #withPending(key: string, found: Lookup, earlier: readonly PendingInvalidation[]): Lookup {
    const { record } = found;
    if (!record) return found;
    const { digests, urls } = this.selectable(record);
    const selectable = { digests: key === record.key ? digests : [...digests, ...this.codec.names(key)], urls };
    if (!this.invalidations.isPendingFor(record.receivedAt, selectable, earlier)) return found;
    return { ...found, record: { ...record, staleAt: Math.min(record.staleAt, this.#now()), isInvalidated: true } };
  }

  #lookupKey(key: string, select: Selection, access: StoreAccess): MaybePromise<Lookup> {
    const [name, ...older] = this.codec.names(key);
    return chain(this.#lookupName(name, key, select, access), (found) => {
      if (found.record || older.length === 0) return found;
      return this.#lookupOlder(older, key, select, access, found);
    });
  }

  /** Older encryption keys result in older storage keys, which are read only after a miss. */
  async #lookupOlder(
    names: readonly string[],
    key: string,
    select: Selection,
    access: StoreAccess,
    first: Lookup,
  ): Promise<Lookup> {
    for (const name of names) {
      const found = await this.#lookupName(name, key, select, access);
      if (found.record) return found;
    }
    return first;
  }

  #lookupName(name: string, key: string, select: Selection, access: StoreAccess): MaybePromise<Lookup> {
    return chain(this.read(name, key, access), (found) => {
      if (typeof found !== 'object') {
        // The marker of a key's variants may be missing or unreadable while its variants exist.
        if (select === 'newest') return this.#searchVariants(name, key, select, access);
        return found === undefined ? URI_MISS : { miss: 'miss', detail: found };
      }
      switch (found.kind) {
        case 'response':
          return this.#isSelected(found, select) ? { record: found } : VARY_MISS;
        case 'variants':
          return this.#lookupVariant(name, found, select, access);
        case 'redirect':
          return this.#lookupTarget(found, select, access);
      }
    });
  }

  /**
   * A redirect maps to the response that it was stored with, which has the same stamp; never to another redirect, so
   * that a cycle is a miss.
   */
  async #lookupTarget(redirect: RedirectRecord, select: Selection, access: StoreAccess): Promise<Lookup> {
    for (const name of this.codec.names(redirect.target)) {
      const target = await this.read(name, redirect.target, access);
      if (typeof target !== 'object' || target.kind === 'redirect') continue;
      const found =
        target.kind === 'response'
          ? this.#isSelected(target, select)
            ? { record: target }
            : VARY_MISS
          : await this.#lookupVariant(name, target, select, access, redirect.stamp);
      if (!found.record || found.record.stamp === redirect.stamp) return found;
    }
    return URI_MISS;
  }

  /** @param stamp that of the only response that counts, if 'newest' is selected */
  #lookupVariant(
    name: string,
    { key, vary }: VariantsRecord,
    select: Selection,
    access: StoreAccess,
    stamp?: string,
  ): MaybePromise<Lookup> {
    if (select === 'newest') return this.#searchVariants(name, key, select, access, stamp);
    const variant = this.codec.variantName(name, variantOf(vary, select));
    return chain(this.read(variant, key, access), (found) => {
      if (typeof found === 'object' && found.kind === 'response' && matchesVary(found, select))
        return { record: found };
      if (typeof found === 'string') return { miss: 'miss', detail: found };
      return this.#searchVariants(name, key, select, access);
    });
  }

  /** Responses of one key may vary by different fields, so that the marker does not name all of them. */
  async #searchVariants(
    name: string,
    key: string,
    select: Selection,
    access: StoreAccess,
    stamp?: string,
  ): Promise<Lookup> {
    const found = await this.breaker.read(access, async (store) => {
      let newest: ResponseRecord | undefined;
      for await (const summary of store.list({ kind: 'response', group: name })) {
        const decoded = await this.codec.decodeSummary(summary, key);
        if ('invalid' in decoded || decoded.record.kind !== 'response') continue;
        const { record } = decoded;
        if (stamp !== undefined && record.stamp !== stamp) continue;
        if (this.#isSelected(record, select) && (!newest || record.receivedAt > newest.receivedAt)) newest = record;
      }
      return newest;
    });
    if (!found) return VARY_MISS;
    const record = await this.read(this.nameOf(found, name), key, access);
    return typeof record === 'object' && record.kind === 'response' ? { record } : VARY_MISS;
  }

  #isSelected(record: ResponseRecord, select: Selection): boolean {
    return select === 'newest' || matchesVary(record, select);
  }

  /** Reads the record with a storage key; a string if it cannot be used: the reason. */
  read(name: string, key: string, access: StoreAccess): MaybePromise<StoredRecord | InvalidReason | undefined> {
    const failed = (error: unknown): InvalidReason => {
      if (failureKind(error) !== 'entry') throw error;
      this.#emitTo(access, { type: 'invalid', key, reason: 'unreadable', error });
      return 'unreadable';
    };
    const found = this.breaker.read(access, (store): MaybePromise<Entry | InvalidReason | undefined> => {
      try {
        const entry = store.find(name);
        return isPromise(entry) ? entry.catch(failed) : entry;
      } catch (error) {
        return failed(error);
      }
    });
    return chain(found, (entry) => {
      if (typeof entry !== 'object') return entry;
      return chain(this.codec.decode(entry, key), (decoded) => {
        if ('record' in decoded) return decoded.record;
        const { invalid: reason, error } = decoded;
        this.#emitTo(access, { type: 'invalid', key, reason, ...(error === undefined ? {} : { error }) });
        return reason;
      });
    });
  }

  #emitTo(access: StoreAccess, event: CacheEvent): void {
    if (access === MANAGEMENT) this.#onEvent(event);
    else access.emit(event);
  }
}

import type { Entry } from '../models/entry.js';
import type { CacheEvent } from '../models/events.js';
import type { RedirectRecord, ResponseRecord, StoredRecord, VariantsRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import type { Fields } from '../policy/messages.js';
import type { InvalidReason, Reason } from '../policy/reasons.js';
import { matchesVary, variantOf } from '../policy/vary.js';
import type { Decoded, EntryCodec } from '../serializers/codec.js';
import { nameOfRecord, variantName } from '../serializers/naming.js';
import { type CircuitBreaker, MANAGEMENT, type StoreAccess } from '../stores/circuit-breaker.js';
import { failureKind } from '../stores/store-failure.js';
import { Invalidations, type PendingInvalidation, type Selectable } from './invalidations.js';
import { urlsOf } from './record-urls.js';
import { decodingInTime } from './serializer-time.js';

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

/** The key that an entry must have, and the use of the store. */
interface Asked {
  readonly key: string;
  readonly access: StoreAccess;
}

/** One search for a stored response. */
interface Search extends Asked {
  readonly select: Selection;
  /** That of the only response that counts. Default: any. */
  readonly stamp?: string | undefined;
}

/** An entry as the store returned it; a string if it could not be read: the reason. */
type Found = Entry | InvalidReason | undefined;

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
    const search: Search = { key, select, access };
    const [name, ...older] = this.codec.names(key);
    // One continuation after the read: each further one would cost a hit a promise.
    return chain(this.#find(name, search), (entry) =>
      chain(this.#lookupFound(entry, name, search), (first) =>
        chain(first.record || older.length === 0 ? first : this.#lookupOlder(older, search, first), (found) =>
          earlier.length + pending.size === 0 ? found : this.#withPending(key, found, earlier),
        ),
      ),
    );
  }

  /** The properties by which invalidations select a response. */
  selectable(record: ResponseRecord): Selectable {
    return { digests: [...record.indexes, ...this.codec.names(record.key)], urls: urlsOf(record) };
  }

  /** Whether a stored response was invalidated, which the store has not carried out yet. */
  isPending(record: ResponseRecord): boolean {
    return this.invalidations.isPendingFor(record.receivedAt, this.selectable(record));
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

  /** Older encryption keys result in older storage keys, which are read only after a miss. */
  async #lookupOlder(names: readonly string[], search: Search, first: Lookup): Promise<Lookup> {
    for (const name of names) {
      const found = await this.#lookupFound(await this.#find(name, search), name, search);
      if (found.record) return found;
    }
    return first;
  }

  #lookupFound(entry: Found, name: string, search: Search): MaybePromise<Lookup> {
    const { select } = search;
    return chain(this.#decode(entry, search), (found) => {
      if (typeof found !== 'object') {
        // The marker of a key's variants may be missing or unreadable while its variants exist.
        if (select === 'newest') return this.#searchVariants(name, search);
        return found === undefined ? URI_MISS : { miss: 'miss', detail: found };
      }
      switch (found.kind) {
        case 'response':
          return this.#isSelected(found, select) ? { record: found } : VARY_MISS;
        case 'variants':
          return this.#lookupVariant(name, found, search);
        case 'redirect':
          return this.#lookupTarget(found, search);
      }
    });
  }

  /**
   * A redirect maps to the response that it was stored with, which has the same stamp; never to another redirect, so
   * that a cycle is a miss.
   */
  async #lookupTarget(redirect: RedirectRecord, { select, access }: Search): Promise<Lookup> {
    // By the request's fields the variant is chosen first, and compared then.
    const stamp = select === 'newest' ? redirect.stamp : undefined;
    for (const name of this.codec.names(redirect.target)) {
      const target = await this.read(name, redirect.target, access);
      if (typeof target !== 'object' || target.kind === 'redirect') continue;
      const found =
        target.kind === 'response'
          ? this.#isSelected(target, select)
            ? { record: target }
            : VARY_MISS
          : await this.#lookupVariant(name, target, { key: target.key, select, access, stamp });
      if (!found.record || found.record.stamp === redirect.stamp) return found;
    }
    return URI_MISS;
  }

  #lookupVariant(name: string, { vary }: VariantsRecord, search: Search): MaybePromise<Lookup> {
    const { key, select, access } = search;
    if (select === 'newest') return this.#searchVariants(name, search);
    const variant = variantName(name, variantOf(vary, select));
    return chain(this.read(variant, key, access), (found) => {
      if (typeof found === 'object' && found.kind === 'response' && matchesVary(found, select))
        return { record: found };
      if (typeof found === 'string') return { miss: 'miss', detail: found };
      return this.#searchVariants(name, search);
    });
  }

  /** Responses of one key may vary by different fields, so that the marker does not name all of them. */
  async #searchVariants(name: string, { key, select, access, stamp }: Search): Promise<Lookup> {
    const decoded = await this.breaker.read(access, async (store) => {
      const all: MaybePromise<Decoded>[] = [];
      for await (const summary of store.list({ kind: 'response', group: name })) {
        all.push(this.codec.decodeSummary(summary, key));
      }
      return all;
    });
    let found: ResponseRecord | undefined;
    // Not in the time of the store, which a slow serializer would make an outage.
    for (const one of await Promise.all((decoded ?? []).map((decoding) => this.#inTime(decoding, access)))) {
      if ('invalid' in one || one.record.kind !== 'response') continue;
      const { record } = one;
      if (stamp !== undefined && record.stamp !== stamp) continue;
      if (this.#isSelected(record, select) && (!found || record.receivedAt > found.receivedAt)) found = record;
    }
    if (!found) return VARY_MISS;
    const record = await this.read(nameOfRecord(name, found), key, access);
    return typeof record === 'object' && record.kind === 'response' ? { record } : VARY_MISS;
  }

  #isSelected(record: ResponseRecord, select: Selection): boolean {
    return select === 'newest' || matchesVary(record, select);
  }

  /** Reads the record with a storage key; a string if it cannot be used: the reason. */
  read(name: string, key: string, access: StoreAccess): MaybePromise<StoredRecord | InvalidReason | undefined> {
    const asked = { key, access };
    return chain(this.#find(name, asked), (entry) => this.#decode(entry, asked));
  }

  #find(name: string, { key, access }: Asked): MaybePromise<Found> {
    const failed = (error: unknown): InvalidReason => {
      if (failureKind(error) !== 'entry') throw error;
      this.#emitTo(access, { type: 'invalid', key, reason: 'unreadable', error });
      return 'unreadable';
    };
    return this.breaker.read(access, (store): MaybePromise<Found> => {
      try {
        const entry = store.find(name);
        return isPromise(entry) ? entry.catch(failed) : entry;
      } catch (error) {
        return failed(error);
      }
    });
  }

  #decode(entry: Found, { key, access }: Asked): MaybePromise<StoredRecord | InvalidReason | undefined> {
    if (typeof entry !== 'object') return entry;
    return chain(this.#inTime(this.codec.decode(entry, key), access), (decoded) => {
      if ('record' in decoded) return decoded.record;
      const { invalid: reason, error } = decoded;
      this.#emitTo(access, { type: 'invalid', key, reason, ...(error === undefined ? {} : { error }) });
      return reason;
    });
  }

  /** A serializer that never finishes makes an entry unreadable. */
  #inTime(decoding: MaybePromise<Decoded>, access: StoreAccess): MaybePromise<Decoded> {
    if (!isPromise(decoding)) return decoding;
    return decodingInTime(decoding, access, this.breaker).catch((error: unknown) => ({ invalid: 'unreadable', error }));
  }

  #emitTo(access: StoreAccess, event: CacheEvent): void {
    if (access === MANAGEMENT) this.#onEvent(event);
    else access.emit(event);
  }
}

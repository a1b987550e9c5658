import type { Entry, EntrySummary } from '../models/entry.js';
import type { RedirectRecord, ResponseRecord, StoredRecord, VariantsRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import type { Fields } from '../policy/messages.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import { matchesVary, variantOf } from '../policy/vary.js';
import type { EntryCodec } from '../serializers/codec.js';
import type { CircuitBreaker, StoreCall } from '../stores/circuit-breaker.js';
import { countOf } from '../stores/entry-query.js';
import type { Store } from '../stores/store.js';

/** What looking for a stored response brought. */
export interface Recalled {
  readonly record?: ResponseRecord;
  /** Why there is none, in the words of RFC 9211 section 2.2. */
  readonly miss?: 'uri-miss' | 'vary-miss' | 'miss';
  /** What went wrong with what is there. */
  readonly detail?: string;
}

/** Variants that are kept of one key; of more the oldest are dropped. */
const MAX_VARIANTS = 32;
const URI_MISS: Recalled = { miss: 'uri-miss' };
const VARY_MISS: Recalled = { miss: 'vary-miss' };

/**
 * The stored responses of a cache, as a request looks for them: under their key, through redirects, in variants. A
 * response that varies stands under its variant's name, and what varies is noted under the key's.
 */
export class StoredResponses {
  readonly #guard: CircuitBreaker;
  readonly #codec: EntryCodec;

  constructor(guard: CircuitBreaker, codec: EntryCodec) {
    this.#guard = guard;
    this.#codec = codec;
  }

  /** The stored response for a request: one read, two where Vary or a redirect leads on. */
  recall(key: string, headers: Fields, call: StoreCall): MaybePromise<Recalled> {
    const names = this.#codec.names(key);
    return chain(this.#recallUnder(names[0], key, headers, call), (recalled) =>
      recalled.record || names.length === 1
        ? recalled
        : this.#recallUnderOlder(names.slice(1), key, headers, call, recalled),
    );
  }

  /** Stores a response, whole or not at all; resolves to whether the store has acknowledged it. */
  keep(record: ResponseRecord, call: StoreCall): MaybePromise<boolean> {
    if (!record.variant) return this.#put(record, call);
    return chain(this.#put(record, call), (kept) => {
      if (!kept) return false;
      const { key, receivedAt, staleAt, order, vary } = record;
      const marker: VariantsRecord = { kind: 'variants', key, receivedAt, staleAt, indexes: [], order, vary };
      return chain(this.#put(marker, call), (marked) => chain(this.#boundVariants(record, call), () => marked));
    });
  }

  /** Takes the lease on a key, or renews it: false where another holder has it, undefined where the store is out. */
  claim(key: string, holder: string, seconds: number, call: StoreCall): MaybePromise<boolean | undefined> {
    const [name] = this.#codec.names(key);
    return this.#guard.read(call, (store) => store.acquireLease?.(name, holder, seconds));
  }

  async release(key: string, holder: string, call: StoreCall): Promise<void> {
    const [name] = this.#codec.names(key);
    await this.#guard.write(call, (store) => store.releaseLease?.(name, holder));
  }

  keepRedirect(record: RedirectRecord, call: StoreCall): MaybePromise<boolean> {
    return this.#put(record, call);
  }

  /** Returns the current digests of names in the secondary index. */
  indexes(names: readonly string[]): readonly string[] {
    return names.map((name) => this.#codec.indexDigests(name)[0]);
  }

  /** Removes a response, just that variant. */
  discard(record: ResponseRecord, call: StoreCall): MaybePromise<boolean> {
    const names = this.#codec.names(record.key).map((name) => this.#nameOf(record, name));
    return this.#guard.write(call, (store) => (record.variant ? store.delete(names) : store.deleteGroups(names)));
  }

  /** Removes every stored GET response for a URL (normalised, redacted). */
  async discardUrl(url: string, call: StoreCall): Promise<number> {
    return this.#discardFound(call, (store) => this.#groupsOfUrl(store, url));
  }

  /** Removes every stored GET response whose asked or final URL a pattern accepts. */
  async discardMatching(matchers: readonly UrlMatcher[], call: StoreCall): Promise<number> {
    return this.#discardFound(call, (store) => this.#groupsMatching(store, matchers));
  }

  async #discardFound(call: StoreCall, find: (store: Store) => Promise<readonly string[]>): Promise<number> {
    let removed = 0;
    await this.#guard.write(call, async (store) => {
      const groups = await find(store);
      removed = groups.length === 0 ? 0 : await store.deleteGroups(groups);
    });
    return removed;
  }

  async #groupsOfUrl(store: Store, url: string): Promise<readonly string[]> {
    const groups = new Set<string>();
    for (const digest of this.#codec.indexDigests(`url ${url}`)) {
      for await (const { group } of store.list({ index: digest })) groups.add(group);
    }
    return [...groups];
  }

  async #groupsMatching(store: Store, matchers: readonly UrlMatcher[]): Promise<readonly string[]> {
    const groups = new Set<string>();
    for await (const summary of store.list({ kind: 'response' })) {
      const decoded = await this.#codec.decodeSummary(summary);
      if ('invalid' in decoded || decoded.record.kind !== 'response') continue;
      const { url, request } = decoded.record;
      if (request.method !== 'GET') continue;
      if (matchers.some((matcher) => matcher.matches(url) || matcher.matches(request.url))) groups.add(summary.group);
    }
    return [...groups];
  }

  #recallUnder(name: string, key: string, headers: Fields, call: StoreCall): MaybePromise<Recalled> {
    return chain(this.#read(name, key, call), (found) => {
      if (found === undefined || typeof found === 'string') return found ? { miss: 'miss', detail: found } : URI_MISS;
      if (found.kind === 'response') return matchesVary(found, headers) ? { record: found } : VARY_MISS;
      if (found.kind === 'variants') return this.#recallVariant(name, found, headers, call);
      return this.#recallTarget(found, headers, call);
    });
  }

  async #recallUnderOlder(
    names: readonly string[],
    key: string,
    headers: Fields,
    call: StoreCall,
    first: Recalled,
  ): Promise<Recalled> {
    for (const name of names) {
      const recalled = await this.#recallUnder(name, key, headers, call);
      if (recalled.record) return recalled;
    }
    return first;
  }

  #recallVariant(
    name: string,
    { key, vary }: VariantsRecord,
    headers: Fields,
    call: StoreCall,
  ): MaybePromise<Recalled> {
    const variant = this.#codec.variantName(name, variantOf(vary, headers));
    return chain(this.#read(variant, key, call), (found) => {
      if (typeof found === 'object' && found.kind === 'response' && matchesVary(found, headers))
        return { record: found };
      if (typeof found === 'string') return { miss: 'miss', detail: found };
      return this.#searchVariants(name, key, headers, call);
    });
  }

  /** Responses of one URL may vary by different fields: what the note does not lead to may still be there. */
  async #searchVariants(name: string, key: string, headers: Fields, call: StoreCall): Promise<Recalled> {
    const found = await this.#guard.read(call, async (store) => {
      let newest: ResponseRecord | undefined;
      for await (const summary of store.list({ kind: 'response', group: name })) {
        const decoded = await this.#codec.decodeSummary(summary, key);
        if ('invalid' in decoded || decoded.record.kind !== 'response') continue;
        const { record } = decoded;
        if (matchesVary(record, headers) && (!newest || record.receivedAt > newest.receivedAt)) newest = record;
      }
      return newest;
    });
    if (!found) return VARY_MISS;
    const record = await this.#read(this.#nameOf(found, name), key, call);
    return typeof record === 'object' && record.kind === 'response' ? { record } : VARY_MISS;
  }

  /** A redirect leads to the response that was stored when it was followed; it never leads to another redirect. */
  #recallTarget({ target }: RedirectRecord, headers: Fields, call: StoreCall): MaybePromise<Recalled> {
    const [name] = this.#codec.names(target);
    return chain(this.#read(name, target, call), (found) => {
      if (typeof found !== 'object') return URI_MISS;
      if (found.kind === 'response') return matchesVary(found, headers) ? { record: found } : VARY_MISS;
      return found.kind === 'variants' ? this.#recallVariant(name, found, headers, call) : URI_MISS;
    });
  }

  /** The record under a name; a text where it can't be used, telling why. */
  #read(name: string, key: string, call: StoreCall): MaybePromise<StoredRecord | string | undefined> {
    return chain(
      this.#guard.read(call, (store) => store.find(name)),
      (entry) => {
        if (!entry) return undefined;
        return chain(this.#codec.decode(entry, key), (decoded) => {
          if ('record' in decoded) return decoded.record;
          call.tell({
            type: 'invalid',
            key,
            reason: decoded.invalid,
            ...(decoded.error === undefined ? {} : { error: decoded.error }),
          });
          return decoded.invalid;
        });
      },
    );
  }

  #put(record: StoredRecord, call: StoreCall): MaybePromise<boolean> {
    return chain(this.#encode(record, call), (entry) => {
      if (!entry) return false;
      if (entry.size <= (this.#guard.store.maxEntrySize ?? Number.POSITIVE_INFINITY))
        return this.#guard.write(call, (store) => store.put([entry]));
      call.failure = 'too-large-for-store';
      return false;
    });
  }

  /** Nothing where the user's serializer can't write it: that costs the caching of this response alone. */
  #encode(record: StoredRecord, call: StoreCall): MaybePromise<Entry | undefined> {
    const refused = (error: unknown) => {
      call.failure = 'serializer';
      call.tell({ type: 'error', reason: 'serializer', error });
      return undefined;
    };
    try {
      const entry = this.#codec.encode(record);
      return isPromise(entry) ? entry.catch(refused) : entry;
    } catch (error) {
      return refused(error);
    }
  }

  #nameOf(record: ResponseRecord, name: string): string {
    return record.variant ? this.#codec.variantName(name, record.variant) : name;
  }

  async #boundVariants(record: ResponseRecord, call: StoreCall): Promise<void> {
    const [name] = this.#codec.names(record.key);
    await this.#guard.write(call, async (store) => {
      if ((await countOf(store, { kind: 'response', group: name })) <= MAX_VARIANTS) return;
      const variants: EntrySummary[] = [];
      for await (const summary of store.list({ kind: 'response', group: name })) variants.push(summary);
      variants.sort((a, b) => b.receivedAt - a.receivedAt);
      await store.delete(variants.slice(MAX_VARIANTS).map(({ id }) => id));
    });
  }
}

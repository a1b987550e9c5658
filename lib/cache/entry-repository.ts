import type { CacheRequest } from '../models/cache-request.js';
import type { Entry } from '../models/entry.js';
import type { RedirectRecord, ResponseRecord, StoredRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { canParseUrl } from '../policy/parse-url.js';
import type { KeyRules } from '../request/cache-key.js';
import { tagIndexName, urlIndexNames } from '../request/index-names.js';
import { normalizeUrl } from '../request/normalize-url.js';
import { nameOfRecord } from '../serializers/naming.js';
import { MANAGEMENT, type StoreAccess } from '../stores/circuit-breaker.js';
import type { Store } from '../stores/store.js';
import { failureKind } from '../stores/store-failure.js';
import { EntryReader } from './entry-reader.js';
import { type Invalidation, NO_INVALIDATION, RequestOrder, type Selectable } from './invalidations.js';
import { deleteResponses } from './named-deletion.js';
import { encodingInTime } from './serializer-time.js';
import { markerOf, putVariant } from './variants.js';

/**
 * The result of a write: `invalidated` if the response was out of date before it could be stored, `superseded` if that of a
 * later request was stored.
 */
export type WriteResult = 'stored' | 'invalidated' | 'superseded' | 'failed';

/** Names of one invalidation in the store, at most; more are everything. */
const MOST_NAMES = 1_000;

/** The place of a request in the sequence of invalidations, and in the order of the requests. */
export interface RequestPlace {
  readonly since: number;
  /** Absent for management. */
  readonly place?: number | undefined;
}

/**
 * The entries of a cache, for requests and for management alike; `access` decides on budget and errors. A response is
 * stored under the storage key of its cache key, or, if it varies, under a storage key of its variant, with a marker of
 * the selecting field names under the cache key's. A redirect entry maps another URL's key to it.
 */
export class EntryRepository extends EntryReader {
  /** The requests to the origin of this process. */
  readonly requests = new RequestOrder();
  /** Milliseconds since the epoch: when the last response that was stored for a request had been received. */
  latestReceivedAt = 0;

  /** Bytes of the largest body that the store accepts; Infinity if it has no limit, or if bodies may become shorter. */
  get largestBody(): number {
    return this.codec.packsBodies ? Number.POSITIVE_INFINITY : this.#largestEntry;
  }

  get #largestEntry(): number {
    return this.breaker.store.maxEntrySize ?? Number.POSITIVE_INFINITY;
  }

  /** Finds the newest stored response of a key, for management. */
  async newest(key: string): Promise<ResponseRecord | undefined> {
    return (await this.lookup(key, 'newest', MANAGEMENT)).record;
  }

  /** Finds the redirect that is stored under a key. */
  async redirect(key: string, access: StoreAccess = MANAGEMENT): Promise<RedirectRecord | undefined> {
    for (const name of this.codec.names(key)) {
      const found = await this.read(name, key, access);
      if (typeof found === 'object' && found.kind === 'redirect') return found;
    }
    return undefined;
  }

  /** Returns the redirects to a response that was renewed, with its lifetime. */
  async renewedRedirects(record: ResponseRecord, access: StoreAccess): Promise<readonly RedirectRecord[]> {
    const { key, stamp, receivedAt, staleAt, order, aliases = [] } = record;
    const found = await Promise.all(aliases.map((alias) => this.redirect(alias, access)));
    return found
      .filter((redirect) => redirect?.target === key && redirect.stamp === stamp)
      .map((redirect) => ({ ...(redirect as RedirectRecord), receivedAt, staleAt, order }));
  }

  /**
   * Stores a response with its variant marker and the redirects to it, in one write.
   *
   * @param sent the place of its request; absent for responses that were not just requested
   */
  save(
    record: ResponseRecord,
    redirects: readonly RedirectRecord[],
    access: StoreAccess,
    sent?: RequestPlace,
  ): MaybePromise<WriteResult> {
    const { since, place } = sent ?? {};
    const isOutdated = () => since !== undefined && this.#isOutdated([record, ...redirects], since);
    if (isOutdated()) return 'invalidated';
    this.latestReceivedAt = Math.max(this.latestReceivedAt, record.receivedAt);
    if (place !== undefined && !this.requests.claim(place, record)) return 'superseded';
    const isSuperseded = () => place !== undefined && this.requests.isSuperseded(place, record);
    const marker = record.variant ? markerOf(record) : undefined;
    const records = marker ? [record, marker, ...redirects] : [record, ...redirects];
    const store = (entries: readonly Entry[] | undefined): MaybePromise<WriteResult> => {
      if (!entries) return 'failed';
      const put = (store: Store): MaybePromise<boolean> =>
        marker ? putVariant(store, this.codec, entries, marker) : store.put(entries);
      // Also if the write continues in the background: an invalidation during the write may have missed its entries.
      const putUnlessOutdated = (store: Store): MaybePromise<WriteResult> =>
        chain(put(store), (done) => {
          if (!done) return 'invalidated';
          const obstacle = isOutdated() ? 'invalidated' : isSuperseded() ? 'superseded' : undefined;
          // If the writes of two requests overlap, the later one may have been replaced.
          return obstacle ? this.#deleteFrom(store, record).then(() => obstacle) : 'stored';
        });
      const write = (store: Store) => this.#duringFlight(() => putUnlessOutdated(store));
      return chain(this.breaker.write(access, write), (result) => result ?? 'failed');
    };
    const encoding = this.#encode(records, access);
    return isPromise(encoding) ? this.#storeEncoded(encoding, store, access) : store(encoding);
  }

  /** If the serializer does not finish in time, the write continues in the background. */
  #storeEncoded(
    encoding: Promise<Entry[] | undefined>,
    store: (entries: Entry[] | undefined) => MaybePromise<WriteResult>,
    access: StoreAccess,
  ): Promise<WriteResult> {
    const written = Promise.resolve(this.#duringFlight(() => encoding.then(store)));
    this.breaker.track(written);
    return encodingInTime(encoding, access, this.breaker).then(
      () => written,
      (error: unknown) => {
        this.#refuse(error, access);
        return 'failed';
      },
    );
  }

  /** The serializer cannot write a response: only this one is then not cached. @throws the error, for management */
  #refuse(error: unknown, access: StoreAccess): void {
    if (access === MANAGEMENT) throw error;
    access.failure = 'serializer';
    access.emit({ type: 'error', reason: 'serializer', error });
  }

  /** Keeps the invalidations that begin during the work. */
  #duringFlight<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    this.invalidations.begin();
    let result: MaybePromise<T>;
    try {
      result = work();
    } catch (error) {
      this.invalidations.end();
      throw error;
    }
    if (isPromise(result)) return result.finally(() => this.invalidations.end());
    this.invalidations.end();
    return result;
  }

  /** Writes records of the present, for management: an earlier invalidation does not refuse them. */
  async put(records: readonly StoredRecord[]): Promise<void> {
    const order = await this.currentOrder(MANAGEMENT);
    const ordered = records.map((record) => ({ ...record, order }));
    const encoding = Promise.resolve(this.#encode(ordered, MANAGEMENT));
    const entries = await encodingInTime(encoding, MANAGEMENT, this.breaker);
    if (entries) await this.breaker.manage((store) => store.put(entries));
  }

  /** Reads a listed response again, with its body. */
  async reread(record: ResponseRecord, access: StoreAccess): Promise<ResponseRecord | undefined> {
    for (const name of this.codec.names(record.key)) {
      const found = await this.read(nameOfRecord(name, record), record.key, access);
      if (typeof found === 'object' && found.kind === 'response') return found;
    }
    return undefined;
  }

  /** Deletes one stored response: exactly that variant. */
  async discard(record: ResponseRecord, access: StoreAccess): Promise<number> {
    return (await this.breaker.write(access, (store) => this.#deleteFrom(store, record))) ?? 0;
  }

  #deleteFrom(store: Store, record: ResponseRecord): Promise<number> {
    const groups = this.codec.names(record.key);
    const names = groups.map((name) => nameOfRecord(name, record));
    return deleteResponses(store, new Map(names.map((name, index) => [name, groups[index] ?? name])));
  }

  /** Deletes entries with these storage keys and all entries of their groups; resolves to the number of responses. */
  deleteGroups(ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? Promise.resolve(0) : this.breaker.manage((store) => store.deleteGroups(ids));
  }

  /** Deletes exactly the entries with these storage keys; resolves to the number of responses. */
  deleteExact(ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? Promise.resolve(0) : this.breaker.manage((store) => store.delete(ids));
  }

  /** The storage keys of a key's responses: its own, and those of the target if it is redirected. */
  async groupsOfKey(key: string): Promise<readonly string[]> {
    const redirect = await this.redirect(key);
    const own = this.codec.names(key);
    return redirect ? [...own, ...this.codec.names(redirect.target)] : own;
  }

  /** Groups that have an entry with one of these names in the secondary index. */
  async groupsOfIndex(names: readonly string[]): Promise<readonly string[]> {
    const groups = new Set<string>();
    for (const digest of names.flatMap((name) => this.codec.indexDigests(name))) {
      for await (const { group } of this.breaker.iterate((store) => store.list({ index: digest }))) groups.add(group);
    }
    return [...groups];
  }

  /** The present digests of names in the secondary index. */
  indexes(names: readonly string[]): readonly string[] {
    return names.map((name) => this.codec.indexDigests(name)[0]);
  }

  /** The order of the store's last invalidation; 0 if the store has none or fails, which makes a write be refused. */
  currentOrder(access: StoreAccess): MaybePromise<number> {
    const { store } = this.breaker;
    if (!store.currentOrder) return 0;
    return chain(
      this.breaker.read(access, () => store.currentOrder?.() ?? 0),
      (order) => order ?? 0,
    );
  }

  /** Acquires or renews the lease on a key; false if another holder has it, undefined if the store is down. */
  acquireLease(key: string, holder: string, seconds: number, access: StoreAccess): MaybePromise<boolean | undefined> {
    const [name] = this.codec.names(key);
    return this.breaker.write(access, (store) => store.acquireLease?.(name, holder, seconds));
  }

  async releaseLease(key: string, holder: string, access: StoreAccess): Promise<void> {
    const [name] = this.codec.names(key);
    await this.breaker.write(access, (store) => store.releaseLease?.(name, holder));
  }

  /**
   * The properties by which invalidations select a request whose response is not known yet.
   *
   * @param tags those that do not depend on the response
   */
  selectableRequest(key: string, { method, url }: CacheRequest, rules: KeyRules, tags: readonly string[]): Selectable {
    const names = [...urlIndexNames(method, [url], rules), ...tags.map(tagIndexName)];
    const digests = names.flatMap((name) => this.codec.indexDigests(name));
    return { digests: [...digests, ...this.codec.names(key)], urls: [normalizeUrl(url)] };
  }

  /** Records an invalidation for the requests in flight of this process. */
  invalidateInFlight(invalidation: Partial<Invalidation>): void {
    this.invalidations.record({ ...NO_INVALIDATION, ...invalidation });
  }

  /**
   * Records an invalidation for the requests in flight of all processes, by digests and storage keys of cache keys; without
   * any, of everything. A full store refuses it, perhaps only until something is deleted: then returns false.
   */
  async refuseOlder(names: readonly string[]): Promise<boolean> {
    this.invalidateInFlight({ digests: names, everything: names.length === 0 });
    const selected = names.length > MOST_NAMES ? [] : names;
    try {
      await this.breaker.manage((store) => store.invalidate?.(selected));
      return true;
    } catch (error) {
      if (failureKind(error) !== 'refusal') throw error;
      return false;
    }
  }

  /** Whether a response, or a redirect to it, was invalidated after its request was sent. */
  #isOutdated(records: readonly (ResponseRecord | RedirectRecord)[], since: number): boolean {
    if (!this.invalidations.anySince(since)) return false;
    return records.some((record) =>
      this.invalidations.selectsSince(
        since,
        record.kind === 'response' ? this.selectable(record) : this.#selectableRedirect(record),
      ),
    );
  }

  #selectableRedirect({ key, indexes, url }: RedirectRecord): Selectable {
    return { digests: [...indexes, ...this.codec.names(key)], urls: canParseUrl(url) ? [normalizeUrl(url)] : [] };
  }

  /** Undefined if the serializer cannot write one of them: for a request, only this response is then not cached. */
  #encode(records: readonly StoredRecord[], access: StoreAccess): MaybePromise<Entry[] | undefined> {
    const refused = (error: unknown) => {
      this.#refuse(error, access);
      return undefined;
    };
    const accepted = (entries: Entry[]) => {
      if (access === MANAGEMENT || entries.every(({ size }) => size <= this.#largestEntry)) return entries;
      access.failure = 'too-large-for-store';
      return undefined;
    };
    try {
      const entries = records.map((record) => this.codec.encode(record));
      if (entries.some(isPromise)) return Promise.all(entries).then(accepted, refused);
      return accepted(entries as Entry[]);
    } catch (error) {
      return refused(error);
    }
  }
}

import { optionError, UnsupportedOperationError } from '../errors.js';
import { CachedResponse, RECORD } from '../models/cached-response.js';
import type { CacheEvent } from '../models/events.js';
import type { ResponseRecord } from '../models/record.js';
import { INSPECT, type InspectArguments, inspected } from '../platform/inspect.js';
import { brandOf, hasInstance } from '../platform/shared-state.js';
import { type ExpirationTime, expiresAt, parseExpiration } from '../policy/expiration.js';
import { isReading } from '../policy/methods.js';
import { tagIndexName } from '../request/index-names.js';
import type { EntryCodec } from '../serializers/codec.js';
import { CircuitBreaker, MANAGEMENT } from '../stores/circuit-breaker.js';
import { clientBindings } from './bindings.js';
import type { CacheParts, CacheStats, RemovalCount } from './cache-types.js';
import { ClientRecords } from './client-records.js';
import { type CopyOptions, copyEntries } from './copy-entries.js';
import { EntryRepository } from './entry-repository.js';
import { EntryScan, type InvalidResponse } from './entry-scan.js';
import { EventHub } from './events.js';
import { addAlias, keepLifetime, resetExpiration } from './expiration-reset.js';
import { type CacheInternals, INTERNALS } from './internals.js';
import { Invalidator } from './invalidator.js';
import { KeyRecreation, type RecreatedKeys } from './key-recreation.js';
import {
  type ContainsQuery,
  type DeletionQuery,
  type ParsedFilter,
  parseContains,
  parseDeletion,
  parseFilter,
  type ResponseFilter,
  type ResponseSelection,
  readKey,
  readKeys,
  readUrls,
  refuseSelection,
  refuseUnknown,
  warnOfUrl,
} from './queries.js';
import { type ResponseChange, updateResponses } from './response-update.js';
import { countSelected, deleteByState, selectResponses } from './selection.js';
import { type CacheStorage, redirectsView, responsesView } from './storage-view.js';

/**
 * A cache over any store (requests-cache: `BaseCache`). Keys are those of requests as asked; they follow redirects and
 * cover all variants. Every method that reads or writes rejects with a CacheError if the store fails
 * (`ERR_CACHE_STORE`, `ERR_CACHE_STORE_TIMEOUT`) or the cache is closed (`ERR_CACHE_CLOSED`).
 */
export class BaseCache {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('BaseCache');
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: of a subclass, it is the subclass
    return hasInstance.call(this, value);
  }
  /** Stored responses by key (requests-cache: `cache.responses`). */
  readonly responses: CacheStorage<CachedResponse>;
  /** Redirects: from the key of another URL to the key as asked (requests-cache: `cache.redirects`). */
  readonly redirects: CacheStorage<string>;
  /** @internal */
  readonly [INTERNALS]: CacheInternals;
  readonly #repository: EntryRepository;
  readonly #scan: EntryScan;
  readonly #invalidator: Invalidator;
  readonly #events = new EventHub();
  readonly #now: () => number;
  readonly #records: ClientRecords;

  constructor(parts: CacheParts) {
    const { store, codec, now } = parts;
    this.#now = now;
    const onEvent = (event: CacheEvent) => void this.#events.emit(event.type, () => event, undefined);
    const breaker = new CircuitBreaker(store, parts, (event) => this.#events.emitToAll(event));
    this.#repository = new EntryRepository({ breaker, codec, onEvent, now });
    this.#scan = new EntryScan(this.#repository);
    this.#records = new ClientRecords(this.#repository, now);
    this.#invalidator = new Invalidator(this.#repository, this.#scan, now);
    this.responses = responsesView(this, this.#invalidator, async (key, value) => {
      if (!(value instanceof CachedResponse)) throw optionError('value', value, 'a stored response of a cache');
      await this.#save({ ...this.#records.adopted(value[RECORD]()), key: readKey('key', key) });
    });
    this.redirects = redirectsView(this.#repository, this.#scan, (key, target) => this.#saveRedirect(key, target, ''));
    this[INTERNALS] = this.#internals(breaker, codec);
  }

  /**
   * Stores a response that was obtained elsewhere (requests-cache: `save_response`).
   *
   * @param response an axios response, or a stored response of another cache
   * @param options.expireAfter its freshness lifetime from now. Default: that of a stored response, else it never expires
   * @returns its key
   * @throws TypeError for anything else, and for a response that no request can match (`Vary: *`)
   * @example
   * const key = await cache.saveResponse(await axios.get('https://example.org/'), { expireAfter: '1h' });
   */
  async saveResponse(response: object, options: { readonly expireAfter?: ExpirationTime } = {}): Promise<string> {
    refuseUnknown('saveResponse', options, ['expireAfter']);
    const lifetime = parseExpiration(options.expireAfter) ?? { seconds: Number.POSITIVE_INFINITY };
    const record =
      response instanceof CachedResponse
        ? this.#records.adopted(response[RECORD]())
        : await this.#records.recordOf(response, lifetime);
    await this.#save(
      options.expireAfter === undefined ? record : { ...record, staleAt: expiresAt(lifetime, this.#now()) },
    );
    return record.key;
  }

  /**
   * Maps a request to the newest stored response of a key, so that it is a hit (requests-cache: `save_redirect`). Stores
   * nothing if there is no such response, or if a response to the request itself is stored.
   *
   * @param request an axios config or a stored request
   * @example
   * const key = await cache.saveResponse(await axios.get('https://example.org/new'));
   * await cache.saveRedirect({ url: 'https://example.org/old' }, key);
   */
  async saveRedirect(request: object, targetKey: string): Promise<void> {
    readKey('targetKey', targetKey);
    const { key, url } = await this.#records.identify(request);
    await this.#saveRedirect(key, targetKey, url);
  }

  /**
   * Returns the newest stored response of a key, fresh or not (requests-cache: `get_response`).
   *
   * @example
   * const key = await cache.createKey({ url: 'https://example.org/' });
   * const response = await cache.getResponse(key);
   */
  async getResponse(key: string): Promise<CachedResponse | undefined> {
    const record = await this.#repository.newest(readKey('key', key));
    if (!record) warnOfUrl('getResponse', key, 'createKey({ url })');
    return record && this.#present(record);
  }

  /**
   * Returns whether a response is stored under a key (requests-cache: `has_key`).
   *
   * @example
   * await cache.hasKey(await cache.createKey({ url: 'https://example.org/' }));
   */
  async hasKey(key: string): Promise<boolean> {
    return (await this.#repository.newest(readKey('key', key))) !== undefined;
  }

  /**
   * Returns the key of the request that axios would send (requests-cache: `create_key`): by the settings and axios defaults
   * of the first instance that used this cache. Interceptors do not run; their additions must be in the config.
   *
   * @param config an axios config or a stored request
   * @throws TypeError if it is no request for an http or https URL
   * @example
   * const key = await api.cache.createKey({ url: '/items', params: { page: 2 } });
   */
  async createKey(config: object): Promise<string> {
    return this.#records.keyOf(config);
  }

  /**
   * Returns whether a response to GET, HEAD or QUERY is stored for a URL, whatever its variant or principal; all URLs of a
   * redirect chain count (requests-cache: `has_url`).
   *
   * @param url absolute; also a redacted URL as {@link BaseCache.urls} yields it
   * @example
   * await cache.hasUrl('https://example.org/users/1');
   */
  async hasUrl(url: string): Promise<boolean> {
    return (await this.#repository.groupsOfIndex([this.#records.indexName(url)])).length > 0;
  }

  /**
   * Deletes the stored responses to GET, HEAD and QUERY of a URL; resolves to their number (requests-cache: `delete_url`).
   *
   * @example
   * const removed = await cache.deleteUrl('https://example.org/users/1');
   */
  deleteUrl(url: string): Promise<number> {
    return this.deleteUrls([url]);
  }

  /**
   * Deletes the stored responses of several URLs, as {@link BaseCache.deleteUrl}; resolves to their number
   * (requests-cache: `delete_urls`).
   *
   * @example
   * await cache.deleteUrls(['https://example.org/users/1', 'https://example.org/users/2']);
   */
  async deleteUrls(urls: string | readonly string[]): Promise<number> {
    const names = readUrls('urls', urls).map((url) => this.#records.indexName(url));
    return this.#removed(await this.#invalidator.deleteNamed(names), 'url');
  }

  /**
   * Yields each key that has a stored response, once.
   *
   * @example
   * for await (const key of cache.keys()) console.log(key);
   */
  keys(): AsyncGenerator<string> {
    return this.#scan.keys();
  }

  /**
   * Yields every stored response, fresh or not, each variant by itself.
   *
   * @example
   * for await (const response of cache.values()) console.log(response.url, response.size);
   */
  async *values(): AsyncGenerator<CachedResponse> {
    for await (const record of this.#scan.whole()) yield this.#present(record);
  }

  /**
   * Yields the final URLs of the stored responses to GET, HEAD and QUERY, redacted.
   *
   * @example
   * for await (const url of cache.urls()) console.log(url);
   */
  async *urls(): AsyncGenerator<string> {
    for await (const { record } of this.#scan.responses()) {
      if (isReading(record.request.method)) yield record.url;
    }
  }

  /**
   * Yields stored responses by their state; entries that cannot be read only with `invalid: true`.
   *
   * @throws TypeError for an unknown or wrong condition
   * @example
   * for await (const response of cache.filter({ valid: false, sort: '-size' })) console.log(response.url);
   */
  filter(filter: ResponseFilter & { readonly invalid: true }): AsyncGenerator<CachedResponse | InvalidResponse>;
  filter(filter?: ResponseFilter): AsyncGenerator<CachedResponse>;
  filter(filter: ResponseFilter = {}): AsyncGenerator<CachedResponse | InvalidResponse> {
    return this.#filtered(parseFilter(filter, this.#now()));
  }

  /**
   * Returns whether a response is stored for a key, a URL or a request.
   *
   * @throws TypeError unless exactly one of them is given
   * @example
   * await cache.contains({ request: { url: 'https://example.org/' } });
   */
  async contains(what: ContainsQuery): Promise<boolean> {
    const { key, url, request } = parseContains(what);
    if (key !== undefined) return this.hasKey(key);
    if (url !== undefined) return this.hasUrl(url);
    return this.hasKey(await this.createKey(request as object));
  }

  /**
   * Deletes the responses of several keys; resolves to their number (requests-cache: `bulk_delete`).
   *
   * @example
   * const keys = await Promise.all(['/1', '/2'].map((url) => api.cache.createKey({ url })));
   * await api.cache.bulkDelete(keys);
   */
  async bulkDelete(keys: string | readonly string[]): Promise<number> {
    return this.delete({ keys: readKeys('keys', keys) });
  }

  /**
   * Deletes the responses of a key, or each response that meets any condition of a query; resolves to their number.
   *
   * @throws TypeError for an unknown or wrong condition, before anything is deleted
   * @example
   * await cache.delete({ urls: 'api.example.org/users/*', expired: true });
   */
  async delete(what: string | DeletionQuery): Promise<number> {
    const now = this.#now();
    const deletion = parseDeletion(what, now);
    const names = [...deletion.urls.map((url) => this.#records.indexName(url)), ...deletion.tags.map(tagIndexName)];
    const keys = [...deletion.keys];
    for (const request of deletion.requests) keys.push(await this.createKey(request));
    const invalidating: Promise<number>[] = [];
    if (keys.length > 0) invalidating.push(this.#invalidator.deleteKeys(keys));
    if (names.length > 0) invalidating.push(this.#invalidator.deleteNamed(names));
    if (deletion.patterns.length > 0) invalidating.push(this.#invalidator.deleteMatching(deletion.patterns));
    // All that was requested before counts as received before.
    if ((deletion.receivedBefore ?? 0) >= now) invalidating.push(this.#repository.refuseOlder([]).then(() => 0));
    const removed = (await Promise.all(invalidating)).reduce((sum, count) => sum + count, 0);
    if (removed === 0) warnOfUrl('delete', what, 'deleteUrl(url)');
    return this.#removed(removed + (await deleteByState(this.#scan, deletion, now)), 'deleted');
  }

  /**
   * Deletes every entry of this cache and nothing else. If the store counts its responses, an event reports their number.
   *
   * @throws TypeError for a URL, a pattern or a query, which {@link BaseCache.delete} accepts
   * @example
   * await cache.clear();
   */
  async clear(nothing?: undefined): Promise<void> {
    refuseSelection(nothing);
    this.#removed(await this.#invalidator.clear(), 'deleted');
  }

  /**
   * Counts stored responses, each variant by itself, unreadable ones included (requests-cache: `response_count`).
   *
   * @param filter conditions as those of {@link BaseCache.filter}. Default: all responses
   * @example
   * console.log(await cache.responseCount({ valid: false }));
   */
  async responseCount(filter?: ResponseFilter): Promise<number> {
    if (filter === undefined) return this.#scan.count();
    return countSelected(this.#scan, parseFilter(filter, this.#now()));
  }

  /**
   * Removes expired responses (requests-cache: `remove_expired_responses`).
   *
   * @param expireAfter a new freshness lifetime for all responses from now on; 0 removes everything
   * @example
   * const { removed, kept } = await cache.removeExpiredResponses();
   */
  async removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount> {
    if (expireAfter !== undefined) await this.resetExpiration(expireAfter);
    const removed = await this.#scan.deleteExpired(this.#now());
    this.#removed(removed, 'expired');
    return { removed, kept: await this.responseCount() };
  }

  /**
   * Gives stored responses a new freshness lifetime, counted from now; 0: stale now, but kept.
   *
   * @param selection the responses concerned. Default: all
   * @throws TypeError for a wrong time or selection
   * @example
   * await cache.resetExpiration(0, { tags: 'news' });
   */
  resetExpiration(expireAfter: ExpirationTime, selection?: ResponseSelection): Promise<void> {
    const parts = { repository: this.#repository, scan: this.#scan, records: this.#records, now: this.#now };
    return resetExpiration(parts, expireAfter, selection);
  }

  /**
   * Replaces the bodies of stored responses, of each variant. Tags and lifetime are kept; validators (ETag, Last-Modified)
   * are dropped, so that no 304 confirms the new body, and Content-Length is corrected. Responses without content, to HEAD,
   * and with a part of the content (206) are left out. An answer that was asked for before is not stored after.
   *
   * If another writer replaces a response meanwhile, `change` is called again with the new one; with `KeyvCache`, such a
   * write of another process may be lost.
   *
   * @param what a key, an absolute URL as for {@link BaseCache.hasUrl}, an axios config, or a stored request
   * @param change returns the new body: text, bytes, or another value as JSON, or a promise of it; `undefined`: no change
   * @returns the number of changed responses
   * @throws TypeError for wrong arguments, and for a result of `change` that JSON cannot represent; CacheError
   *   `ERR_CACHE_CONFLICT` if other writers were faster 100 times
   * @example
   * await cache.updateResponse({ url: 'https://example.org/items' }, ({ data }) => [...data, 'new item']);
   */
  updateResponse(what: string | object, change: ResponseChange): Promise<number> {
    const present = this.#present.bind(this);
    const parts = { repository: this.#repository, scan: this.#scan, records: this.#records, present };
    return updateResponses(parts, what, change);
  }

  /**
   * Computes all keys anew under the present settings (requests-cache: `recreate_keys`), such as after a change of `keyFn`,
   * `matchHeaders` or `ignoredParameters`: those of the first instance that uses this cache. Variants, redirects, tags and
   * lifetimes are kept. Of several responses with the same new key and variant, the newest remains.
   *
   * A response keeps its key if that cannot be computed: if its request has credentials, a redacted part, a body of bytes or a
   * form, or a transport of its own (a certificate, a proxy, a socket). No other process should delete by a pattern meanwhile:
   * it may miss a response that is moved.
   *
   * @returns the number of responses that changed their key, and of the others, unreadable ones included
   * @throws the error of `keyFn`
   * @example
   * const { changed, kept } = await api.cache.recreateKeys();
   */
  recreateKeys(): Promise<RecreatedKeys> {
    return new KeyRecreation(this.#repository, this.#scan, this.#records).run();
  }

  /**
   * Copies all responses and redirects of another cache into this one (requests-cache: `update`).
   *
   * @param options.onProgress called after each response
   * @example
   * const from = new SqliteCache();
   * const to = new RedisCache();
   * await to.update(from, { onProgress: ({ copied, total }) => console.log(copied, total) });
   */
  async update(other: BaseCache, options: CopyOptions = {}): Promise<void> {
    await copyEntries(other, options, async (record) => {
      const adopted = this.#records.adopted(record);
      await (adopted.kind === 'response' ? this.#save(adopted) : this.#repository.put([adopted]));
    });
  }

  /**
   * Resolves when the store answers; rejects with the reason if it does not. An outage is over then.
   *
   * @example
   * await cache.ready();
   */
  ready(): Promise<void> {
    return this.#repository.breaker.ready();
  }

  /**
   * Returns the number of events by type since the cache was opened (for `removed` the number of responses), sums over the
   * responses that callers got, and the state of the circuit breaker (docs/metrics.md).
   *
   * @example
   * const { hit, miss, breaker } = cache.stats();
   */
  stats(): CacheStats {
    return { ...this.#events.counts, ...this.#events.totals, breaker: this.#repository.breaker.state };
  }

  /** File, folder, or URL without credentials; undefined for memory and for a store of the user. */
  get location(): string | undefined {
    return this.#repository.breaker.store.location;
  }

  /**
   * Returns the bytes that the store uses.
   *
   * @throws UnsupportedOperationError if the store does not report its size
   * @example
   * console.log(`${(await cache.size()) / 1e6} MB`);
   */
  async size(): Promise<number> {
    const { store } = this.#repository.breaker;
    if (!store.size) throw new UnsupportedOperationError(`the backend ${store.name} does not report its size`);
    return this.#repository.breaker.manage(() => store.size?.() ?? 0);
  }

  /**
   * Returns unused space to the operating system.
   *
   * @throws UnsupportedOperationError unless the backend is sqlite
   * @example
   * await cache.clear();
   * await cache.vacuum();
   */
  async vacuum(): Promise<void> {
    const { store } = this.#repository.breaker;
    const vacuum = store.vacuum?.bind(store);
    if (!vacuum) throw new UnsupportedOperationError(`the backend ${store.name} needs no vacuum`);
    for await (const _ of this.#repository.breaker.iterate(vacuum));
  }

  /**
   * Waits for work in the background, at most `backendTimeout` or 30 seconds, and releases the store.
   *
   * @example
   * const own = new MemoryCache();
   * await own.close();
   */
  close(): Promise<void> {
    return this.#repository.breaker.close();
  }

  /** Returns the backend, its location, and the counts of {@link BaseCache.stats}. */
  toJSON(): { readonly backend: string; readonly location: string | undefined; readonly stats: CacheStats } {
    return { backend: this.#repository.breaker.store.name, location: this.location, stats: this.stats() };
  }

  /** @internal */
  [INSPECT](...how: InspectArguments): string {
    return inspected(this.constructor.name, this.toJSON(), how);
  }

  async *#filtered(filter: ParsedFilter): AsyncGenerator<CachedResponse | InvalidResponse> {
    for await (const record of selectResponses(this.#repository, this.#scan, filter)) yield this.#present(record);
    if (filter.invalid) yield* this.#scan.unreadable(filter.tags);
  }

  async #save(record: ResponseRecord): Promise<void> {
    const order = await this.#repository.currentOrder(MANAGEMENT);
    await this.#repository.save({ ...record, order }, [], MANAGEMENT);
  }

  async #saveRedirect(key: string, target: string, url: string): Promise<void> {
    readKey('key', key);
    const response = await this.#repository.newest(readKey('target', target));
    if (!response) return;
    // First, so that a renewal meanwhile includes the redirect, or is included in it.
    await addAlias(this.#repository, response, key);
    const present = (await this.#repository.reread(response, MANAGEMENT)) ?? response;
    await this.#repository.put([this.#records.redirectTo(present, key, url)]);
  }

  #removed(count: number, reason: NonNullable<CacheEvent['reason']>): number {
    if (count > 0) this.#events.emitToAll({ type: 'removed', reason, count });
    return count;
  }

  #present(record: ResponseRecord): CachedResponse {
    return new CachedResponse(record, {
      now: this.#now,
      keep: (changed) => keepLifetime(this.#repository, changed, this.#now()),
      toHeaders: (fields) => clientBindings().headersOf(fields),
      toClient: (current, data) => clientBindings().responseOf(current, data),
    });
  }

  #internals(breaker: CircuitBreaker, codec: EntryCodec): CacheInternals {
    return {
      repository: this.#repository,
      breaker,
      invalidator: this.#invalidator,
      now: this.#now,
      encrypts: codec.encrypts,
      coalescing: undefined,
      events: this.#events,
      present: (record) => this.#present(record),
      use: (settings, defaults) => {
        this.#records.use(settings, defaults);
        return this.#events.listen(() => settings.compiled.onEvent);
      },
    };
  }
}

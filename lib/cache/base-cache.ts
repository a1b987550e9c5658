import { optionError } from '../errors.js';
import { CachedResponse } from '../models/cached-response.js';
import type { CacheEventType } from '../models/events.js';
import type { RedirectRecord, ResponseRecord, StoredRecord } from '../models/record.js';
import { brandOf, hasInstance } from '../platform/shared-state.js';
import {
  type Expiration,
  type ExpirationTime,
  expiresAt,
  isDoNotCache,
  parseExpiration,
} from '../policy/expiration.js';
import { compileUrlPattern, type UrlMatcher } from '../policy/url-pattern.js';
import type { KeyRules } from '../request/cache-key.js';
import { urlIndexNames } from '../request/index-names.js';
import { keyUrl, redactUrl } from '../request/redaction.js';
import type { EntryCodec } from '../serializers/codec.js';
import { CircuitBreaker, type GuardOptions } from '../stores/circuit-breaker.js';
import type { EntryQuery, Store } from '../stores/store.js';
import { clientBindings } from './bindings.js';
import { type EventCounts, EventHub } from './events.js';
import { type CacheInternals, setInternals } from './internals.js';
import { noteRecord, recordOfPresented } from './presented.js';
import { type InvalidResponse, Rows } from './rows.js';
import { type CacheStorage, redirectsView, responsesView } from './storage-view.js';
import { StoredResponses } from './stored-responses.js';

/** What {@link BaseCache.removeExpiredResponses} did. */
export interface RemovalCount {
  readonly removed: number;
  readonly kept: number;
}

/** Which stored responses {@link BaseCache.filter} yields. */
export interface ResponseFilter {
  /** Those that are fresh. Default: `true`. */
  readonly valid?: boolean;
  /** Those that are expired. Default: `true`. */
  readonly expired?: boolean;
  /** Those that cannot be read. Default: `false`. */
  readonly invalid?: boolean;
}

/** What {@link BaseCache.delete} removes: everything that any of these names. */
export interface DeletionQuery {
  readonly keys?: readonly string[];
  /** URLs, or URL patterns. */
  readonly urls?: readonly (string | RegExp)[];
  /** Requests as axios configurations. */
  readonly requests?: readonly object[];
  readonly expired?: boolean;
  readonly invalid?: boolean;
  /** Received longer ago than this. */
  readonly olderThan?: ExpirationTime;
}

/** What a cache is opened with, besides its store. */
export interface CacheParts extends GuardOptions {
  readonly store: Store;
  readonly codec: EntryCodec;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Keys are made by these rules where no instance uses the cache yet. */
const PLAIN_RULES: KeyRules = {
  matchHeaders: false,
  ignoredParameters: new Set(),
  credentialNames: new Set(),
  credentials: 'isolate',
  keyFn: undefined,
};

/** A cache, whatever its store (requests-cache: `BaseCache`). Keys are those of requests as asked; they follow redirects and cover all variants. */
export class BaseCache {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('BaseCache');
  static readonly [Symbol.hasInstance] = hasInstance;
  /** Stored responses by key (requests-cache: `cache.responses`). */
  readonly responses: CacheStorage<CachedResponse>;
  /** Other URLs of redirects: from their key to the key that was asked (requests-cache: `cache.redirects`). */
  readonly redirects: CacheStorage<string>;
  readonly #guard: CircuitBreaker;
  readonly #rows: Rows;
  readonly #events = new EventHub();
  readonly #now: () => number;
  #rules: { readonly compiled: KeyRules } = { compiled: PLAIN_RULES };

  constructor(parts: CacheParts) {
    this.#now = parts.now;
    this.#guard = new CircuitBreaker(parts.store, parts, (event) => this.#events.emitToAll(event), parts.now);
    this.#rows = new Rows(this.#guard, parts.codec, (event) => this.#events.emit(event.type, () => event, undefined));
    this.responses = responsesView(this, this.#rows, (key, value) =>
      this.#keep({ ...this.#adopted(recordOfPresented(value)), key }),
    );
    this.redirects = redirectsView(this.#rows, (key, target) => this.#saveRedirect(key, target, ''));
    setInternals(this, this.#internals(parts.codec));
  }

  /**
   * Stores a response that was obtained elsewhere.
   *
   * @param response an axios response, or a stored one of another cache
   * @param options.expireAfter its lifetime from now. Default: for ever
   * @returns its key
   */
  async saveResponse(response: object, options: { readonly expireAfter?: ExpirationTime } = {}): Promise<string> {
    const lifetime = parseExpiration(options.expireAfter) ?? { seconds: Number.POSITIVE_INFINITY };
    const record =
      response instanceof CachedResponse
        ? this.#adopted(recordOfPresented(response))
        : await this.#recordOf(response, lifetime);
    await this.#keep(
      options.expireAfter === undefined ? record : { ...record, staleAt: expiresAt(lifetime, this.#now()) },
    );
    return record.key;
  }

  /** Has a request lead to the response of another (requests-cache: `save_redirect`). */
  async saveRedirect(request: object, targetKey: string): Promise<void> {
    const { url = '' } = request as { url?: string };
    await this.#saveRedirect(await this.createKey(request), targetKey, url);
  }

  /** The newest stored response of a key, fresh or not. */
  async getResponse(key: string): Promise<CachedResponse | undefined> {
    const record = await this.#rows.newest(key);
    return record && this.#present(record);
  }

  /** Whether anything is stored under a key. */
  async hasKey(key: string): Promise<boolean> {
    return (await this.#rows.newest(key)) !== undefined;
  }

  /** The key of a request, by the settings of the first instance that used this cache. */
  async createKey(config: object): Promise<string> {
    return clientBindings().keyOf(config, this.#rules.compiled);
  }

  /** Whether a GET response of a URL is stored, whatever its variant or credentials; both ends of a redirect count. */
  async hasUrl(url: string): Promise<boolean> {
    return (await this.#rows.groupsOfUrl(this.#lookup(url))).length > 0;
  }

  /** Removes every stored GET response of a URL; resolves to their number. */
  deleteUrl(url: string): Promise<number> {
    return this.deleteUrls([url]);
  }

  async deleteUrls(urls: readonly string[]): Promise<number> {
    let removed = 0;
    for (const url of urls) removed += await this.#rows.drop(await this.#rows.groupsOfUrl(this.#lookup(url)));
    return this.#removed(removed, 'url');
  }

  /** The keys of everything stored, each once. */
  async *keys(): AsyncGenerator<string> {
    let last: string | undefined;
    const varying = new Set<string>();
    for await (const { record } of this.#rows.responses()) {
      if (record.key === last || varying.has(record.key)) continue;
      // Only variants can come again; remembering just those keeps memory bounded by what varies.
      if (record.variant) varying.add(record.key);
      last = record.key;
      yield record.key;
    }
  }

  /** Every stored response. */
  async *values(): AsyncGenerator<CachedResponse> {
    for await (const record of this.#rows.whole()) yield this.#present(record);
  }

  /** The final URLs of stored GET responses, without secrets. */
  async *urls(): AsyncGenerator<string> {
    for await (const { record } of this.#rows.responses()) if (record.request.method === 'GET') yield record.url;
  }

  /** Stored responses by their state. */
  async *filter({
    valid = true,
    expired = true,
    invalid = false,
  }: ResponseFilter = {}): AsyncGenerator<CachedResponse | InvalidResponse> {
    const now = this.#now();
    const bounds: EntryQuery = valid && expired ? {} : valid ? { freshAt: now } : { staleBy: now };
    if (valid || expired) for await (const record of this.#rows.whole(bounds)) yield this.#present(record);
    if (invalid) for await (const row of this.#rows.summaries()) if ('invalid' in row) yield row;
  }

  /** Whether a response is stored for a key, a URL or a request. */
  async contains(what: { readonly key?: string; readonly url?: string; readonly request?: object }): Promise<boolean> {
    if (what.key !== undefined) return this.hasKey(what.key);
    if (what.url !== undefined) return this.hasUrl(what.url);
    if (what.request !== undefined) return this.hasKey(await this.createKey(what.request));
    throw optionError('contains', what, '{ key }, { url } or { request }');
  }

  bulkDelete(keys: readonly string[]): Promise<number> {
    return this.delete({ keys });
  }

  /**
   * Removes a key's responses, or all that a query names; resolves to the number of responses removed.
   *
   * @throws TypeError for a wrong pattern or time
   */
  async delete(what: string | DeletionQuery): Promise<number> {
    if (typeof what === 'string') return this.delete({ keys: [what] });
    const { keys = [], urls = [], requests = [] } = what;
    const groups: string[] = [];
    for (const key of keys) groups.push(...(await this.#groupsOf(key)));
    for (const request of requests) groups.push(...(await this.#groupsOf(await this.createKey(request))));
    const patterns: UrlMatcher[] = [];
    for (const url of urls) {
      if (typeof url === 'string' && URL.canParse(url) && !url.includes('*'))
        groups.push(...(await this.#rows.groupsOfUrl(this.#lookup(url))));
      else patterns.push(compileUrlPattern(url, 'urls'));
    }
    let removed = await this.#rows.drop([...new Set(groups)]);
    if (patterns.length > 0)
      removed += await this.#dropWhere({}, ({ url, request }) =>
        patterns.some((pattern) => pattern.matches(url) || pattern.matches(request.url)),
      );
    if (what.expired) removed += await this.#rows.purge(this.#now());
    if (what.olderThan !== undefined)
      removed += await this.#dropWhere({ receivedBefore: this.#before(what.olderThan) }, () => true);
    if (what.invalid)
      removed += await this.#rows.dropFitting(
        () => this.#rows.summaries(),
        (row) => 'invalid' in row,
      );
    return this.#removed(removed, 'deleted');
  }

  /** Removes everything of this cache and nothing else. */
  async clear(): Promise<void> {
    await this.#rows.clear();
  }

  /** Responses stored, each variant counted, those that can't be read included. */
  responseCount(): Promise<number> {
    return this.#rows.count();
  }

  /**
   * Removes expired responses (requests-cache: `remove_expired_responses`).
   *
   * @param expireAfter a new lifetime from now for everything first; 0 removes everything
   */
  async removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount> {
    if (expireAfter !== undefined) await this.resetExpiration(expireAfter);
    const removed = await this.#rows.purge(this.#now());
    this.#removed(removed, 'expired');
    return { removed, kept: await this.responseCount() };
  }

  /** Gives everything a new lifetime, counted from now; 0: expired as of now, but kept. */
  async resetExpiration(expireAfter: ExpirationTime): Promise<void> {
    const lifetime = parseExpiration(expireAfter);
    if (!lifetime) throw optionError('expireAfter', expireAfter, 'what expireAfter takes');
    const expires = isDoNotCache(lifetime) ? this.#now() : expiresAt(lifetime, this.#now());
    await this.#rows.putExpiry(expires);
  }

  /**
   * Copies everything of another cache into this one.
   *
   * @param options.onProgress told after each response
   */
  async update(
    other: BaseCache,
    options: { readonly onProgress?: (progress: { readonly copied: number; readonly total: number }) => void } = {},
  ): Promise<void> {
    const total = await other.responseCount();
    let copied = 0;
    for await (const batch of other.#rows.wholeBatches()) {
      await Promise.all(batch.map((record) => this.#keep(this.#adopted(record))));
      for (const _ of batch) options.onProgress?.({ copied: ++copied, total });
    }
    for await (const row of other.#rows.summaries({ kind: 'redirect' }))
      if ('record' in row) await this.#rows.put(this.#adopted(row.record));
  }

  /** Resolves when the store answers; rejects with why it does not. */
  ready(): Promise<void> {
    return this.#guard.ready();
  }

  /** How often each event happened since the cache was opened. */
  stats(): EventCounts {
    return this.#events.counts;
  }

  /** Waits for what goes on in the background, and releases the store. */
  close(): Promise<void> {
    return this.#guard.close();
  }

  async #keep(record: ResponseRecord): Promise<void> {
    await this.#rows.put(record);
    if (!record.variant) return;
    const { key, receivedAt, staleAt, order, vary } = record;
    await this.#rows.put({ kind: 'variants', key, receivedAt, staleAt, indexes: [], order, vary });
  }

  async #saveRedirect(key: string, target: string, url: string): Promise<void> {
    const rules = this.#rules.compiled;
    const redirect: RedirectRecord = {
      kind: 'redirect',
      key,
      target,
      stamp: (await this.#rows.newest(target))?.stamp ?? '',
      url: redactUrl(url, rules),
      receivedAt: this.#now(),
      staleAt: Number.POSITIVE_INFINITY,
      indexes: this.#rows.indexes(urlIndexNames('GET', [url], rules)),
      order: 0,
    };
    await this.#rows.put(redirect);
  }

  /** The names under which a key's responses stand, through a redirect too. */
  async #groupsOf(key: string): Promise<readonly string[]> {
    const record = await this.#rows.find(key);
    const names = this.#rows.names(key);
    return record?.kind === 'redirect' ? [...names, ...this.#rows.names(record.target)] : names;
  }

  #dropWhere(query: EntryQuery, fits: (record: ResponseRecord) => boolean): Promise<number> {
    return this.#rows.dropFitting(
      () => this.#rows.responses(query),
      (row) => fits(row.record),
    );
  }

  #before(olderThan: ExpirationTime): number {
    const age: Expiration | undefined = parseExpiration(olderThan, 'olderThan');
    if (!age) return 0;
    return 'at' in age ? age.at : this.#now() - age.seconds * 1000;
  }

  #lookup(url: string): string {
    if (!URL.canParse(url)) throw optionError('url', url, 'an absolute URL');
    return keyUrl(url, this.#rules.compiled);
  }

  async #recordOf(response: object, lifetime: Expiration): Promise<ResponseRecord> {
    const { record, indexNames } = await clientBindings().recordOf(
      response,
      this.#rules.compiled,
      lifetime,
      this.#now(),
    );
    return { ...record, indexes: this.#rows.indexes(indexNames) };
  }

  /** Returns a record of another cache with the index digests of this one, as far as redacted URLs give them. */
  #adopted<T extends StoredRecord>(record: T): T {
    if (record.kind === 'variants') return record;
    const [method, urls] =
      record.kind === 'response' ? [record.request.method, [record.request.url, record.url]] : ['GET', [record.url]];
    const own = this.#rows.indexes(urlIndexNames(method, urls, this.#rules.compiled));
    // The digests of URLs with secrets can be kept only if the other cache makes the same ones.
    const same = own.every((digest) => record.indexes.includes(digest));
    return { ...record, order: 0, indexes: same ? record.indexes : own };
  }

  #removed(number: number, reason: string): number {
    if (number > 0) this.#events.emitToAll({ type: 'removed', reason, count: number });
    return number;
  }

  #present(record: ResponseRecord): CachedResponse {
    const presented = new CachedResponse(record, {
      now: this.#now,
      keep: (changed) => this.#keep(changed),
      toHeaders: (fields) => clientBindings().headersOf(fields),
      toClient: (current, data) => clientBindings().responseOf(current, data),
    });
    noteRecord(presented, record);
    return presented;
  }

  #internals(codec: EntryCodec): CacheInternals {
    return {
      stored: new StoredResponses(this.#guard, codec),
      guard: this.#guard,
      now: this.#now,
      encrypts: codec.encrypts,
      emit: (type: CacheEventType, describe, onEvent) => this.#events.emit(type, describe, onEvent),
      present: (record) => this.#present(record),
      use: (settings) => {
        if (this.#rules.compiled === PLAIN_RULES) this.#rules = settings;
        return this.#events.listen(() => settings.compiled.onEvent);
      },
    };
  }
}

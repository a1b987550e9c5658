import { optionError } from '../errors.js';
import { CachedRequest } from '../models/cached-response.js';
import type { RedirectRecord, ResponseRecord, StoredRecord } from '../models/record.js';
import type { Expiration } from '../policy/expiration.js';
import { canParseUrl } from '../policy/parse-url.js';
import { variantOf, varyNamesOfChain } from '../policy/vary.js';
import { countsInVary, type KeyRules, keyOf } from '../request/cache-key.js';
import { REDACTED } from '../request/credentials.js';
import { followedRequest } from '../request/followed-request.js';
import { groupIndexNames, tagIndexName, urlIndexName, urlIndexNames } from '../request/index-names.js';
import { keyUrl, redactHops, redactRequest, redactUrl, storedHeaders } from '../request/redaction.js';
import { requestOfRecord } from '../request/request-of-record.js';
import { selectingHops } from '../request/selecting-hops.js';
import { clientBindings } from './bindings.js';
import type { EntryRepository } from './entry-repository.js';
import type { UserOfCache } from './internals.js';

/** Rules for keys while no instance uses the cache. */
const PLAIN_RULES: KeyRules = {
  matchHeaders: false,
  ignoredParameters: new Set(),
  credentialNames: new Set(),
  credentials: 'isolate',
  keyFn: undefined,
};

/**
 * Keys and records of requests and responses that are given outside of a request: by the settings and the client's
 * defaults of the first instance that uses the cache.
 */
export class ClientRecords {
  readonly #repository: EntryRepository;
  readonly #now: () => number;
  #user: { readonly compiled: KeyRules } = { compiled: PLAIN_RULES };
  #defaults: object | undefined;

  constructor(repository: EntryRepository, now: () => number) {
    this.#repository = repository;
    this.#now = now;
  }

  get #rules(): KeyRules {
    return this.#user.compiled;
  }

  /** Takes settings and defaults from an instance, unless another one was first. */
  use(user: UserOfCache, defaults: object | undefined): void {
    if (this.#user.compiled !== PLAIN_RULES) return;
    this.#user = user;
    this.#defaults = defaults;
  }

  /** The key of the request that the client would send. */
  async keyOf(config: object): Promise<string> {
    return clientBindings().keyOf(config, this.#rules, this.#defaults);
  }

  /** The key and the URL of the request that the client would send, or of a stored request. */
  async identify(config: object): Promise<{ readonly key: string; readonly url: string }> {
    const key = await this.keyOf(config);
    if (config instanceof CachedRequest) return { key, url: config.url };
    return { key, url: (await clientBindings().requestOf(config, this.#rules, this.#defaults)).url };
  }

  /** The name of a URL in the secondary index. @throws TypeError unless it is absolute */
  indexName(url: string): string {
    if (!canParseUrl(url)) throw optionError('url', url, 'an absolute URL');
    return urlIndexName(keyUrl(url, this.#rules));
  }

  /** The record of a response of the client. */
  async recordOf(response: object, lifetime: Expiration): Promise<ResponseRecord> {
    const { encrypts } = this.#repository.codec;
    const found = await clientBindings().recordOf(response, this.#rules, lifetime, this.#now(), { encrypts });
    return { ...found.record, indexes: this.#repository.indexes(found.indexNames) };
  }

  /** A mapping from another key to a stored response, with which it becomes stale. */
  redirectTo(response: ResponseRecord, key: string, url: string): RedirectRecord {
    return {
      kind: 'redirect',
      key,
      target: response.key,
      stamp: response.stamp,
      url: redactUrl(url, this.#rules),
      receivedAt: this.#now(),
      staleAt: response.staleAt,
      indexes: this.#repository.indexes(urlIndexNames('GET', [url], this.#rules)),
      order: response.order,
    };
  }

  /**
   * A record of another cache with the index digests of this one, as far as they can be computed from redacted URLs.
   */
  adopted<T extends StoredRecord>(record: T): T {
    if (record.kind === 'variants') return record;
    const [method, urls] =
      record.kind === 'response' ? [record.request.method, [record.request.url, record.url]] : ['GET', [record.url]];
    const own = this.#repository.indexes([...urlIndexNames(method, urls, this.#rules), ...namesOf(record)]);
    // The digests of URLs with secrets can be kept only if the other cache makes the same ones.
    const same = own.every((digest) => record.indexes.includes(digest));
    return { ...record, order: 0, indexes: same ? record.indexes : own };
  }

  /** A response as the present rules would store it under another key; undefined if it keeps its key. */
  rekeyed(record: ResponseRecord): ResponseRecord | undefined {
    const rules = this.#rules;
    const request = requestOfRecord(record.request);
    const hops = selectingHops(record.request.url, record.url, record.history);
    const vary = varyNamesOfChain(record.headers, hops, countsInVary(rules));
    const key = request && keyOf(request, rules);
    if (!request || key === undefined || key === record.key || vary === '*') return undefined;
    const names = [...urlIndexNames(request.method, [request.url, record.url], rules), ...namesOf(record)];
    return {
      ...record,
      key,
      vary,
      variant: variantOf(vary, request.headers),
      url: redactUrl(record.url, rules),
      request: redactRequest(request, rules),
      history: redactHops(record.history, rules),
      headers: storedHeaders(record.headers, rules),
      // Those of URLs that are stored redacted cannot be computed again.
      indexes: [...new Set([...this.#repository.indexes(names), ...record.indexes])],
    };
  }

  /** The mapping of a redirect to a response that was moved. It keeps its own key if its request is not known. */
  rekeyedRedirect(redirect: RedirectRecord, { request: record, history, url }: ResponseRecord, moved: ResponseRecord) {
    const urls = [...history.slice(1).map((hop) => hop.url), url];
    const place = urls.indexOf(redirect.url);
    const request = redirect.url.includes(REDACTED) ? undefined : requestOfRecord(record);
    const target = { ...redirect, target: moved.key, url: redactUrl(redirect.url, this.#rules) };
    if (!request || place === -1) return target;
    const followed = followedRequest(request, redirect.url, history.slice(0, place + 1));
    return { ...target, key: keyOf(followed, this.#rules) };
  }
}

/** The names of a response's tags and cache groups in the secondary index. */
function namesOf(record: ResponseRecord | RedirectRecord): readonly string[] {
  return record.kind === 'response' ? [...record.tags.map(tagIndexName), ...groupIndexNames(record)] : [];
}

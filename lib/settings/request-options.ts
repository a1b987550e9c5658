import type { CacheRequest } from '../models/cache-request.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { ExpirationTime } from '../policy/expiration.js';
import type { KeyRules } from '../request/cache-key.js';
import type { CredentialsFunction, Duration, ExpireAfter, Invalidates, OldDataOnError, Tags } from './types.js';

/** Options of an instance that each request can override. */
export interface SharedCacheOptions {
  /**
   * The freshness lifetime of stored responses: a number of seconds, a `Date`, an HTTP-date or ISO 8601 date-time, a
   * duration as text or object, `-1` (never expires), `0` (neither read nor write), or a function of the response.
   * Default: never expires; with `cacheControl` the headers decide, else heuristics. A per-request value precedes that of
   * a URL pattern, which precedes that of the instance. Any other value throws a `TypeError`; so does `null` per request.
   * Source: requests-cache `expire_after`; RFC 9111 section 4.2.
   *
   * @example
   * setupCache(axios.create(), { expireAfter: '6m' });
   */
  expireAfter?: ExpireAfter | undefined;
  /**
   * The statuses (100 to 599) that are stored. Default: `[200]`; with `cacheControl` unset: RFC 9111 decides. Any other
   * value throws a `TypeError`. Source: requests-cache `allowable_codes`; RFC 9111 section 3.
   *
   * @example
   * setupCache(axios.create(), { allowableCodes: [200, 404] });
   */
  allowableCodes?: readonly number[] | undefined;
  /**
   * The methods that are cached, as a list or a single name. Default: GET and HEAD; with `cacheControl` GET, HEAD and
   * QUERY. Anything but method names throws a `TypeError`. Source: requests-cache `allowable_methods`; RFC 9111 section 3,
   * RFC 10008 section 2.7.
   *
   * @example
   * api.post('/search', { text: 'a' }, { allowableMethods: ['GET', 'POST'] });
   */
  allowableMethods?: string | readonly string[] | undefined;
  /**
   * The request headers that are part of the key: `true` for all, or names. Default: `false`; Vary applies in any case.
   * Anything else throws a `TypeError`. Source: requests-cache `match_headers`.
   *
   * @example
   * setupCache(axios.create(), { includeGetHeaders: ['Accept-Language'] });
   */
  includeGetHeaders?: boolean | string | readonly string[] | undefined;
  /**
   * An alias of {@link SharedCacheOptions.includeGetHeaders}. Both with different values throw a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { matchHeaders: true });
   */
  matchHeaders?: boolean | string | readonly string[] | undefined;
  /**
   * How credentials divide the cache: `'isolate'` (different credentials never share a stored response), `'ignore'`, or a
   * function from the request's config to a principal. Default: `'isolate'`. Anything else throws a `TypeError`. Source: RFC 9111 section 3.5.
   *
   * @example
   * setupCache(axios.create(), { credentials: (config) => String(config.headers['X-User']) });
   */
  credentials?: 'isolate' | 'ignore' | CredentialsFunction | undefined;
  /**
   * A function that decides whether a response is cached, sync or async. It also runs on stored responses and deletes
   * those that it refuses. Default: every response is accepted. Anything but a function throws a `TypeError`; if the
   * function throws, the request continues uncached. Source: requests-cache `filter_fn`.
   *
   * @example
   * setupCache(axios.create(), { filterFn: (response) => response.size > 0 });
   */
  filterFn?: ((response: CachedResponse) => boolean | Promise<boolean>) | undefined;
  /**
   * Serves a stored response, also an expired one, in place of a failure: `true`, the maximum staleness (a number of
   * seconds or a duration), or `{ limit, codes }`. Failures are network errors, timeouts, and statuses: 4xx and 5xx
   * except 401, 403, 407, 410 and those in `allowableCodes`; with `cacheControl` 500, 502, 503 and 504. Default: `false`.
   * Anything else throws a `TypeError`. Source: requests-cache `stale_if_error` and `old_data_on_error`; RFC 5861 section 4.
   *
   * @example
   * setupCache(axios.create(), { expireAfter: '1m', oldDataOnError: { limit: '1d', codes: [500, 503] } });
   */
  oldDataOnError?: boolean | Duration | OldDataOnError | undefined;
  /**
   * An alias of {@link SharedCacheOptions.oldDataOnError}. Both with different values throw a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { expireAfter: '1m', staleIfError: true });
   */
  staleIfError?: boolean | Duration | OldDataOnError | undefined;
  /**
   * Serves an expired response and refreshes it in the background: `true`, or the maximum staleness (a number of seconds
   * or a duration). Default: `false`. Anything else throws a `TypeError`. Source: requests-cache `stale_while_revalidate`;
   * RFC 5861 section 3.
   *
   * @example
   * setupCache(axios.create(), { expireAfter: '1m', staleWhileRevalidate: '1h' });
   */
  staleWhileRevalidate?: boolean | Duration | undefined;
  /**
   * Applies RFC 9111: the headers of request and response decide. Default: `false`. Anything but a boolean throws a
   * `TypeError`. Source: requests-cache `cache_control`; RFC 9111.
   *
   * @example
   * setupCache(axios.create(), { cacheControl: true });
   */
  cacheControl?: boolean | undefined;
  /**
   * Tags of stored responses, by which they can be found and removed: a string, up to 128 strings of 1 to 256 characters
   * (case counts), or a function of the response that returns them. Those of instance and request add up, and those of
   * requests in flight that share a response. Default: none.
   * Anything else throws a `TypeError`; if the function throws or returns anything else, the response is not stored.
   *
   * @example
   * await api.get('/users/1', { tags: ['users', 'user-1'] });
   * await api.cache.delete({ tags: 'users' });
   */
  tags?: Tags | undefined;
  /**
   * The maximum age: a stored response that was received longer ago is revalidated or fetched, in every mode. A number of
   * seconds, a duration, or a `Date` or date-time (received before that instant). Default: no limit. Anything else throws
   * a `TypeError`. Source: RFC 9111 section 5.2.1.1, without headers.
   *
   * @example
   * await api.get('/prices', { maxAge: '30s' });
   */
  maxAge?: ExpirationTime | undefined;
  /**
   * Asks the origin first: `true`, or a number of seconds or a duration after which a stored response answers while the
   * origin request continues. Failures are answered from the store as with `oldDataOnError: true`, unless that option
   * is set. Default: `false`. Anything else throws a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { networkFirst: '2s' });
   */
  networkFirst?: boolean | Duration | undefined;
  /**
   * Revalidates every stored response before it is served. Default: `false`. Anything but a boolean throws a `TypeError`.
   * Source: requests-cache `always_revalidate`; RFC 9111 section 4.3.
   *
   * @example
   * setupCache(axios.create(), { alwaysRevalidate: true });
   */
  alwaysRevalidate?: boolean | undefined;
  /**
   * Neither writes to the cache nor deletes from it. Default: `false`. Anything but a boolean throws a `TypeError`. Source: requests-cache `read_only`.
   *
   * @example
   * setupCache(axios.create(), { readOnly: true });
   */
  readOnly?: boolean | undefined;
  /**
   * Never sends a request to the origin: the response is a 504 if no usable response is stored. Default: `false`. Anything
   * but a boolean throws a `TypeError`. Source: requests-cache `only_if_cached`; RFC 9111 section 5.2.1.7.
   *
   * @example
   * const response = await api.get('/users/1', { onlyIfCached: true, validateStatus: null });
   */
  onlyIfCached?: boolean | undefined;
  /**
   * Request coalescing: identical requests in flight share one origin request. Default: `true`. Anything but a boolean
   * throws a `TypeError`.
   *
   * @example
   * await api.get('/events', { coalesce: false });
   */
  coalesce?: boolean | undefined;
  /**
   * A function that returns the key of a request, a string that is not empty. Default: `createKey`. Anything but a
   * function throws a `TypeError`; so does another result, and the request is rejected. Source: requests-cache `key_fn`.
   *
   * @example
   * setupCache(axios.create(), { keyFn: (request) => `${request.method} ${request.url}` });
   */
  keyFn?: ((request: CacheRequest, settings: KeyRules) => string) | undefined;
  /**
   * The maximum size of a stored body in bytes; a larger one passes through uncached. Default: 64 MiB; for memory an
   * eighth of its `maxSize` if that is less. Anything but a whole number of at least 0 or `Infinity` throws a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { maxBodySize: 1024 * 1024 });
   */
  maxBodySize?: number | undefined;
}

/** Options of a single request. */
export interface RequestCacheOptions extends SharedCacheOptions {
  /**
   * `false` bypasses the cache. Default: `true`. Anything but a boolean rejects with a `TypeError`.
   *
   * @example
   * await api.get('/users/1', { cache: false });
   */
  cache?: boolean | undefined;
  /**
   * Revalidates the stored response first. Default: `false`. Anything but a boolean rejects with a `TypeError`. Source: requests-cache `refresh`.
   *
   * @example
   * await api.get('/users/1', { refresh: true });
   */
  refresh?: boolean | undefined;
  /**
   * Fetches anew, without validators. Default: `false`. Anything but a boolean rejects with a `TypeError`. Source: requests-cache `force_refresh`.
   *
   * @example
   * await api.get('/users/1', { forceRefresh: true });
   */
  forceRefresh?: boolean | undefined;
  /**
   * The stored responses that are removed after a non-error answer: `true` for the URL of the request, URL patterns, or
   * `{ urls, tags }`. A pattern that starts with `/` is combined with the `baseURL` of the request. Applies in every mode
   * except `readOnly`. Default: none. Anything else rejects with a `TypeError`.
   *
   * @example
   * await api.post('/users', { name: 'new' }, { invalidates: { urls: ['/users'], tags: ['users'] } });
   */
  invalidates?: Invalidates | undefined;
}

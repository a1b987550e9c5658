import type { CacheOptions } from './types.js';

/** Names that other caches have for options of requests: axios-cache-interceptor, axios-extensions, TanStack Query. */
const RENAMED_REQUEST_NAMES: readonly (readonly [string, keyof CacheOptions])[] = [
  ['ttl', 'expireAfter'],
  ['cacheTtl', 'expireAfter'],
  ['cacheTime', 'expireAfter'],
  ['staleTime', 'expireAfter'],
  ['interpretHeader', 'cacheControl'],
  ['cachePredicate', 'filterFn'],
  ['generateKey', 'keyFn'],
  ['tag', 'tags'],
];

/** The same, and names that people guess, each with the option of a request that was probably meant. */
export const FOREIGN_REQUEST_NAMES: readonly (readonly [string, string])[] = [
  ...RENAMED_REQUEST_NAMES,
  ...['noCache', 'skipCache', 'ignoreCache', 'bypassCache', 'disableCache', 'useCache'].map(
    (name) => [name, 'cache: false'] as const,
  ),
  ['override', 'forceRefresh'],
  ['hydrate', 'staleWhileRevalidate, with response.refreshed'],
  ['etag', 'alwaysRevalidate'],
  ['modifiedSince', 'alwaysRevalidate'],
];

/** Names that other caches have for options: axios-cache-interceptor, Keyv and SQLite clients. */
const FOREIGN_NAMES: readonly (readonly [string, keyof CacheOptions])[] = [
  ...RENAMED_REQUEST_NAMES,
  ['methods', 'allowableMethods'],
  ['storage', 'backend'],
  ['store', 'backend'],
  ['filename', 'cacheName'],
  ['namespace', 'cacheName'],
  ['keyGenerator', 'keyFn'],
  ['stdTTL', 'expireAfter'],
  ['defaultTtl', 'expireAfter'],
  ['statusCodes', 'allowableCodes'],
  ['cacheableStatuses', 'allowableCodes'],
  ['dedupe', 'coalesce'],
  ['exclude', 'filterFn'],
  ['shouldCache', 'filterFn'],
];

/** Hints for options of other caches. Those of axios-cache-interceptor without a namesake have one of their own. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ...FOREIGN_NAMES.map(([name, own]) => [name, renamed(own)] as const),
  ['headerInterpreter', 'it is expireAfter here, as a function'],
  ['hydrate', 'it is staleWhileRevalidate here, with response.refreshed'],
  ['override', 'it is forceRefresh here, an option of single requests'],
  ['update', 'it is invalidates here, an option of single requests; cache.updateResponse() changes a stored body'],
  ['enabled', 'use cache: false for a request, or cacheDisabled()'],
  ['location', 'it is shared here, with cacheControl'],
  ['etag', 'validators are always used'],
  ['modifiedSince', 'validators are always used'],
  ['vary', 'Vary is always respected, and matchHeaders adds header fields'],
  ['debug', 'use onEvent or DEBUG=axios-keyv-cache'],
  ['waiting', 'identical requests share one by the option coalesce'],
  ['cacheTakeover', 'the cache adds no header fields of its own to requests'],
  ['requestInterceptor', 'setupCache adds its own interceptor'],
  ['responseInterceptor', 'setupCache adds its own interceptor'],
  ...['baseURL', 'timeout', 'headers', 'adapter', 'params', 'auth'].map(
    (name) => [name, 'it is an option of axios.create() or of a request'] as const,
  ),
  ['register', 'setupCache always attaches the cache; detachCache() removes it'],
]);

function renamed(own: keyof CacheOptions): string {
  return own === 'expireAfter' ? 'it is expireAfter here, in seconds' : `it is ${own} here`;
}

/** Returns the hint for an option that another cache has; undefined for any other name. */
export function foreignHint(name: string): string | undefined {
  return HINTS.get(name);
}

/** The modes of fetch's option `cache`. */
const FETCH_MODES: ReadonlyMap<unknown, string> = new Map([
  ['no-store', 'cache: false'],
  ['reload', 'forceRefresh: true'],
  ['no-cache', 'refresh: true'],
  ['only-if-cached', 'onlyIfCached: true'],
  ['force-cache', 'expireAfter: -1 (it never expires)'],
]);

/** Returns the hint for a mode of fetch; undefined for any other value. */
export function fetchModeHint(mode: unknown): string | undefined {
  const own = FETCH_MODES.get(mode);
  return own === undefined ? undefined : `"${String(mode)}" of fetch is ${own} here`;
}

import type { CommonBackendOptions } from '../cache/backend-options.js';
import type { DynamoDbCacheOptions } from '../cache/backends/dynamodb-cache.js';
import type { FileCacheOptions } from '../cache/backends/file-cache.js';
import type { GridFSCacheOptions } from '../cache/backends/gridfs-cache.js';
import type { MemoryCacheOptions } from '../cache/backends/memory-cache.js';
import type { MongoCacheOptions } from '../cache/backends/mongo-cache.js';
import type { RedisCacheOptions } from '../cache/backends/redis-cache.js';
import type { SqliteCacheOptions } from '../cache/backends/sqlite-cache.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { CacheEvent } from '../models/events.js';
import type { DurationLike, ExpirationTime } from '../policy/expiration.js';
import type { Credentials } from '../request/cache-key.js';
import type { Keys } from '../serializers/keys.js';
import type { Serializer } from '../serializers/serializer.js';

/** A function of the response that returns a lifetime; `undefined`: not set here. */
export type ExpirationFunction = (
  response: CachedResponse,
) => ExpirationTime | undefined | Promise<ExpirationTime | undefined>;

/** What `expireAfter` takes. */
export type ExpireAfter = ExpirationTime | ExpirationFunction;

/** URL patterns with what `expireAfter` takes; the first that matches wins. */
export type UrlsExpireAfter =
  | Readonly<Record<string, ExpireAfter>>
  | readonly (readonly [pattern: string | RegExp, expireAfter: ExpireAfter])[];

/** A length of time: seconds, a duration as text or as object. */
export type Duration = number | string | DurationLike;

/** `oldDataOnError` in full. */
export interface OldDataOnError {
  /** Longest staleness accepted. Default: any. */
  readonly limit?: Duration;
  /** Statuses that count as errors, instead of 4xx and 5xx with their exceptions. */
  readonly codes?: readonly number[];
}

/** Options of an instance that a request may also give for itself. */
export interface SharedCacheOptions {
  /**
   * How long responses stay fresh: seconds, a Date, text or an object; -1 for ever; 0 neither reads nor writes; or a
   * function of the response. Default: for ever; with `cacheControl` what headers and heuristics say.
   */
  expireAfter?: ExpireAfter | undefined;
  /** Statuses that are stored. Default: `[200]`; with `cacheControl` those that RFC 9111 allows. */
  allowableCodes?: readonly number[] | undefined;
  /** Methods that are cached. Default: `['GET', 'HEAD']`. */
  allowableMethods?: readonly string[] | undefined;
  /** Request headers in the key: all, or these. Default: none; `Vary` is always honoured. */
  includeGetHeaders?: boolean | readonly string[] | undefined;
  /** The same as {@link SharedCacheOptions.includeGetHeaders}. */
  matchHeaders?: boolean | readonly string[] | undefined;
  /**
   * How credentials take part in the key. `'isolate'` (default): requests with different credentials never share a stored
   * response. `'ignore'`: they do. A function of the request's axios config returns the principal: a string, `undefined`
   * or `''` (none), or a promise of one; anything else rejects the request with a TypeError.
   *
   * @example
   * setupCache(axios.create(), { credentials: (config) => userOf(config) });
   */
  credentials?: Credentials | undefined;
  /** Whether a response is cached; also asked for those that come from the cache, which are deleted where it refuses. */
  filterFn?: ((response: CachedResponse) => boolean | Promise<boolean>) | undefined;
  /** Serve the expired response where the origin fails: any, or up to that staleness. Default: `false`. */
  oldDataOnError?: boolean | Duration | OldDataOnError | undefined;
  /** The same as {@link SharedCacheOptions.oldDataOnError}. */
  staleIfError?: boolean | Duration | OldDataOnError | undefined;
  /** Serve the expired response and refresh it in the background: any, or up to that staleness. Default: `false`. */
  staleWhileRevalidate?: boolean | Duration | undefined;
  /** Follow RFC 9111: headers of both sides decide. Default: `false`. */
  cacheControl?: boolean | undefined;
  /** Ask the origin to confirm every stored response before it is served. Default: `false`. */
  alwaysRevalidate?: boolean | undefined;
  /** Neither write to the cache nor delete from it. Default: `false`. */
  readOnly?: boolean | undefined;
  /** Never go to the origin: 504 where nothing usable is stored. Default: `false`. */
  onlyIfCached?: boolean | undefined;
  /** Join identical requests in flight. Default: `true`. */
  coalesce?: boolean | undefined;
  /** Makes the key of a request instead of `createKey`. */
  keyFn?: ((request: CacheRequest, settings: object) => string) | undefined;
  /** Bytes; a larger body passes through uncached. Default: 64 MiB, for memory an eighth of its bound where that is less. */
  maxBodySize?: number | undefined;
}

/** Options of `setupCache`, `CachedAxios` and `installCache`. */
export type CacheOptions = InstanceOptions & BackendChoice;

interface InstanceOptions extends SharedCacheOptions {
  /** File, namespace, database, table or folder, as the backend needs. Default: `'http_cache'`. */
  cacheName?: string | undefined;
  /** What `expireAfter` takes, by URL pattern. */
  urlsExpireAfter?: UrlsExpireAfter | undefined;
  /** Names of query, body and header parameters that are left out of the key and out of the store. */
  ignoredParameters?: readonly string[] | undefined;
  /**
   * Names of headers and parameters that are credentials, beside the built-in rule (docs/security.md): they keep stored
   * responses apart and are redacted. Letter case and the separators `-`, `_` and `.` do not count. Default: none.
   *
   * @example
   * setupCache(axios.create(), { credentialNames: ['X-Device', 'pin'] });
   */
  credentialNames?: readonly string[] | undefined;
  /** Behave as a shared cache under RFC 9111. Default: `false`. */
  shared?: boolean | undefined;
  /**
   * One origin request for a key among all processes that share the store: `true`, or the seconds after which the lease of
   * a process that died is free (10). Refused for stores that can't hold one. Default: `false`.
   */
  lease?: boolean | number | undefined;
  /** Signs what is stored: 32 bytes or more, or a list of which the first signs and all verify. */
  secretKey?: Keys | undefined;
  /** Encrypts what is stored: 32 bytes or more, or a list of which the first encrypts and all decrypt. */
  encryptionKey?: Keys | undefined;
  /** How metadata is written. Default: `'json'`. */
  serializer?: Serializer | SerializerName | undefined;
  /** Told of everything that happens; what it throws is dropped. */
  onEvent?: ((event: CacheEvent) => void) | undefined;
}

/** Options of one request. */
export interface RequestCacheOptions extends SharedCacheOptions {
  /** `false` bypasses the cache for this request. */
  cache?: false | undefined;
  /** Ask the origin to confirm the stored response first. */
  refresh?: boolean | undefined;
  /** Fetch anew, whatever is stored. */
  forceRefresh?: boolean | undefined;
  /** URL patterns whose stored responses are removed after a non-error answer; `true` for the request's own URL. */
  invalidates?: true | readonly (string | RegExp)[] | undefined;
}

/** A backend, and what it takes. */
type BackendChoice =
  | {
      /** A backend's name, class or instance. Default: `'sqlite'` where `@keyv/sqlite` can be used, else `'memory'`. */
      backend?: 'sqlite' | undefined;
      /** What the backend's class takes. */
      backendOptions?: SqliteCacheOptions | undefined;
    }
  | { backend: 'redis'; backendOptions?: RedisCacheOptions | undefined }
  | { backend: 'mongodb'; backendOptions?: MongoCacheOptions | undefined }
  | { backend: 'gridfs'; backendOptions?: GridFSCacheOptions | undefined }
  | { backend: 'dynamodb'; backendOptions?: DynamoDbCacheOptions | undefined }
  | { backend: 'filesystem'; backendOptions?: FileCacheOptions | undefined }
  | { backend: 'memory'; backendOptions?: MemoryCacheOptions | undefined }
  /** A backend's class, an open cache, a Keyv, or a Keyv storage adapter. */
  | { backend: object; backendOptions?: CommonBackendOptions | undefined };

/** Serializers by name. */
export type SerializerName = 'json' | 'v8' | 'bson' | 'yaml';

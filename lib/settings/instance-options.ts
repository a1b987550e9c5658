import type { CommonBackendOptions } from '../cache/backend-options.js';
import type { DynamoDbCacheOptions } from '../cache/backends/dynamodb-cache.js';
import type { FileCacheOptions } from '../cache/backends/file-cache.js';
import type { GridFSCacheOptions } from '../cache/backends/gridfs-cache.js';
import type { MemoryCacheOptions } from '../cache/backends/memory-cache.js';
import type { MongoCacheOptions } from '../cache/backends/mongo-cache.js';
import type { RedisCacheOptions } from '../cache/backends/redis-cache.js';
import type { SqliteCacheOptions } from '../cache/backends/sqlite-cache.js';
import type { CacheEvent } from '../models/events.js';
import type { Keys } from '../serializers/keys.js';
import type { Serializer } from '../serializers/serializer.js';
import type { SharedCacheOptions } from './request-options.js';
import type { ExpireAfter, UrlsExpireAfter } from './types.js';

/** Options of `setupCache`, `CachedAxios` and `installCache`. */
export type CacheOptions = InstanceOptions & BackendChoice;

interface InstanceOptions extends Omit<SharedCacheOptions, 'expireAfter'> {
  /**
   * As {@link SharedCacheOptions.expireAfter}, a number of seconds for example; in addition `null` for "never expires"
   * (requests-cache: `None`). Default: never expires; with `cacheControl` the headers decide, else heuristics.
   *
   * @example
   * setupCache(axios.create(), { expireAfter: null });
   */
  expireAfter?: ExpireAfter | null | undefined;
  /**
   * The name of the cache. For sqlite the path of a file (`.sqlite` is added if it has no extension) and for filesystem
   * that of a folder, relative or absolute, without `..` segments; for memory any string; for other backends letters,
   * digits, `_` and `-`. Default: `'http_cache'`. Anything else throws a `TypeError`. Source: requests-cache `cache_name`.
   *
   * @example
   * setupCache(axios.create(), { cacheName: 'demo_cache' });
   */
  cacheName?: string | undefined;
  /**
   * Lifetimes by URL pattern; the first pattern that matches applies. Values as of `expireAfter`; `null` never expires,
   * `undefined` means that the instance's `expireAfter` applies. A pattern that starts with `/` is combined with the
   * `baseURL` of the instance's defaults. Default: none. A pattern with a query, a path without a `baseURL`, and any other
   * value throw a `TypeError`. Source: requests-cache `urls_expire_after`.
   *
   * @example
   * setupCache(axios.create(), { urlsExpireAfter: { '*.example.com/static': -1, 'api.example.com/users/*': '5m' } });
   */
  urlsExpireAfter?: UrlsExpireAfter | undefined;
  /**
   * Names of query, body and header parameters that are left out of the key, and redacted in the store: a string or a
   * list. Default: none. Anything else throws a `TypeError`. Source: requests-cache `ignored_parameters`.
   *
   * @example
   * setupCache(axios.create(), { ignoredParameters: ['session_id'] });
   */
  ignoredParameters?: string | readonly string[] | undefined;
  /**
   * Names of headers and parameters that are credentials, beside the built-in rule (docs/security.md): they keep stored
   * responses apart and are redacted. A string or a list; letter case and the separators `-`, `_` and `.` do not count.
   * Default: none. Anything else throws a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { credentialNames: ['X-Device', 'pin'] });
   */
  credentialNames?: string | readonly string[] | undefined;
  /**
   * Behaves as a shared cache, if `cacheControl` is on. Default: `false`. Anything but a boolean throws a `TypeError`.
   * Source: RFC 9111 section 1.
   *
   * @example
   * setupCache(axios.create(), { cacheControl: true, shared: true });
   */
  shared?: boolean | undefined;
  /**
   * Names of targeted fields in order of precedence: with `cacheControl`, the first that is present and valid replaces
   * Cache-Control and Expires. For gateways that act for the origin. Default: none. `Cache-Control`, `Expires`, and
   * anything but field names throw a `TypeError`. Source: RFC 9213.
   *
   * @example
   * setupCache(axios.create(), { cacheControl: true, shared: true, targetedFields: ['App-Cache-Control', 'CDN-Cache-Control'] });
   */
  targetedFields?: string | readonly string[] | undefined;
  /**
   * One origin request per key among all processes that share the store: `true`, or the number of seconds (above 0) after
   * which the lease of a process that ended expires; `true` means 10. Default: `false`. Anything else throws a
   * `TypeError`, and so does a store without leases.
   *
   * @example
   * setupCache(axios.create(), { backend: 'redis', lease: 30 });
   */
  lease?: boolean | number | undefined;
  /**
   * Signs stored responses: a string or bytes of at least 32 bytes, or a list of which the first signs and all verify.
   * Default: none. Anything else throws a `TypeError`, which does not show the key. Source: requests-cache's
   * `safe_pickle_serializer`; RFC 7797.
   *
   * @example
   * setupCache(axios.create(), { secretKey: process.env.CACHE_KEY });
   */
  secretKey?: Keys | undefined;
  /**
   * Encrypts stored responses: a string or bytes of at least 32 bytes, or a list of which the first encrypts and all
   * decrypt. Default: none. Anything else throws a `TypeError`, which does not show the key.
   *
   * @example
   * const keys = String(process.env.CACHE_KEYS).split(',');
   * setupCache(axios.create(), { encryptionKey: keys });
   */
  encryptionKey?: Keys | undefined;
  /**
   * The serializer of the metadata: `'json'`, `'v8'`, `'bson'`, `'yaml'`, or an object with `name`, `dumps` and `loads`.
   * Default: `'json'`. Anything else throws a `TypeError`; a `CacheError` if its package is not installed. Source: requests-cache `serializer`.
   *
   * @example
   * setupCache(axios.create(), { serializer: 'yaml', backend: 'filesystem' });
   */
  serializer?: Serializer | SerializerName | undefined;
  /**
   * A function that is called for each event. Errors that it throws, and rejections, are ignored. Default: none. Anything
   * but a function throws a `TypeError`.
   *
   * @example
   * setupCache(axios.create(), { onEvent: ({ type, url, reason }) => console.log(type, url, reason) });
   */
  onEvent?: ((event: CacheEvent) => void) | undefined;
}

/** A backend with its options. */
type BackendChoice =
  | {
      /**
       * The backend: a name, a class, an open cache, a Keyv instance, or a Keyv storage adapter. Default: `'sqlite'` if it
       * can be used, else `'memory'`. Anything else throws a `TypeError`; a `CacheError` (`ERR_CACHE_MISSING_PACKAGE`) if
       * the package of a named backend is not installed. Source: requests-cache `backend`.
       *
       * @example
       * setupCache(axios.create(), { backend: 'redis', backendOptions: { url: 'redis://localhost:6379' } });
       */
      backend?: 'sqlite' | undefined;
      /**
       * The options of the backend's class. Default: `{}`. An unknown name throws a `TypeError` with a suggestion.
       *
       * @example
       * setupCache(axios.create(), { backend: 'memory', backendOptions: { maxEntries: 1000 } });
       */
      backendOptions?: SqliteCacheOptions | undefined;
    }
  | { backend: 'redis'; backendOptions?: RedisCacheOptions | undefined }
  | { backend: 'mongodb'; backendOptions?: MongoCacheOptions | undefined }
  | { backend: 'gridfs'; backendOptions?: GridFSCacheOptions | undefined }
  | { backend: 'dynamodb'; backendOptions?: DynamoDbCacheOptions | undefined }
  | { backend: 'filesystem'; backendOptions?: FileCacheOptions | undefined }
  | { backend: 'memory'; backendOptions?: MemoryCacheOptions | undefined }
  /** A class, an open cache, a Keyv instance, or a Keyv storage adapter. */
  | { backend: object; backendOptions?: CommonBackendOptions | undefined };

/** The names of the included serializers. */
export type SerializerName = 'json' | 'v8' | 'bson' | 'yaml';

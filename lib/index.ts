export type { CacheMethods } from './axios/attachment.js';
export type { Disabling } from './axios/disabling.js';
export type { PrefetchOptions, PrefetchProgress, PrefetchRequests, PrefetchResult } from './axios/prefetch.js';
export { DynamoDbCache, type DynamoDbCacheOptions } from './cache/backends/dynamodb-cache.js';
export { FileCache, type FileCacheOptions } from './cache/backends/file-cache.js';
export { GridFSCache, type GridFSCacheOptions } from './cache/backends/gridfs-cache.js';
export { KeyvCache, type KeyvCacheOptions } from './cache/backends/keyv-cache.js';
export { MemoryCache, type MemoryCacheOptions } from './cache/backends/memory-cache.js';
export { MongoCache, type MongoCacheOptions } from './cache/backends/mongo-cache.js';
export { RedisCache, type RedisCacheOptions } from './cache/backends/redis-cache.js';
export { SqliteCache, type SqliteCacheOptions } from './cache/backends/sqlite-cache.js';
export { BaseCache } from './cache/base-cache.js';
export type { CacheStats, RemovalCount } from './cache/cache-types.js';
export type { InvalidResponse } from './cache/entry-scan.js';
export type { EventCounts, ServedTotals } from './cache/events.js';
export type { RecreatedKeys } from './cache/key-recreation.js';
export type { ContainsQuery, DeletionQuery, ResponseFilter, ResponseSelection } from './cache/queries.js';
export type { ResponseChange } from './cache/response-update.js';
export type { CacheStorage } from './cache/storage-view.js';
export { type CachingAdapter, cachingAdapter } from './cached-adapter.js';
export { CachedAxios, CacheMixin, type WithCache } from './cached-axios.js';
export type { CachedAxiosResponse, CachedCalls, CachedQuery, CachedVerbs, ResponseExtras } from './conversion/types.js';
export { CacheError, type CacheErrorCode, UnsupportedOperationError } from './errors.js';
export type { CacheRequest } from './models/cache-request.js';
export { CachedRequest, CachedResponse } from './models/cached-response.js';
export type { BreakerState, CacheEvent, CacheEventType } from './models/events.js';
export type { Hop } from './models/record.js';
export {
  clear,
  disabled,
  enabled,
  getCache,
  type InstallOptions,
  installCache,
  isInstalled,
  removeExpiredResponses,
  uninstallCache,
} from './patcher.js';
export {
  type DateText,
  DO_NOT_CACHE,
  type DurationLike,
  type DurationText,
  type ExpirationTime,
  NEVER_EXPIRE,
} from './policy/expiration.js';
export { type Credentials, createKey, type KeyRules } from './request/cache-key.js';
export {
  CREDENTIAL_HEADER_WORDS,
  CREDENTIAL_PARAMETERS,
  POSSIBLE_CREDENTIAL_PARAMETERS,
} from './request/credential-names.js';
export { normalizeUrl } from './request/normalize-url.js';
export type { Key, Keys } from './serializers/keys.js';
export { SerializerPipeline } from './serializers/pipeline.js';
export type { Serializer } from './serializers/serializer.js';
export { brotliStage, gzipStage, type Stage, utf8Stage } from './serializers/stages.js';
export { toExpirationDate } from './settings/expiration-date.js';
export type { CacheSettings } from './settings/instance.js';
export type {
  CacheOptions,
  CredentialsFunction,
  Duration,
  ExpirationFunction,
  ExpireAfter,
  Invalidates,
  OldDataOnError,
  RequestCacheOptions,
  Tags,
  TagsFunction,
  UrlPatterns,
  UrlsExpireAfter,
} from './settings/types.js';
export { urlMatch } from './settings/url-match.js';
export { type CachedAxiosInstance, setupCache } from './setup-cache.js';
export { NodeSqliteAdapter, type NodeSqliteAdapterOptions } from './stores/sqlite/node-sqlite-adapter.js';

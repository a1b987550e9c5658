import { optionError, similarName } from '../errors.js';
import { isAdapter, isKeyv } from '../stores/keyv/index.js';
import { missingDriver } from '../stores/sqlite/choose-driver.js';
import type { BackendClock } from './backend-options.js';
import { DefaultCache, warnOfMemory } from './backends/default-cache.js';
import { DynamoDbCache } from './backends/dynamodb-cache.js';
import { FileCache } from './backends/file-cache.js';
import { GridFSCache } from './backends/gridfs-cache.js';
import { KeyvCache, type KeyvCacheOptions } from './backends/keyv-cache.js';
import { MemoryCache } from './backends/memory-cache.js';
import { MongoCache } from './backends/mongo-cache.js';
import { RedisCache } from './backends/redis-cache.js';
import { SqliteCache } from './backends/sqlite-cache.js';
import { BaseCache } from './base-cache.js';

/** The options of an instance that concern the store. */
export interface OpenOptions {
  readonly backend?: unknown;
  readonly backendOptions?: object | undefined;
  readonly cacheName?: string | undefined;
  readonly serializer?: unknown;
  readonly secretKey?: unknown;
  readonly encryptionKey?: unknown;
}

type CacheClass = new (options: object, clock: BackendClock) => BaseCache;

const BACKENDS: Readonly<Record<string, CacheClass>> = {
  sqlite: SqliteCache,
  redis: RedisCache,
  mongodb: MongoCache,
  gridfs: GridFSCache,
  dynamodb: DynamoDbCache,
  filesystem: FileCache,
  memory: MemoryCache,
};
/** Options that an open cache has settled already. */
const SETTLED = ['backendOptions', 'cacheName', 'serializer', 'secretKey', 'encryptionKey'] as const;

/**
 * Returns the cache that the options describe, or contain.
 *
 * @returns the cache, and whether it was opened here, so that the caller must close it
 * @throws TypeError for a wrong option; CacheError `ERR_CACHE_MISSING_PACKAGE` if the package of the named backend is
 *   not installed
 */
export function openCache(
  options: OpenOptions,
  clock: BackendClock,
): { readonly cache: BaseCache; readonly owned: boolean } {
  const { backend } = options;
  if (backend instanceof BaseCache) {
    const beside = SETTLED.find((name) => Object.hasOwn(options, name) && options[name] !== undefined);
    if (beside !== undefined) {
      throw new TypeError(`${beside}: not accepted beside a backend that is open already, which has its own`);
    }
    return { cache: backend, owned: false };
  }
  const { backendOptions, backend: _, ...given } = options;
  const settled = { ...backendOptions, ...given };
  if (isKeyv(backend) || isAdapter(backend))
    return { cache: new KeyvCache(backend, settled as KeyvCacheOptions, clock), owned: true };
  return { cache: new (classFor(backend))(settled, clock), owned: true };
}

function classFor(backend: unknown): CacheClass {
  if (backend === undefined) return defaultClass();
  if (typeof backend === 'string' && Object.hasOwn(BACKENDS, backend)) return BACKENDS[backend] as CacheClass;
  if (typeof backend === 'function' && backend.prototype instanceof BaseCache) return backend as CacheClass;
  const names = Object.keys(BACKENDS).map((name) => `"${name}"`);
  const accepted = `${names.join(', ')}, a backend class, an open cache, a Keyv or a Keyv storage adapter`;
  const hint = typeof backend === 'string' ? backendHint(backend) : undefined;
  throw optionError('backend', backend, hint === undefined ? accepted : `${accepted}; ${hint}`);
}

/** Other names of backends. */
const OTHER_NAMES: Readonly<Record<string, keyof typeof BACKENDS>> = {
  sqlite3: 'sqlite',
  mongo: 'mongodb',
  dynamo: 'dynamodb',
  file: 'filesystem',
  files: 'filesystem',
  fs: 'filesystem',
  disk: 'filesystem',
  mem: 'memory',
  ram: 'memory',
};

/** Returns a hint for text that is no name of a backend; undefined if none is similar. */
function backendHint(text: string): string | undefined {
  const [, scheme] = /^(redis|mongodb)[+\w]*:/i.exec(text) ?? [];
  if (scheme !== undefined) return `for a URL, backend: "${scheme}" and backendOptions: { url: ... }`;
  const plain = text.toLowerCase();
  const meant = Object.hasOwn(OTHER_NAMES, plain) ? OTHER_NAMES[plain] : similarName(plain, Object.keys(BACKENDS));
  if (meant !== undefined) return `did you mean "${meant}"?`;
  if (/^(?:postgres|mysql|maria|memcache|valkey|etcd)/.test(plain))
    return 'other stores by a Keyv storage adapter, such as new KeyvPostgres(url) of @keyv/postgres';
  return undefined;
}

function defaultClass(): CacheClass {
  const missing = missingDriver(undefined);
  if (!missing) return DefaultCache;
  warnOfMemory(missing.message);
  return MemoryCache;
}

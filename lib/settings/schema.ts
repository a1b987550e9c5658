import { describe, optionError } from '../errors.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { CacheEvent } from '../models/events.js';
import type { Rules } from '../policy/rules.js';
import type { KeyRules } from '../request/cache-key.js';
import {
  type ExpirationRule,
  type InvalidationRules,
  isRecord,
  NO_TAGS,
  type PatternContext,
  readBoolean,
  readBytes,
  readCache,
  readCodes,
  readCredentialNames,
  readCredentials,
  readDefaultExpireAfter,
  readExpireAfter,
  readFunction,
  readInvalidates,
  readLease,
  readMatchHeaders,
  readMethods,
  readNames,
  readNetworkFirst,
  readOldDataOnError,
  readStaleWhileRevalidate,
  readTags,
  readTargetedFields,
  readTime,
  readUrlsExpireAfter,
  type TagRules,
  type UrlExpiration,
} from './parse.js';
import type { CacheOptions, RequestCacheOptions, SharedCacheOptions } from './types.js';

/**
 * The settings of one request in compiled form: those of the instance, overridden by those of the request. Frozen. If the
 * request sets none it is the instance's own object, so that a hit compiles nothing.
 */
export interface CallSettings extends Rules, KeyRules {
  /** The request's own `expireAfter`. */
  readonly requestExpireAfter: ExpirationRule | undefined;
  readonly urlsExpireAfter: readonly UrlExpiration[];
  /** The instance's `expireAfter`. Undefined if it is not set: the response never expires, or RFC 9111 decides. */
  readonly expireAfter: ExpirationRule | undefined;
  readonly filterFn: ((response: CachedResponse) => boolean | Promise<boolean>) | undefined;
  /** Those of instance and request together. */
  readonly tags: TagRules;
  readonly coalesce: boolean;
  /** Seconds until a lease expires that is not renewed; 0 for none. */
  readonly lease: number;
  /** Bytes. */
  readonly maxBodySize: number;
  readonly onEvent: ((event: CacheEvent) => void) | undefined;
  /** False for `cache: false`. Only per request. */
  readonly enabled: boolean;
  /** Only per request. */
  readonly invalidates: InvalidationRules | undefined;
}

/** Options of the store, which are fixed when it is opened. */
export const STORE_OPTIONS = [
  'cacheName',
  'backend',
  'backendOptions',
  'serializer',
  'secretKey',
  'encryptionKey',
] as const;
export type StoreOption = (typeof STORE_OPTIONS)[number];

/**
 * The settings of an instance, as `instance.cacheSettings`; every write is validated (requests-cache:
 * `session.settings`).
 *
 * @example
 * api.cacheSettings.expireAfter = '1h';
 */
export type CacheSettings = { -readonly [Name in Exclude<keyof CacheOptions, StoreOption>]: CacheOptions[Name] };
export type SettingName = keyof CacheSettings;

type Reader = (value: unknown, option: string, context: PatternContext) => Partial<CallSettings>;

/** The parsers of the options that instances and requests accept. */
const SHARED_READERS: { readonly [Name in keyof Required<SharedCacheOptions>]: Reader } = {
  expireAfter: (value, option) => ({ expireAfter: readDefaultExpireAfter(value, option) }),
  allowableCodes: (value, option) => ({ allowableCodes: readCodes(value, option) }),
  allowableMethods: (value, option) => ({ allowableMethods: readMethods(value, option) }),
  includeGetHeaders: (value, option) => ({ matchHeaders: readMatchHeaders(value, option) }),
  matchHeaders: (value, option) => ({ matchHeaders: readMatchHeaders(value, option) }),
  credentials: (value, option) => ({ credentials: readCredentials(value, option) }),
  filterFn: (value, option) => ({ filterFn: readFunction(value, option) }),
  oldDataOnError: (value, option) => ({ staleIfError: readOldDataOnError(value, option) }),
  staleIfError: (value, option) => ({ staleIfError: readOldDataOnError(value, option) }),
  staleWhileRevalidate: (value, option) => ({ staleWhileRevalidate: readStaleWhileRevalidate(value, option) }),
  cacheControl: (value, option) => ({ cacheControl: readBoolean(value, option) }),
  tags: (value, option) => ({ tags: readTags(value, option) }),
  maxAge: (value, option) => ({ maxAge: readTime(value, option) }),
  networkFirst: (value, option) => ({ networkFirst: readNetworkFirst(value, option) }),
  alwaysRevalidate: (value, option) => ({ alwaysRevalidate: readBoolean(value, option) }),
  readOnly: (value, option) => ({ readOnly: readBoolean(value, option) }),
  onlyIfCached: (value, option) => ({ onlyIfCached: readBoolean(value, option) }),
  coalesce: (value, option) => ({ coalesce: readBoolean(value, option) }),
  keyFn: (value, option) => ({ keyFn: readFunction(value, option) }),
  maxBodySize: (value, option) => ({ maxBodySize: readBytes(value, option) }),
};

export const INSTANCE_READERS: { readonly [Name in SettingName]-?: Reader } = {
  ...SHARED_READERS,
  urlsExpireAfter: (value, option, context) => ({ urlsExpireAfter: readUrlsExpireAfter(value, option, context) }),
  ignoredParameters: (value, option) => ({ ignoredParameters: readNames(value, option) }),
  credentialNames: (value, option) => ({ credentialNames: readCredentialNames(value, option) }),
  shared: (value, option) => ({ shared: readBoolean(value, option) }),
  targetedFields: (value, option) => ({ targetedFields: readTargetedFields(value, option) }),
  lease: (value, option) => ({ lease: readLease(value, option) }),
  onEvent: (value, option) => ({ onEvent: readFunction(value, option) }),
};

export const REQUEST_READERS: { readonly [Name in keyof Required<RequestCacheOptions>]: Reader } = {
  ...SHARED_READERS,
  expireAfter: (value, option) => ({ requestExpireAfter: readExpireAfter(value, option) }),
  cache: (value, option) => ({ enabled: readCache(value, option) }),
  refresh: (value, option) => ({ refresh: readBoolean(value, option) }),
  forceRefresh: (value, option) => ({ forceRefresh: readBoolean(value, option) }),
  invalidates: (value, option, context) => ({ invalidates: readInvalidates(value, option, context) }),
};

/** Options with an alias; both may be set if their values are equal. */
export const ALIASES: readonly (readonly [SettingName, SettingName])[] = [
  ['includeGetHeaders', 'matchHeaders'],
  ['oldDataOnError', 'staleIfError'],
];

/** 64 MiB. */
export const DEFAULT_MAX_BODY_SIZE = 64 * 1024 * 1024;

/** Undefined members have a default that depends on `cacheControl`: the rules of HTTP apply it. */
export const DEFAULTS: CallSettings = {
  requestExpireAfter: undefined,
  urlsExpireAfter: [],
  expireAfter: undefined,
  allowableCodes: undefined,
  allowableMethods: undefined,
  matchHeaders: false,
  ignoredParameters: new Set(),
  credentialNames: new Set(),
  credentials: 'isolate',
  keyFn: undefined,
  filterFn: undefined,
  staleIfError: undefined,
  staleWhileRevalidate: 0,
  cacheControl: false,
  shared: false,
  targetedFields: [],
  tags: NO_TAGS,
  maxAge: undefined,
  networkFirst: undefined,
  alwaysRevalidate: false,
  readOnly: false,
  onlyIfCached: false,
  coalesce: true,
  lease: 0,
  maxBodySize: DEFAULT_MAX_BODY_SIZE,
  onEvent: undefined,
  enabled: true,
  refresh: false,
  forceRefresh: false,
  invalidates: undefined,
};

export const SETTING_NAMES = Object.keys(INSTANCE_READERS) as SettingName[];
export const REQUEST_NAMES = Object.keys(REQUEST_READERS) as (keyof RequestCacheOptions)[];
export const OPTION_NAMES: readonly string[] = [...STORE_OPTIONS, ...SETTING_NAMES];

/** Options of an instance that requests must not set. */
export const INSTANCE_ONLY = OPTION_NAMES.filter((name) => !Object.hasOwn(REQUEST_READERS, name));

/** @throws TypeError for an option and its alias with different values */
export function refuseDisagreement(given: Readonly<Record<string, unknown>>): void {
  for (const [name, alias] of ALIASES) {
    const [a, b] = [name, alias].map((one) => (Object.hasOwn(given, one) ? given[one] : undefined));
    if (a === undefined || b === undefined || isEqual(compiled(name, a), compiled(alias, b))) continue;
    throw optionError(name, a, `the same value as its alias ${alias} (${describe(b)}), or only one of them`);
  }
}

/** Values are compared in compiled form: `'Accept'` and `['accept']` are equal. */
function compiled(name: SettingName, value: unknown): unknown {
  return Object.values(INSTANCE_READERS[name](value, name, {}))[0];
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Set && b instanceof Set) return isEqual([...a].sort(), [...b].sort());
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isEqual(a[name], b[name]));
}

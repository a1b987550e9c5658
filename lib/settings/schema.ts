import { describe, optionError } from '../errors.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { CacheEvent } from '../models/events.js';
import type { Rules } from '../policy/rules.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import type { KeyRules } from '../request/cache-key.js';
import {
  type ExpirationRule,
  readBoolean,
  readBytes,
  readCodes,
  readCredentialNames,
  readCredentials,
  readExpireAfter,
  readFunction,
  readInvalidates,
  readLease,
  readMatchHeaders,
  readMethods,
  readNames,
  readOldDataOnError,
  readStaleWhileRevalidate,
  readUrlsExpireAfter,
} from './parse.js';
import type { CacheOptions, RequestCacheOptions, SharedCacheOptions } from './types.js';

/**
 * The settings of one call in compiled form: the instance's, with those given by the request over them. Frozen; where a
 * request gives none it is the instance's own object, so that a hit does not pay for them.
 */
export interface CallSettings extends Rules, KeyRules {
  /** Given by the request itself: highest precedence but headers. */
  readonly requestExpireAfter: ExpirationRule | undefined;
  readonly urlsExpireAfter: readonly (readonly [UrlMatcher, ExpirationRule])[];
  /** The instance's. Undefined where headers and heuristics are to decide. */
  readonly expireAfter: ExpirationRule | undefined;
  readonly filterFn: ((response: CachedResponse) => boolean | Promise<boolean>) | undefined;
  readonly coalesce: boolean;
  /** Seconds that a lease lasts without being renewed; 0 for none. */
  readonly lease: number;
  /** Bytes. */
  readonly maxBodySize: number;
  readonly onEvent: ((event: CacheEvent) => void) | undefined;
  /** False for `cache: false`. Only per request. */
  readonly enabled: boolean;
  /** Only per request. */
  readonly invalidates: true | readonly UrlMatcher[] | undefined;
}

/** Options that belong to the store and are settled when it is opened. */
export const STORE_OPTIONS = [
  'cacheName',
  'backend',
  'backendOptions',
  'serializer',
  'secretKey',
  'encryptionKey',
] as const;
export type StoreOption = (typeof STORE_OPTIONS)[number];

/** An instance's settings; every write is validated (requests-cache: `session.settings`). */
export type CacheSettings = { -readonly [Name in Exclude<keyof CacheOptions, StoreOption>]: CacheOptions[Name] };
export type SettingName = keyof CacheSettings;

type Reader = (value: unknown, option: string) => Partial<CallSettings>;

/** What each option of an instance becomes. Those of {@link SharedCacheOptions} may be given per request too. */
const SHARED_READERS: { readonly [Name in keyof Required<SharedCacheOptions>]: Reader } = {
  expireAfter: (value, option) => ({ expireAfter: readExpireAfter(value, option) }),
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
  alwaysRevalidate: (value, option) => ({ alwaysRevalidate: readBoolean(value, option) }),
  readOnly: (value, option) => ({ readOnly: readBoolean(value, option) }),
  onlyIfCached: (value, option) => ({ onlyIfCached: readBoolean(value, option) }),
  coalesce: (value, option) => ({ coalesce: readBoolean(value, option) }),
  keyFn: (value, option) => ({ keyFn: readFunction(value, option) }),
  maxBodySize: (value, option) => ({ maxBodySize: readBytes(value, option) }),
};

export const INSTANCE_READERS: { readonly [Name in SettingName]-?: Reader } = {
  ...SHARED_READERS,
  urlsExpireAfter: (value, option) => ({ urlsExpireAfter: readUrlsExpireAfter(value, option) }),
  ignoredParameters: (value, option) => ({ ignoredParameters: readNames(value, option) }),
  credentialNames: (value, option) => ({ credentialNames: readCredentialNames(value, option) }),
  shared: (value, option) => ({ shared: readBoolean(value, option) }),
  lease: (value, option) => ({ lease: readLease(value, option) }),
  onEvent: (value, option) => ({ onEvent: readFunction(value, option) }),
};

export const REQUEST_READERS: { readonly [Name in keyof Required<RequestCacheOptions>]: Reader } = {
  ...SHARED_READERS,
  expireAfter: (value, option) => ({ requestExpireAfter: readExpireAfter(value, option) }),
  cache: (value, option) => {
    if (typeof value !== 'boolean') throw optionError(option, value, 'false, to bypass the cache');
    return { enabled: value };
  },
  refresh: (value, option) => ({ refresh: readBoolean(value, option) }),
  forceRefresh: (value, option) => ({ forceRefresh: readBoolean(value, option) }),
  invalidates: (value, option) => ({ invalidates: readInvalidates(value, option) }),
};

/** Options and their other names; both may be given where they agree. */
export const ALIASES: readonly (readonly [SettingName, SettingName])[] = [
  ['includeGetHeaders', 'matchHeaders'],
  ['oldDataOnError', 'staleIfError'],
];

/** 64 MiB. */
export const DEFAULT_MAX_BODY_SIZE = 64 * 1024 * 1024;

export const DEFAULTS: CallSettings = {
  requestExpireAfter: undefined,
  urlsExpireAfter: [],
  expireAfter: { seconds: Number.POSITIVE_INFINITY },
  allowableCodes: new Set([200]),
  allowableMethods: new Set(['GET', 'HEAD']),
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

/** Not to be given per request, and not to be taken for an option of axios's. */
export const INSTANCE_ONLY = OPTION_NAMES.filter((name) => !Object.hasOwn(REQUEST_READERS, name));

/** @throws TypeError for an option and its alias with different values */
export function refuseDisagreement(given: Readonly<Record<string, unknown>>): void {
  for (const [name, alias] of ALIASES) {
    const [a, b] = [name, alias].map((one) => (Object.hasOwn(given, one) ? given[one] : undefined));
    if (a === undefined || b === undefined || describe(a) === describe(b)) continue;
    throw optionError(name, a, `the same as its alias ${alias} (${describe(b)}), or only one of them`);
  }
}

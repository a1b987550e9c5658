import type { KeyRules } from './cache-key.js';
import { CacheError, describe, describeOption, optionError } from './errors.js';
import type { CachedResponse } from './models/cached-response.js';
import type { CacheEvent } from './models/events.js';
import {
  type ExpirationRule,
  readBoolean,
  readBytes,
  readCodes,
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
} from './option-values.js';
import type { CacheOptions, RequestCacheOptions, SharedCacheOptions } from './options.js';
import type { Rules } from './policy/rules.js';
import type { UrlMatcher } from './policy/url-pattern.js';
import type { Store } from './stores/store.js';

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
const STORE_OPTIONS = ['cacheName', 'backend', 'backendOptions', 'serializer', 'secretKey', 'encryptionKey'] as const;
type StoreOption = (typeof STORE_OPTIONS)[number];

/** An instance's settings; every write is validated (requests-cache: `session.settings`). */
export type CacheSettings = { -readonly [Name in Exclude<keyof CacheOptions, StoreOption>]: CacheOptions[Name] };
type SettingName = keyof CacheSettings;

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

const INSTANCE_READERS: { readonly [Name in SettingName]-?: Reader } = {
  ...SHARED_READERS,
  urlsExpireAfter: (value, option) => ({ urlsExpireAfter: readUrlsExpireAfter(value, option) }),
  ignoredParameters: (value, option) => ({ ignoredParameters: readNames(value, option) }),
  shared: (value, option) => ({ shared: readBoolean(value, option) }),
  lease: (value, option) => ({ lease: readLease(value, option) }),
  onEvent: (value, option) => ({ onEvent: readFunction(value, option) }),
};

const REQUEST_READERS: { readonly [Name in keyof Required<RequestCacheOptions>]: Reader } = {
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
const ALIASES: readonly (readonly [SettingName, SettingName])[] = [
  ['includeGetHeaders', 'matchHeaders'],
  ['oldDataOnError', 'staleIfError'],
];

/** 64 MiB. */
export const DEFAULT_MAX_BODY_SIZE = 64 * 1024 * 1024;

const DEFAULTS: CallSettings = {
  requestExpireAfter: undefined,
  urlsExpireAfter: [],
  expireAfter: { seconds: Number.POSITIVE_INFINITY },
  allowableCodes: new Set([200]),
  allowableMethods: new Set(['GET', 'HEAD']),
  matchHeaders: false,
  ignoredParameters: new Set(),
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

/** What users read where they set nothing. */
const SHOWN_DEFAULTS: { readonly [Name in SettingName]?: CacheSettings[Name] } = {
  expireAfter: -1,
  allowableCodes: Object.freeze([200]),
  allowableMethods: Object.freeze(['GET', 'HEAD']),
  includeGetHeaders: false,
  matchHeaders: false,
  credentials: 'isolate',
  oldDataOnError: false,
  staleIfError: false,
  staleWhileRevalidate: false,
  cacheControl: false,
  shared: false,
  alwaysRevalidate: false,
  readOnly: false,
  onlyIfCached: false,
  coalesce: true,
  lease: false,
};

const SETTING_NAMES = Object.keys(INSTANCE_READERS) as SettingName[];
const REQUEST_NAMES = Object.keys(REQUEST_READERS) as (keyof RequestCacheOptions)[];
const OPTION_NAMES: readonly string[] = [...STORE_OPTIONS, ...SETTING_NAMES];

/** The options that concern the store. */
export function storeOptions(options: CacheOptions): Pick<CacheOptions, StoreOption> {
  return Object.fromEntries(
    STORE_OPTIONS.flatMap((name) => (Object.hasOwn(options, name) ? [[name, options[name]]] : [])),
  );
}

/** The options that may stand beside a cache that is open already. */
export function withoutStoreOptions(options: CacheOptions): CacheOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !(STORE_OPTIONS as readonly string[]).includes(name)),
  );
}

/** Not to be given per request, and not to be taken for an option of axios's. */
const INSTANCE_ONLY = OPTION_NAMES.filter((name) => !Object.hasOwn(REQUEST_READERS, name));

/**
 * The settings behind an instance: what was given, validated and copied, and its compiled form.
 *
 * @throws TypeError for an unknown or wrong option, which it names
 */
export class InstanceSettings {
  /** What users see and write: `instance.cacheSettings`. */
  readonly view: CacheSettings;
  #given: Partial<Record<SettingName, unknown>>;
  #compiled: CallSettings;
  #defaultBodySize: number;
  #store: Store | undefined;

  constructor(options: object, maxBodySize: number = DEFAULT_MAX_BODY_SIZE) {
    this.#defaultBodySize = maxBodySize;
    this.#given = copied(ownOptions(options));
    this.#compiled = this.#compile(this.#given);
    this.view = this.#createView();
  }

  get compiled(): CallSettings {
    return this.#compiled;
  }

  /**
   * Told of the store behind the instance's cache: it may suggest a lower default of `maxBodySize`, and may not hold leases.
   *
   * @throws TypeError for a lease that it can't hold
   */
  useStore(store: Store): void {
    this.#store = store;
    this.#defaultBodySize = Math.min(this.#defaultBodySize, store.suggestedBodySize ?? Number.POSITIVE_INFINITY);
    this.#compiled = this.#compile(this.#given);
  }

  /** For a child instance: the same values, apart from then on. */
  copy(): InstanceSettings {
    return new InstanceSettings(this.#given, this.#defaultBodySize);
  }

  #compile(given: Partial<Record<SettingName, unknown>>): CallSettings {
    refuseDisagreement(given);
    const settings = { ...DEFAULTS, maxBodySize: this.#defaultBodySize };
    for (const name of SETTING_NAMES) {
      if (given[name] !== undefined) Object.assign(settings, INSTANCE_READERS[name](given[name], name));
    }
    if (settings.lease > 0 && this.#store && !this.#store.claim) {
      const accepted = `false: the backend ${this.#store.name} can't hold one`;
      throw optionError('lease', given.lease, accepted);
    }
    return Object.freeze(settings.cacheControl ? withProtocolDefaults(settings, given) : settings);
  }

  #createView(): CacheSettings {
    const view = {} as CacheSettings;
    for (const name of SETTING_NAMES) {
      Object.defineProperty(view, name, {
        enumerable: true,
        get: () => this.#given[name] ?? this.#shownDefault(name),
        set: (value: unknown) => this.#write(name, value),
      });
    }
    for (const name of STORE_OPTIONS) {
      Object.defineProperty(view, name, {
        set: () => {
          throw new CacheError('ERR_CACHE_STATE', `cacheSettings.${name} cannot change once the cache is open`);
        },
      });
    }
    return Object.preventExtensions(view);
  }

  #shownDefault(name: SettingName): unknown {
    const alias = ALIASES.flatMap(([a, b]) => (a === name ? [b] : b === name ? [a] : []))[0];
    if (alias !== undefined && this.#given[alias] !== undefined) return this.#given[alias];
    if (name === 'maxBodySize') return this.#defaultBodySize;
    if (this.#compiled.cacheControl && (name === 'expireAfter' || name === 'allowableCodes')) return undefined;
    return SHOWN_DEFAULTS[name];
  }

  #write(name: SettingName, value: unknown): void {
    const given = copied({ ...this.#given, [name]: value });
    for (const pair of ALIASES) {
      if (!pair.includes(name)) continue;
      for (const alias of pair) given[alias] = given[name];
    }
    this.#compiled = this.#compile(given);
    this.#given = given;
  }
}

/** With `cacheControl`, RFC 9111 decides where nothing is set. */
function withProtocolDefaults(settings: CallSettings, given: Partial<Record<SettingName, unknown>>): CallSettings {
  return {
    ...settings,
    expireAfter: given.expireAfter === undefined ? undefined : settings.expireAfter,
    allowableCodes: given.allowableCodes === undefined ? undefined : settings.allowableCodes,
  };
}

/**
 * The settings of one call.
 *
 * @param config the request's axios config; only its own properties are looked at
 * @throws TypeError for a wrong option, or one that a request may not give
 */
export function callSettings(compiled: CallSettings, config: object): CallSettings {
  const given = config as Readonly<Record<string, unknown>>;
  for (const name of INSTANCE_ONLY) {
    if (given[name] !== undefined && Object.hasOwn(given, name)) throw notPerRequest(name, given[name]);
  }
  let changed: CallSettings | undefined;
  for (const name of REQUEST_NAMES) {
    const value = given[name];
    if (value === undefined || !Object.hasOwn(given, name)) continue;
    if (!changed) refuseDisagreement(given);
    changed = { ...(changed ?? compiled), ...REQUEST_READERS[name](value, name) };
  }
  return changed ? Object.freeze(changed) : compiled;
}

function notPerRequest(name: string, value: unknown): TypeError {
  return new TypeError(
    `${name}: ${describeOption(name, value)} is not accepted per request; expected among the options of setupCache`,
  );
}

/**
 * Refuses options of ours in axios's defaults, which axios would merge with those of a request.
 *
 * @param where for the message: `create()`, `axios.defaults` ...
 */
export function refuseCacheOptions(defaults: object, where: string): void {
  const own = new Set([...OPTION_NAMES, ...REQUEST_NAMES]);
  const found = Object.keys(defaults).find((name) => own.has(name));
  if (found === undefined) return;
  throw new TypeError(
    `${found}: not accepted in ${where}; expected among the options of setupCache, in cacheSettings or per request`,
  );
}

/**
 * The own properties of what a user gave as options.
 *
 * @throws TypeError for anything but an object, and for unknown names
 */
function ownOptions(options: unknown): Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw optionError('options', options, 'an object');
  }
  for (const [name, value] of Object.entries(options)) {
    if (OPTION_NAMES.includes(name)) continue;
    const perRequest = Object.hasOwn(REQUEST_READERS, name) ? '; it is an option of single requests' : '';
    throw new TypeError(
      `${name}: ${describeOption(name, value)} is not accepted, there is no such option${perRequest}; expected one of ${OPTION_NAMES.join(', ')}`,
    );
  }
  return { ...options };
}

/** Copies of what could be changed behind our back, frozen. */
function copied(given: Record<string, unknown>): Partial<Record<SettingName, unknown>> {
  const copies: Partial<Record<SettingName, unknown>> = Object.create(null);
  for (const name of SETTING_NAMES) {
    if (Object.hasOwn(given, name) && given[name] !== undefined) copies[name] = frozenCopy(given[name]);
  }
  return copies;
}

function frozenCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (value instanceof Date) return new Date(value);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])));
}

function refuseDisagreement(given: Readonly<Record<string, unknown>>): void {
  for (const [name, alias] of ALIASES) {
    const [a, b] = [name, alias].map((one) => (Object.hasOwn(given, one) ? given[one] : undefined));
    if (a === undefined || b === undefined || describe(a) === describe(b)) continue;
    throw optionError(name, a, `the same as its alias ${alias} (${describe(b)}), or only one of them`);
  }
}

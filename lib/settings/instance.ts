import { CacheError, describeOption, optionError } from '../errors.js';
import type { Store } from '../stores/store.js';
import {
  ALIASES,
  type CacheSettings,
  type CallSettings,
  DEFAULT_MAX_BODY_SIZE,
  DEFAULTS,
  INSTANCE_ONLY,
  INSTANCE_READERS,
  OPTION_NAMES,
  REQUEST_NAMES,
  REQUEST_READERS,
  refuseDisagreement,
  SETTING_NAMES,
  type SettingName,
  STORE_OPTIONS,
  type StoreOption,
} from './schema.js';
import type { CacheOptions } from './types.js';

export type { CacheSettings, CallSettings };

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
    if (settings.lease > 0 && this.#store && !this.#store.acquireLease) {
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

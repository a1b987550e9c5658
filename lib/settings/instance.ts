import { CacheError, describeOption, optionError } from '../errors.js';
import { INSPECT, type InspectArguments, inspected } from '../platform/inspect.js';
import type { Store } from '../stores/store.js';
import { copied, type Given, ownOptions } from './given-options.js';
import { addTags } from './parse.js';
import {
  ALIASES,
  type CacheSettings,
  type CallSettings,
  DEFAULT_MAX_BODY_SIZE,
  DEFAULTS,
  INSTANCE_ONLY,
  INSTANCE_READERS,
  REQUEST_NAMES,
  REQUEST_READERS,
  refuseDisagreement,
  SETTING_NAMES,
  type SettingName,
  STORE_OPTIONS,
} from './schema.js';
import { checkNames } from './unknown-names.js';

export type { CacheSettings, CallSettings };

/** The defaults as users read them. */
const SHOWN_DEFAULTS: { readonly [Name in SettingName]?: CacheSettings[Name] } = {
  includeGetHeaders: false,
  matchHeaders: false,
  credentials: 'isolate',
  oldDataOnError: false,
  staleIfError: false,
  staleWhileRevalidate: false,
  cacheControl: false,
  networkFirst: false,
  shared: false,
  alwaysRevalidate: false,
  readOnly: false,
  onlyIfCached: false,
  coalesce: true,
  lease: false,
};

/** Defaults that do not apply with `cacheControl`: RFC 9111 decides. */
const SHOWN_WITHOUT_PROTOCOL: { readonly [Name in SettingName]?: CacheSettings[Name] } = {
  expireAfter: -1,
  allowableCodes: Object.freeze([200]),
  allowableMethods: Object.freeze(['GET', 'HEAD']),
};

/**
 * The settings of an instance: the given options, validated and copied, and their compiled form.
 *
 * @throws TypeError for an unknown or wrong option
 */
export class InstanceSettings {
  /** The settings as users read and write them: `instance.cacheSettings`. */
  readonly view: CacheSettings;
  readonly #readBaseURL: () => string | undefined;
  #given: Given;
  #compiled: CallSettings;
  #baseURL: string | undefined;
  #store: Store | undefined;

  /** @param baseURL returns the present `baseURL` of the instance's defaults, with which relative URL patterns are combined */
  constructor(options: object, baseURL: () => string | undefined = () => undefined) {
    this.#readBaseURL = baseURL;
    this.#baseURL = baseURL();
    this.#given = copied(ownOptions(options));
    this.#compiled = this.#compile(this.#given);
    this.view = this.#createView();
  }

  /** The compiled settings. The `baseURL` of the instance's defaults may change at any time. */
  get compiled(): CallSettings {
    if (this.#given.urlsExpireAfter !== undefined && this.#readBaseURL() !== this.#baseURL) this.#followBaseURL();
    return this.#compiled;
  }

  /**
   * Takes the store of the instance's cache into account: its suggested `maxBodySize`, and whether it supports leases.
   *
   * @throws TypeError for `lease` if the store does not support leases
   */
  useStore(store: Store): void {
    this.#store = store;
    this.#compiled = this.#compile(this.#given);
  }

  /** Returns independent settings with the same values, for a child instance. */
  copy(baseURL: () => string | undefined): InstanceSettings {
    return new InstanceSettings(this.#given, baseURL);
  }

  get #defaultBodySize(): number {
    return Math.min(DEFAULT_MAX_BODY_SIZE, this.#store?.suggestedBodySize ?? DEFAULT_MAX_BODY_SIZE);
  }

  #compile(given: Given): CallSettings {
    refuseDisagreement(given);
    const settings = { ...DEFAULTS, maxBodySize: this.#defaultBodySize };
    const context = { baseURL: this.#baseURL };
    for (const name of SETTING_NAMES) {
      if (given[name] !== undefined) Object.assign(settings, INSTANCE_READERS[name](given[name], name, context));
    }
    if (settings.lease > 0 && this.#store && !this.#store.acquireLease) {
      throw optionError('lease', given.lease, `false: the backend ${this.#store.name} does not support leases`);
    }
    return Object.freeze(settings);
  }

  /** Combines relative patterns with a new base URL; if that cannot be combined, the last one stays in use. */
  #followBaseURL(): void {
    const before = this.#baseURL;
    this.#baseURL = this.#readBaseURL();
    try {
      this.#compiled = this.#compile(this.#given);
    } catch {
      this.#baseURL = before;
    }
  }

  #createView(): CacheSettings {
    const view = {} as CacheSettings;
    for (const name of SETTING_NAMES) {
      Object.defineProperty(view, name, {
        enumerable: true,
        get: () => (this.#given[name] === undefined ? this.#shownDefault(name) : this.#given[name]),
        set: (value: unknown) => this.#write(name, value),
      });
    }
    for (const name of STORE_OPTIONS) {
      Object.defineProperty(view, name, {
        set: () => {
          throw new CacheError('ERR_CACHE_STATE', `cacheSettings.${name}: cannot change while the cache is open`);
        },
      });
    }
    Object.defineProperty(view, INSPECT, {
      value: (...how: InspectArguments) => inspected('CacheSettings', { ...view }, how),
    });
    return Object.preventExtensions(view);
  }

  #shownDefault(name: SettingName): unknown {
    const alias = ALIASES.flatMap(([a, b]) => (a === name ? [b] : b === name ? [a] : []))[0];
    if (alias !== undefined && this.#given[alias] !== undefined) return this.#given[alias];
    if (name === 'maxBodySize') return this.#defaultBodySize;
    return SHOWN_DEFAULTS[name] ?? (this.#compiled.cacheControl ? undefined : SHOWN_WITHOUT_PROTOCOL[name]);
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

/**
 * Returns the settings of one request.
 *
 * @param config the request's axios config; only its own properties count
 * @throws TypeError for a wrong option, for one in another style, and for one that a request must not set
 */
export function callSettings(compiled: CallSettings, config: object): CallSettings {
  const given = config as Readonly<Record<string, unknown>>;
  return checkNames(given) ? changedSettings(compiled, given) : compiled;
}

function changedSettings(compiled: CallSettings, given: Readonly<Record<string, unknown>>): CallSettings {
  for (const name of INSTANCE_ONLY) {
    if (given[name] !== undefined && Object.hasOwn(given, name)) throw notPerRequest(name, given[name]);
  }
  let changed: CallSettings | undefined;
  for (const name of REQUEST_NAMES) {
    const value = given[name];
    if (value === undefined || !Object.hasOwn(given, name)) continue;
    if (!changed) refuseDisagreement(given);
    const read = REQUEST_READERS[name](value, name, { baseURL: baseUrlOf(given) });
    const tags = read.tags && addTags(compiled.tags, read.tags, name);
    changed = { ...(changed ?? compiled), ...read, ...(tags ? { tags } : {}) };
  }
  return changed ? Object.freeze(changed) : compiled;
}

function baseUrlOf({ baseURL }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof baseURL === 'string' ? baseURL : undefined;
}

function notPerRequest(name: string, value: unknown): TypeError {
  return new TypeError(
    `${name}: ${describeOption(name, value)} is not accepted per request; expected among the options of setupCache`,
  );
}

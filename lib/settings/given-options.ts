import { backendsWith, COMMON_BACKEND_OPTION_NAMES } from '../cache/option-places.js';
import { describeOption, optionError, unknownOptionError } from '../errors.js';
import { ownCopy } from '../platform/own-copy.js';
import { foreignHint } from './foreign-names.js';
import { isRecord } from './parse.js';
import {
  OPTION_NAMES,
  REQUEST_NAMES,
  REQUEST_READERS,
  SETTING_NAMES,
  type SettingName,
  STORE_OPTIONS,
  type StoreOption,
} from './schema.js';
import type { CacheOptions } from './types.js';

/** The options as they were given. */
export type Given = Partial<Record<SettingName, unknown>>;

/** Returns the options of the store. */
export function storeOptions(options: CacheOptions): Pick<CacheOptions, StoreOption> {
  return ownCopy(
    Object.fromEntries(STORE_OPTIONS.flatMap((name) => (Object.hasOwn(options, name) ? [[name, options[name]]] : []))),
  );
}

/** Returns the options that are accepted together with an open cache. */
export function withoutStoreOptions(options: CacheOptions): CacheOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !(STORE_OPTIONS as readonly string[]).includes(name)),
  );
}

/**
 * Refuses cache options in axios's defaults, which axios would merge deeply with those of a request.
 *
 * @param where the place, for the message: `create()`, `axios.defaults` ...
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
 * Returns the own properties of the options.
 *
 * @throws TypeError for anything but an object, and for unknown names, with a suggestion or the right place
 */
export function ownOptions(options: unknown): Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw optionError('options', options, 'an object');
  }
  for (const [name, value] of Object.entries(options)) {
    if (!OPTION_NAMES.includes(name)) throw unknownOptionError(name, value, OPTION_NAMES, placeOf(name));
  }
  const { backendOptions } = options as { backendOptions?: unknown };
  if (isRecord(backendOptions)) refuseMisplaced(backendOptions);
  return { ...options };
}

/** Returns the hint for an option with another name or in the wrong place; undefined if the name is not known anywhere. */
function placeOf(name: string): string | undefined {
  const hint = foreignHint(name);
  if (hint !== undefined) return hint;
  if (Object.hasOwn(REQUEST_READERS, name)) return 'it is an option of single requests';
  if (COMMON_BACKEND_OPTION_NAMES.includes(name)) return 'it belongs in backendOptions';
  const backends = backendsWith(name);
  return backends && `it belongs in backendOptions, of the backend ${backends}`;
}

function refuseMisplaced(backendOptions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(backendOptions)) {
    if (backendsWith(name) !== undefined || !(SETTING_NAMES as readonly string[]).includes(name)) continue;
    const shown = describeOption(name, value);
    throw new TypeError(
      `backendOptions.${name}: ${shown} is not accepted; it is an option of setupCache, beside backendOptions`,
    );
  }
}

/** Returns frozen copies, so that later changes of the given objects have no effect. */
export function copied(given: Record<string, unknown>): Given {
  const copies: Given = Object.create(null);
  for (const name of SETTING_NAMES) {
    if (Object.hasOwn(given, name) && given[name] !== undefined) copies[name] = frozenCopy(given[name]);
  }
  return copies;
}

function frozenCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (Object.prototype.toString.call(value) === '[object Date]') return new Date(Number(value));
  if (!isRecord(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])));
}

import { optionError, refuseUnknownMembers } from '../errors.js';
import { warnOnce } from '../platform/warnings.js';
import { type Expiration, parseExpiration } from '../policy/expiration.js';
import type { StaleIfError } from '../policy/rules.js';
import { combineTags, parseTags } from '../policy/tags.js';
import { lifetimeHint, waitHint } from '../policy/units.js';
import { compileUrlPattern, type UrlMatcher } from '../policy/url-pattern.js';
import type { Credentials } from '../request/cache-key.js';
import { plainName } from '../request/credentials.js';
import { fetchModeHint, foreignHint } from './foreign-names.js';
import type { ExpirationFunction, OldDataOnError, TagsFunction } from './types.js';

// One parser per kind of option: it returns the compiled form, or throws a TypeError that names the option.

/** The compiled form of `expireAfter`. */
export type ExpirationRule = Expiration | ExpirationFunction;

/** A URL pattern with its lifetime; undefined if the instance's `expireAfter` applies. */
export type UrlExpiration = readonly [pattern: UrlMatcher, rule: ExpirationRule | undefined];

/** The compiled form of `tags`: those of the instance and of the request together. */
export interface TagRules {
  readonly names: readonly string[];
  readonly functions: readonly TagsFunction[];
}

/** The compiled form of `invalidates`. */
export interface InvalidationRules {
  /** The URL of the request itself. */
  readonly ownUrl: boolean;
  readonly patterns: readonly UrlMatcher[];
  readonly tags: readonly string[];
}

/** The base of relative URL patterns. */
export interface PatternContext {
  readonly baseURL?: string | undefined;
}

const NEVER: Expiration = Object.freeze({ seconds: Number.POSITIVE_INFINITY });
export const NO_TAGS: TagRules = Object.freeze({ names: [], functions: [] });
/** Seconds. */
const DEFAULT_LEASE = 10;
const DURATION = 'a duration in seconds, as text such as "5m", or as { minutes: 5 }';

export function readBoolean(value: unknown, option: string): boolean {
  if (typeof value !== 'boolean') throw optionError(option, value, 'true or false');
  return value;
}

/** In other caches, and in fetch, `cache` is an object of options or a mode. */
export function readCache(value: unknown, option: string): boolean {
  if (typeof value === 'boolean') return value;
  const mode = fetchModeHint(value);
  if (mode !== undefined) throw optionError(option, value, `true, or false to bypass the cache; ${mode}`);
  const place = 'lifetimes and other options are properties of the config itself, such as expireAfter';
  const hints = Object.keys(isRecord(value) ? value : {}).flatMap((name) => {
    const hint = foreignHint(name);
    return hint === undefined ? [] : [`${name}: ${hint}`];
  });
  throw optionError(option, value, ['true, or false to bypass the cache', place, ...hints].join('; '));
}

export function readFunction<T>(value: unknown, option: string): T {
  if (typeof value !== 'function') throw optionError(option, value, 'a function');
  return value as T;
}

/** Parses the lifetime of a request. */
export function readExpireAfter(value: unknown, option: string): ExpirationRule | undefined {
  return typeof value === 'function' ? (value as ExpirationFunction) : readTime(value, option);
}

/** Parses a lifetime or an age. A number that looks like milliseconds causes a warning. */
export function readTime(value: unknown, option: string): Expiration | undefined {
  warnIfAny(lifetimeHint(option, value));
  return parseExpiration(value, option);
}

function warnIfAny(hint: string | undefined): void {
  if (hint !== undefined) warnOnce(hint);
}

/** Parses the lifetime of an instance or a URL pattern: `null` never expires (requests-cache: `None`). */
export function readDefaultExpireAfter(value: unknown, option: string): ExpirationRule | undefined {
  return value === null ? NEVER : readExpireAfter(value, option);
}

export function readUrlsExpireAfter(value: unknown, option: string, context: PatternContext): readonly UrlExpiration[] {
  const pairs = Array.isArray(value) ? value : isRecord(value) ? Object.entries(value) : undefined;
  if (!pairs) throw optionError(option, value, 'a record, or a list of pairs, of URL patterns and lifetimes');
  return pairs.map((pair: unknown): UrlExpiration => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw optionError(option, pair, 'a pair of a URL pattern and a lifetime');
    }
    const matcher = compileUrlPattern(pair[0], option, context);
    return [matcher, readDefaultExpireAfter(pair[1], `${option}[${String(pair[0])}]`)];
  });
}

export function readCodes(value: unknown, option: string): ReadonlySet<number> {
  const accepted = 'a list of HTTP statuses from 100 to 599';
  if (!Array.isArray(value)) throw optionError(option, value, accepted);
  return new Set(readList<number>(value, option, isCode, accepted));
}

export function readMethods(value: unknown, option: string): ReadonlySet<string> {
  const methods = readList<string>(value, option, isToken, 'a list of HTTP methods, such as ["GET", "HEAD"]');
  return new Set(methods.map((method) => method.toUpperCase()));
}

export function readNames(value: unknown, option: string): ReadonlySet<string> {
  const names = readList<string>(value, option, isText, 'a list of names of parameters and headers');
  return new Set(names.map((name) => name.toLowerCase()));
}

/** In the form in which names of credentials are compared. */
export function readCredentialNames(value: unknown, option: string): ReadonlySet<string> {
  return new Set([...readNames(value, option)].map(plainName));
}

export function readMatchHeaders(value: unknown, option: string): boolean | readonly string[] {
  if (typeof value === 'boolean') return value;
  const names = readList<string>(value, option, isToken, 'true, false or a list of header names');
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}

/** Parses the names of targeted fields (RFC 9213); their order is that of precedence. */
export function readTargetedFields(value: unknown, option: string): readonly string[] {
  const isTargeted = (name: unknown) => isToken(name) && !/^(?:cache-control|expires|pragma)$/i.test(String(name));
  const accepted =
    'a list of targeted fields, such as ["CDN-Cache-Control"], without Cache-Control, Expires and Pragma';
  const names = readList<string>(value, option, isTargeted, accepted);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

export function readCredentials(value: unknown, option: string): Credentials {
  if (value === 'isolate' || value === 'ignore' || typeof value === 'function') return value as Credentials;
  throw optionError(option, value, '"isolate", "ignore" or a function from the config of a request to a principal');
}

export function readOldDataOnError(value: unknown, option: string): StaleIfError | undefined {
  if (typeof value === 'boolean') return value ? { limit: Number.POSITIVE_INFINITY } : undefined;
  if (!isRecord(value) || (!Object.hasOwn(value, 'limit') && !Object.hasOwn(value, 'codes'))) {
    return { limit: readDuration(value, option, `true, false, { limit, codes }, or ${DURATION}`) };
  }
  refuseUnknownMembers(option, value, ['limit', 'codes']);
  const { limit, codes } = value as OldDataOnError;
  return {
    limit: limit === undefined ? Number.POSITIVE_INFINITY : readDuration(limit, `${option}.limit`),
    ...(codes === undefined ? {} : { codes: readCodes(codes, `${option}.codes`) }),
  };
}

/** Returns seconds: 0 for `false`, `Infinity` for `true`. */
export function readStaleWhileRevalidate(value: unknown, option: string): number {
  if (typeof value === 'boolean') return value ? Number.POSITIVE_INFINITY : 0;
  return readDuration(value, option, `true, false, or ${DURATION}`);
}

/** Returns seconds: undefined for `false`, `Infinity` for `true`. */
export function readNetworkFirst(value: unknown, option: string): number | undefined {
  if (typeof value === 'boolean') return value ? Number.POSITIVE_INFINITY : undefined;
  warnIfAny(waitHint(option, value));
  return readDuration(value, option, `true, false, or ${DURATION}`);
}

/** Returns seconds. */
function readDuration(value: unknown, option: string, accepted = DURATION): number {
  let parsed: Expiration | undefined;
  try {
    parsed = readTime(value, option);
  } catch {
    throw optionError(option, value, accepted);
  }
  if (!parsed || !('seconds' in parsed)) throw optionError(option, value, accepted);
  return parsed.seconds;
}

/** Returns seconds; 0 for none. */
export function readLease(value: unknown, option: string): number {
  if (typeof value === 'boolean') return value ? DEFAULT_LEASE : 0;
  warnIfAny(waitHint(option, value));
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw optionError(option, value, 'true, false, or a number of seconds above 0');
}

export function readBytes(value: unknown, option: string): number {
  if (value === Number.POSITIVE_INFINITY) return value;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw optionError(option, value, 'a number of bytes, 0 or more');
  }
  return value;
}

export function readTags(value: unknown, option: string): TagRules {
  if (typeof value === 'function') return { names: [], functions: [value as TagsFunction] };
  return { names: parseTags(value, option), functions: [] };
}

/** Combines the tags of an instance with those of a request. */
export function addTags(instance: TagRules, request: TagRules, option: string): TagRules {
  const names = combineTags([instance.names, request.names], option);
  return { names, functions: [...instance.functions, ...request.functions] };
}

export function readInvalidates(value: unknown, option: string, context: PatternContext): InvalidationRules {
  if (value === true) return { ownUrl: true, patterns: [], tags: [] };
  if (!isRecord(value)) return { ownUrl: false, patterns: readPatterns(value, option, context), tags: [] };
  refuseUnknownMembers(option, value, ['urls', 'tags']);
  const { urls, tags } = value;
  return {
    ownUrl: urls === true,
    patterns: urls === undefined || urls === true ? [] : readPatterns(urls, `${option}.urls`, context),
    tags: tags === undefined ? [] : parseTags(tags, `${option}.tags`),
  };
}

function readPatterns(value: unknown, option: string, context: PatternContext): readonly UrlMatcher[] {
  const list: readonly unknown[] | undefined = Array.isArray(value) ? value : isPattern(value) ? [value] : undefined;
  if (!list) throw optionError(option, value, 'true, URL patterns, or { urls, tags }');
  return list.map((pattern, index) =>
    compileUrlPattern(pattern, Array.isArray(value) ? `${option}[${index}]` : option, context),
  );
}

function isPattern(value: unknown): boolean {
  return typeof value === 'string' || Object.prototype.toString.call(value) === '[object RegExp]';
}

/** Parses a list; a single string is a list of one. */
function readList<T>(
  value: unknown,
  option: string,
  accepts: (item: unknown) => boolean,
  accepted: string,
): readonly T[] {
  if (typeof value === 'string' && accepts(value)) return [value as T];
  if (!Array.isArray(value)) throw optionError(option, value, accepted);
  const wrong = value.findIndex((item) => !accepts(item));
  if (wrong !== -1) throw optionError(`${option}[${wrong}]`, value[wrong], accepted);
  return value as T[];
}

function isCode(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** RFC 9110 section 5.6.2. */
function isToken(value: unknown): boolean {
  return typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value);
}

/** Returns whether a value is a plain object, also one of another realm. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

import { optionError } from '../errors.js';
import { type Expiration, parseExpiration } from '../policy/expiration.js';
import type { StaleIfError } from '../policy/rules.js';
import { compileUrlPattern, type UrlMatcher } from '../policy/url-pattern.js';
import type { Credentials } from '../request/cache-key.js';
import { plainName } from '../request/credentials.js';
import type { ExpirationFunction, OldDataOnError } from './types.js';

// One reader for each kind of option: from what the user gave to its compiled form, or a TypeError that names the option.

/** What `expireAfter` was compiled to. */
export type ExpirationRule = Expiration | ExpirationFunction;

/** Seconds. */
const DEFAULT_LEASE = 10;
const DURATION = 'a length of time in seconds, as text such as "5m", or as { minutes: 5 }';

export function readBoolean(value: unknown, option: string): boolean {
  if (typeof value !== 'boolean') throw optionError(option, value, 'true or false');
  return value;
}

export function readFunction<T>(value: unknown, option: string): T {
  if (typeof value !== 'function') throw optionError(option, value, 'a function');
  return value as T;
}

export function readExpireAfter(value: unknown, option: string): ExpirationRule | undefined {
  return typeof value === 'function' ? (value as ExpirationFunction) : parseExpiration(value, option);
}

export function readUrlsExpireAfter(
  value: unknown,
  option: string,
): readonly (readonly [UrlMatcher, ExpirationRule])[] {
  const pairs = Array.isArray(value) ? value : isRecord(value) ? Object.entries(value) : undefined;
  if (!pairs)
    throw optionError(option, value, 'a record, or a list of pairs, of URL patterns and what expireAfter takes');
  return pairs.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw optionError(option, pair, 'a pair of URL pattern and lifetime');
    const matcher = compileUrlPattern(pair[0], option);
    const rule = readExpireAfter(pair[1], `${option}[${String(pair[0])}]`);
    if (rule === undefined) throw optionError(`${option}[${String(pair[0])}]`, undefined, 'what expireAfter takes');
    return [matcher, rule] as const;
  });
}

export function readCodes(value: unknown, option: string): ReadonlySet<number> {
  const isCode = (code: unknown) => typeof code === 'number' && Number.isInteger(code) && code >= 100 && code <= 599;
  return new Set(readList<number>(value, option, isCode, 'a list of HTTP statuses from 100 to 599'));
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

export function readCredentials(value: unknown, option: string): Credentials {
  if (value === 'isolate' || value === 'ignore' || typeof value === 'function') return value as Credentials;
  throw optionError(option, value, '"isolate", "ignore" or a function from a request\'s config to a name');
}

export function readOldDataOnError(value: unknown, option: string): StaleIfError | undefined {
  if (typeof value === 'boolean') return value ? { limit: Number.POSITIVE_INFINITY } : undefined;
  if (!isRecord(value) || (!Object.hasOwn(value, 'limit') && !Object.hasOwn(value, 'codes'))) {
    return { limit: readDuration(value, option, `true, false, { limit, codes }, or ${DURATION}`) };
  }
  const unknown = Object.keys(value).find((name) => name !== 'limit' && name !== 'codes');
  if (unknown !== undefined) throw optionError(`${option}.${unknown}`, value[unknown], 'only limit and codes');
  const { limit, codes } = value as OldDataOnError;
  return {
    limit: limit === undefined ? Number.POSITIVE_INFINITY : readDuration(limit, `${option}.limit`),
    ...(codes === undefined ? {} : { codes: readCodes(codes, `${option}.codes`) }),
  };
}

export function readStaleWhileRevalidate(value: unknown, option: string): number {
  if (typeof value === 'boolean') return value ? Number.POSITIVE_INFINITY : 0;
  return readDuration(value, option, `true, false, or ${DURATION}`);
}

/** Seconds. */
export function readDuration(value: unknown, option: string, accepted = DURATION): number {
  let parsed: Expiration | undefined;
  try {
    parsed = parseExpiration(value, option);
  } catch {
    throw optionError(option, value, accepted);
  }
  if (!parsed || !('seconds' in parsed)) throw optionError(option, value, accepted);
  return parsed.seconds;
}

/** Seconds; 0 for none. */
export function readLease(value: unknown, option: string): number {
  if (typeof value === 'boolean') return value ? DEFAULT_LEASE : 0;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw optionError(option, value, 'true, false, or a number of seconds');
}

export function readBytes(value: unknown, option: string): number {
  if (value === Number.POSITIVE_INFINITY) return value;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw optionError(option, value, 'a number of bytes, 0 or more');
  }
  return value;
}

export function readInvalidates(value: unknown, option: string): true | readonly UrlMatcher[] {
  if (value === true) return true;
  if (!Array.isArray(value)) throw optionError(option, value, 'true or a list of URL patterns');
  return value.map((pattern: unknown) => compileUrlPattern(pattern, option));
}

function readList<T>(
  value: unknown,
  option: string,
  accepts: (item: unknown) => boolean,
  accepted: string,
): readonly T[] {
  if (!Array.isArray(value)) throw optionError(option, value, accepted);
  const wrong = value.findIndex((item) => !accepts(item));
  if (wrong !== -1) throw optionError(`${option}[${wrong}]`, value[wrong], accepted);
  return value as T[];
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** RFC 9110 section 5.6.2. */
function isToken(value: unknown): boolean {
  return typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

import { distance } from 'fastest-levenshtein';
import { brandOf, hasInstance } from './platform/shared-state.js';

/** Stable codes of {@link CacheError}, for a `switch`. */
export type CacheErrorCode =
  /** The package that a named backend or serializer needs is not installed. */
  | 'ERR_CACHE_MISSING_PACKAGE'
  /** The package is installed but does not load, for example because its native part was not built. */
  | 'ERR_CACHE_BROKEN_PACKAGE'
  /** The store failed, or refused a write; `cause` is the error of its client. */
  | 'ERR_CACHE_STORE'
  /** The store did not answer within its budget. */
  | 'ERR_CACHE_STORE_TIMEOUT'
  /** The circuit breaker is open: the store failed recently and is being probed. */
  | 'ERR_CACHE_STORE_DOWN'
  /** The cache was closed. */
  | 'ERR_CACHE_CLOSED'
  /** The store does not support the operation. */
  | 'ERR_CACHE_UNSUPPORTED'
  /** The serializer failed to write or to read a response; `cause` is its error. */
  | 'ERR_CACHE_SERIALIZER'
  /** A stored response was replaced by others at each of many attempts to change it. */
  | 'ERR_CACHE_CONFLICT'
  /** The operation is not possible in the present state, for example a second `setupCache` on one instance. */
  | 'ERR_CACHE_STATE';

/**
 * An error of the cache itself. Wrong options and arguments throw a `TypeError` instead.
 *
 * @example
 * await api.get('https://example.org/').catch((error) => {
 *   if (error instanceof CacheError && error.code === 'ERR_CACHE_STORE_DOWN') console.log('try again later');
 * });
 */
export class CacheError extends Error {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CacheError');
  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: of a subclass, it is the subclass
    return hasInstance.call(this, value);
  }
  override readonly name: string = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown if a store does not support an operation, such as listing in Memcached; the message names an alternative. */
export class UnsupportedOperationError extends CacheError {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('UnsupportedOperationError');
  override readonly name = 'UnsupportedOperationError';

  constructor(message: string) {
    super('ERR_CACHE_UNSUPPORTED', message);
  }
}

/** Parts of names whose values are not shown. */
const SECRET_NAME = /key|secret|passw|pwd|passphrase|token|credential|auth|encrypt|cipher/i;
const HIDDEN = 'the given value';
const MAX_LENGTH = 80;

/**
 * Returns the error for a wrong option or argument.
 *
 * @param option the name of the option, as the user wrote it
 * @param value the wrong value; for keys use {@link hiddenOptionError}
 * @param accepted the accepted values
 */
export function optionError(option: string, value: unknown, accepted: string): TypeError {
  return new TypeError(`${option}: ${describe(value)} is not accepted; expected ${accepted}`);
}

/** Returns the error for a wrong option whose value may contain a secret, such as a key or a URL with a password. */
export function hiddenOptionError(option: string, accepted: string): TypeError {
  return new TypeError(`${option}: ${HIDDEN} is not accepted; expected ${accepted}`);
}

/**
 * Returns the error for an unknown option or member: with the hint, or the known name that is similar, or all known names.
 *
 * @param known the accepted names
 * @param hint the right place of the option; replaces the suggestion
 */
export function unknownOptionError(name: string, value: unknown, known: readonly string[], hint?: string): TypeError {
  const member = name.slice(name.lastIndexOf('.') + 1);
  const similar = hint === undefined ? similarName(member, known) : undefined;
  const advice = hint ?? (similar === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${similar}?`);
  const shown = isSecret(similar ?? name) ? HIDDEN : describeOption(name, value);
  return new TypeError(`${name}: ${shown} is not accepted, there is no such option; ${advice}`);
}

/** @throws TypeError if an object has a member besides the known ones */
export function refuseUnknownMembers(option: string, value: object, known: readonly string[]): void {
  const unknown = Object.entries(value).find(([name]) => !known.includes(name));
  if (unknown) throw unknownOptionError(`${option}.${unknown[0]}`, unknown[1], known);
}

/** Returns the known name that is most similar to an unknown one; undefined if none is similar. */
export function similarName(name: string, known: readonly string[]): string | undefined {
  const plain = simplified(name);
  let best: string | undefined;
  let least = Math.floor(plain.length / 3);
  for (const candidate of known) {
    const other = simplified(candidate);
    if (plain.length >= 5 && other.startsWith(plain)) return candidate;
    const edits = distance(plain, other);
    if (edits < least || (edits === least && best === undefined)) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

/** Returns the letters and digits of a name: `expire_after` and `ExpireAfter` are `expireAfter` in another style. */
export function simplified(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Returns a value as {@link describe} does, unless its name says that it may be a secret (also if misspelled). */
export function describeOption(name: string, value: unknown): string {
  return isSecret(name) ? HIDDEN : describe(value);
}

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !/(?:fn|names)$/i.test(name) && name !== 'credentials';
}

/** Returns a short form of any value for messages, without bytes, userinfo of URLs and members with secret names. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(withoutUserinfo(value)));
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${value.byteLength} bytes`;
  if (value instanceof RegExp) return shortened(String(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : `Date ${value.toISOString()}`;
  try {
    const text = JSON.stringify(value, hideSecrets);
    return text === undefined ? Object.prototype.toString.call(value) : shortened(text);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** A replacer for `JSON.stringify`, which calls `toJSON` before: `this[name]` is the value as it was given. */
function hideSecrets(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  if (isSecret(name) || ArrayBuffer.isView(this[name])) return '...';
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'string' ? withoutUserinfo(value) : value;
}

function withoutUserinfo(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, '//...@');
}

function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
}

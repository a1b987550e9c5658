import { brandOf, hasInstance } from './platform/shared-state.js';

/** Stable codes of {@link CacheError}, to switch on. */
export type CacheErrorCode =
  /** The package that a named backend or serializer needs is not installed. */
  | 'ERR_CACHE_MISSING_PACKAGE'
  /** The package is there but cannot be loaded, as with a native part that was never built. */
  | 'ERR_CACHE_BROKEN_PACKAGE'
  /** The store failed, or refused a write; `cause` has the client's error. */
  | 'ERR_CACHE_STORE'
  /** The store did not answer within its budget. */
  | 'ERR_CACHE_STORE_TIMEOUT'
  /** The store is out: it failed lately and is being probed. */
  | 'ERR_CACHE_STORE_DOWN'
  /** The cache was closed. */
  | 'ERR_CACHE_CLOSED'
  /** The store cannot do what was asked. */
  | 'ERR_CACHE_UNSUPPORTED'
  /** The serializer failed to write or to read a response; `cause` is its error. */
  | 'ERR_CACHE_SERIALIZER'
  /** What was asked does not fit the state: set up twice, and the like. */
  | 'ERR_CACHE_STATE';

/** Every error of the cache itself that is not a mistake in an option (those are `TypeError`s). */
export class CacheError extends Error {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CacheError');
  /** @internal */
  static override readonly [Symbol.hasInstance] = hasInstance;
  override readonly name: string = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown where a store cannot do what was asked, such as iterating over Memcached; the message says what can be done instead. */
export class UnsupportedOperationError extends CacheError {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('UnsupportedOperationError');
  override readonly name = 'UnsupportedOperationError';

  constructor(message: string) {
    super('ERR_CACHE_UNSUPPORTED', message);
  }
}

/**
 * A mistake in an option, as every validation words it.
 *
 * @param option name of the option, as the user wrote it
 * @param value what was given; pass nothing for keys, whose value must not be shown
 * @param accepted what is accepted instead
 */
export function optionError(option: string, value: unknown, accepted: string): TypeError {
  return new TypeError(`${option}: ${describe(value)} is not accepted; expected ${accepted}`);
}

/** As {@link describe}, but nothing of what may be a secret: a misspelt `secretkey` is one too. */
export function describeOption(name: string, value: unknown): string {
  return /key|secret|password|token/i.test(name) && !/fn$/i.test(name) ? 'what was given' : describe(value);
}

/** A short, safe rendering of any value for messages. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : `Date ${value.toISOString()}`;
  try {
    const text = JSON.stringify(value);
    return text === undefined
      ? Object.prototype.toString.call(value)
      : text.length > 80
        ? `${text.slice(0, 79)}…`
        : text;
  } catch {
    return Object.prototype.toString.call(value);
  }
}

import type { Expiration } from './expiration.js';
import { isReading } from './methods.js';

/** Time after the freshness lifetime during which a response may replace an error (RFC 5861 section 4). */
export interface StaleIfError {
  /** Maximum staleness in seconds; `Infinity` for no limit. */
  readonly limit: number;
  /** Statuses that count as failures; replaces the default list and its exceptions. */
  readonly codes?: ReadonlySet<number>;
}

/** The settings of one request that the rules of HTTP caching read. */
export interface Rules {
  /** RFC 9111 applies; otherwise only the settings, Vary and validators. */
  readonly cacheControl: boolean;
  /** Behave as a shared cache. */
  readonly shared: boolean;
  /** RFC 9213: names of targeted fields in lower case, in order of precedence. */
  readonly targetedFields: readonly string[];
  /** Undefined: the default of the mode, see {@link allowsMethod}. */
  readonly allowableMethods: ReadonlySet<string> | undefined;
  /** Undefined: the default of the mode, see {@link allowsStatus}. */
  readonly allowableCodes: ReadonlySet<number> | undefined;
  readonly alwaysRevalidate: boolean;
  readonly onlyIfCached: boolean;
  /** Nothing is written or deleted. */
  readonly readOnly: boolean;
  /** Revalidate first. Only per request. */
  readonly refresh: boolean;
  /** Fetch anew, without validators. Only per request. */
  readonly forceRefresh: boolean;
  /** A stored response that was received longer ago, or before that instant, is not served. Undefined: no limit. */
  readonly maxAge: Expiration | undefined;
  /**
   * Ask the origin first. Seconds after which a stored response answers while the origin request continues; `Infinity`
   * if it answers only after a failure. Undefined: the cache is asked first.
   */
  readonly networkFirst: number | undefined;
  /** Undefined if `oldDataOnError` is off. */
  readonly staleIfError: StaleIfError | undefined;
  /** Maximum staleness served while a refresh runs, in seconds; 0 for none, `Infinity` for no limit. */
  readonly staleWhileRevalidate: number;
}

/**
 * Returns whether requests of a method are cached: those in `allowableMethods`, by default GET and HEAD, with
 * `cacheControl` QUERY too.
 *
 * @param method upper case
 */
export function allowsMethod(
  { allowableMethods, cacheControl }: Pick<Rules, 'allowableMethods' | 'cacheControl'>,
  method: string,
): boolean {
  if (allowableMethods) return allowableMethods.has(method);
  // RFC 10008 section 2.7: a QUERY is cacheable.
  return isReading(method) && (cacheControl || method !== 'QUERY');
}

/**
 * Returns whether responses with a status are stored: those in `allowableCodes`, by default 200, with `cacheControl`
 * those that RFC 9111 allows.
 */
export function allowsStatus(
  { allowableCodes, cacheControl }: Pick<Rules, 'allowableCodes' | 'cacheControl'>,
  status: number,
): boolean {
  return allowableCodes ? allowableCodes.has(status) : cacheControl || status === 200;
}

import { initialAge } from './age.js';
import { directivesOf, seconds } from './cache-control.js';
import { type Expiration, expiresAt, isDoNotCache } from './expiration.js';
import { parseHttpDate } from './http-date.js';
import { field, type ResponseMessage } from './messages.js';
import type { Rules } from './rules.js';

/** RFC 9110 section 15.1. */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);
/** RFC 9111 section 4.2.2: a fraction of the time since the last modification. */
const HEURISTIC_FRACTION = 0.1;

/** Milliseconds since the epoch. */
export interface Times {
  readonly requestTime: number;
  readonly responseTime: number;
}

/** A settled lifetime. */
export interface Lifetime {
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly staleAt: number;
  /** Seconds: RFC 9111 section 4.2.3. */
  readonly initialAge: number;
}

/**
 * When a response that is received now stops being fresh, by precedence: what the response says (with `cacheControl`),
 * what is set, and at last heuristics. Undefined where what is set says that it is not to be stored.
 *
 * @param set the first of request, URL and instance that is set
 */
export function settleLifetime(
  response: ResponseMessage,
  rules: Pick<Rules, 'cacheControl' | 'shared'>,
  set: Expiration | undefined,
  times: Times,
): Lifetime | undefined {
  if (set && isDoNotCache(set)) return undefined;
  const now = times.responseTime;
  if (!rules.cacheControl) return { staleAt: set ? expiresAt(set, now) : Number.POSITIVE_INFINITY, initialAge: 0 };

  const age = initialAge(response, times.requestTime, now);
  const explicit = explicitLifetime(response, rules.shared, now);
  if (explicit === undefined && set) return { staleAt: expiresAt(set, now), initialAge: age };
  const lifetime = explicit ?? heuristicLifetime(response, now);
  return { staleAt: Math.floor(now + (lifetime - age) * 1000), initialAge: age };
}

/** RFC 9111 section 4.2.1, in seconds; undefined where the response says nothing. */
export function explicitLifetime(response: ResponseMessage, shared: boolean, now: number): number | undefined {
  const directives = directivesOf(response.headers);
  const maxAge = (shared ? seconds(directives, 's-maxage') : undefined) ?? seconds(directives, 'max-age');
  if (maxAge !== undefined) return maxAge;
  const expires = field(response.headers, 'expires');
  if (expires === undefined) return undefined;
  const at = parseHttpDate(expires, now);
  // Section 5.3: an invalid date, "0" above all, is in the past.
  return at === undefined ? 0 : (at - dateOf(response, now)) / 1000;
}

/** RFC 9111 section 4.2.2, in seconds; 0 where nothing can be guessed. */
function heuristicLifetime(response: ResponseMessage, now: number): number {
  if (!heuristicAllowed(response)) return 0;
  const modified = field(response.headers, 'last-modified');
  const at = modified === undefined ? undefined : parseHttpDate(modified, now);
  return at === undefined ? 0 : Math.max(0, ((dateOf(response, now) - at) / 1000) * HEURISTIC_FRACTION);
}

/** Whether a response without a lifetime of its own may be given one. */
export function heuristicAllowed({ status, headers }: ResponseMessage): boolean {
  return HEURISTICALLY_CACHEABLE.has(status) || directivesOf(headers).has('public');
}

/** RFC 9110 section 6.6.1: a recipient without a Date uses the time of receipt. */
function dateOf(response: ResponseMessage, now: number): number {
  const date = field(response.headers, 'date');
  return (date === undefined ? undefined : parseHttpDate(date, now)) ?? now;
}

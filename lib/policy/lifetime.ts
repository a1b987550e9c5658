import { initialAge } from './age.js';
import { seconds } from './cache-control.js';
import { type Expiration, expiresAt, isDoNotCache } from './expiration.js';
import { parseHttpDate } from './http-date.js';
import { field, type ResponseMessage } from './messages.js';
import { responseDirectives } from './response-directives.js';
import type { Rules } from './rules.js';

/** RFC 9110 section 15.1. */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);
/** RFC 9111 section 4.2.2: a fraction of the time since the last modification. */
const HEURISTIC_FRACTION = 0.1;
/** Seven days, in seconds. */
const MAX_HEURISTIC_LIFETIME = 604_800;

/** The parts of a response that its freshness depends on. */
type FreshnessRules = Pick<Rules, 'cacheControl' | 'shared' | 'targetedFields'>;

/** Milliseconds since the epoch. */
export interface Times {
  readonly requestTime: number;
  readonly responseTime: number;
}

/** The freshness of a response that is to be stored. */
export interface Freshness {
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly staleAt: number;
  /** RFC 9111 section 4.2.3, in seconds. */
  readonly initialAge: number;
}

/**
 * Returns until when a response that is received now is fresh. Precedence: the response itself (with `cacheControl`), the
 * settings, heuristics.
 *
 * @param set the setting that applies: the request's, else that of its URL, else the instance's
 * @returns undefined if the setting excludes storage
 */
export function freshnessOf(
  response: ResponseMessage,
  rules: FreshnessRules,
  set: Expiration | undefined,
  times: Times,
): Freshness | undefined {
  if (set && isDoNotCache(set)) return undefined;
  const now = times.responseTime;
  if (!rules.cacheControl) return { staleAt: set ? expiresAt(set, now) : Number.POSITIVE_INFINITY, initialAge: 0 };

  const age = initialAge(response, times.requestTime, now);
  const explicit = explicitLifetime(response, rules, now);
  if (explicit === undefined && set) return { staleAt: expiresAt(set, now), initialAge: age };
  const lifetime = explicit ?? heuristicLifetime(response, rules, now);
  return { staleAt: Math.floor(now + (lifetime - age) * 1000), initialAge: age };
}

/**
 * Returns the explicit freshness lifetime in seconds (RFC 9111 section 4.2.1); undefined if the response has none.
 *
 * @param now milliseconds since the epoch
 */
export function explicitLifetime(
  response: ResponseMessage,
  rules: Pick<Rules, 'shared' | 'targetedFields'>,
  now: number,
): number | undefined {
  const { directives, usesExpires } = responseDirectives(response.headers, rules);
  const maxAge = (rules.shared ? seconds(directives, 's-maxage') : undefined) ?? seconds(directives, 'max-age');
  if (maxAge !== undefined) return maxAge;
  const expires = usesExpires ? field(response.headers, 'expires') : undefined;
  if (expires === undefined) return undefined;
  const at = parseHttpDate(expires, now);
  // Section 5.3: an invalid date, especially "0", is in the past.
  return at === undefined ? 0 : (at - dateOf(response, now)) / 1000;
}

/** Returns the heuristic freshness lifetime in seconds (RFC 9111 section 4.2.2); 0 if there is no basis for one. */
function heuristicLifetime(response: ResponseMessage, rules: FreshnessRules, now: number): number {
  if (!allowsHeuristics(response, rules)) return 0;
  const modified = field(response.headers, 'last-modified');
  const at = modified === undefined ? undefined : parseHttpDate(modified, now);
  // Reproducible builds write 1970-01-01: it is not the time of a modification.
  if (at === undefined || at <= EARLIEST_MODIFICATION) return 0;
  const lifetime = ((dateOf(response, now) - at) / 1000) * HEURISTIC_FRACTION;
  return Math.min(Math.max(0, lifetime), MAX_HEURISTIC_LIFETIME);
}

/** Milliseconds since the epoch. */
const EARLIEST_MODIFICATION = 0;

/** Returns whether a response without an explicit lifetime may have a heuristic one (RFC 9111 section 4.2.2). */
export function allowsHeuristics({ status, headers }: ResponseMessage, rules: Pick<Rules, 'targetedFields'>): boolean {
  return HEURISTICALLY_CACHEABLE.has(status) || responseDirectives(headers, rules).directives.has('public');
}

/** RFC 9110 section 6.6.1: a recipient replaces a missing Date by the time of receipt. */
function dateOf(response: ResponseMessage, now: number): number {
  const date = field(response.headers, 'date');
  return (date === undefined ? undefined : parseHttpDate(date, now)) ?? now;
}

import { listedFields, requestDirectives, seconds } from './cache-control.js';
import type { RequestMessage, StoredMessage } from './messages.js';
import { coversRequest } from './range.js';
import { responseDirectives } from './response-directives.js';
import { allowsStatus, type Rules } from './rules.js';

/** Statuses that report on the caller or on the resource, not on a failing origin. */
const NOT_FAILURES: ReadonlySet<number> = new Set([401, 403, 407, 410]);
/** RFC 5861 section 4. */
const SERVER_FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** The result of an origin request that may be a failure: its status, or none if no response arrived. */
export interface OriginResult {
  readonly status?: number;
}

type StoredTimes = Pick<StoredMessage, 'receivedAt' | 'staleAt'>;

/**
 * Returns whether a stored response was received later than now: the clock was set back since, so that its age is unknown.
 */
export function isFromFuture({ receivedAt }: Pick<StoredTimes, 'receivedAt'>, now: number): boolean {
  return receivedAt > now;
}

/**
 * Returns whether a stored response is still fresh (RFC 9111 section 4.2). One of unknown age is stale, unless it never
 * becomes so: it would be fresh for longer than its lifetime.
 */
export function isFresh(stored: StoredTimes, now: number): boolean {
  return stored.staleAt > now && (!isFromFuture(stored, now) || stored.staleAt === Number.POSITIVE_INFINITY);
}

/** Returns the seconds since the stored response stopped being fresh; 0 for a fresh one, `Infinity` for an unknown age. */
export function staleness(stored: StoredTimes, now: number): number {
  if (stored.staleAt > now && !isFresh(stored, now)) return Number.POSITIVE_INFINITY;
  return Math.max(0, (now - stored.staleAt) / 1000);
}

/** Returns whether the stored response itself prohibits being served stale (RFC 9111 section 4.2.4). */
export function prohibitsStale(
  stored: StoredMessage,
  rules: Pick<Rules, 'cacheControl' | 'shared' | 'targetedFields'>,
): boolean {
  if (!rules.cacheControl) return false;
  const { directives } = responseDirectives(stored.headers, rules);
  if (directives.has('must-revalidate') || listedFields(directives, 'no-cache') === 'all') return true;
  return rules.shared && (directives.has('proxy-revalidate') || directives.has('s-maxage'));
}

/** Whether the stored response may answer in place of a failure: by no rule, by a rule, or if it did not prohibit that. */
export type StaleOnError = 'not-allowed' | 'allowed' | 'prohibited';

/**
 * Decides whether the stored response may answer in place of a failure (RFC 5861 section 4; requests-cache:
 * `stale_if_error`). The one decision for statuses and network errors. An abort by the caller is not a failure: do not
 * call it then.
 *
 * @param now milliseconds since the epoch
 */
export function staleOnError(
  request: RequestMessage,
  stored: StoredMessage,
  result: OriginResult,
  rules: Rules,
  now: number,
): StaleOnError {
  if (!isFailure(result.status, rules) || !coversRequest(request, stored) || stored.isInvalidated) return 'not-allowed';
  const limit = staleIfErrorLimit(request, stored, rules);
  if (limit === undefined || staleness(stored, now) > limit) return 'not-allowed';
  return isProhibited(stored, rules, now) ? 'prohibited' : 'allowed';
}

/** Returns whether {@link staleOnError} allows the stored response. */
export function mayServeOnError(...failure: Parameters<typeof staleOnError>): boolean {
  return staleOnError(...failure) === 'allowed';
}

/** A fresh response may be prohibited from going stale, and still answer if its refresh fails; not so with `no-cache`. */
function isProhibited(stored: StoredMessage, rules: Rules, now: number): boolean {
  if (!rules.cacheControl) return false;
  if (!isFresh(stored, now)) return prohibitsStale(stored, rules);
  return listedFields(responseDirectives(stored.headers, rules).directives, 'no-cache') === 'all';
}

/** Returns the maximum staleness that settings, response or request allow, in seconds; undefined if none of them does. */
function staleIfErrorLimit(request: RequestMessage, stored: StoredMessage, rules: Rules): number | undefined {
  // `networkFirst` answers failures as `oldDataOnError: true` does.
  const limits = [
    rules.staleIfError?.limit ?? (rules.networkFirst === undefined ? undefined : Number.POSITIVE_INFINITY),
  ];
  if (rules.cacheControl) {
    limits.push(seconds(responseDirectives(stored.headers, rules).directives, 'stale-if-error'));
    limits.push(seconds(requestDirectives(request.headers), 'stale-if-error'));
  }
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.max(...given);
}

function isFailure(status: number | undefined, rules: Rules): boolean {
  if (status === undefined) return true;
  const codes = rules.staleIfError?.codes;
  if (codes) return codes.has(status);
  if (rules.cacheControl) return SERVER_FAILURES.has(status) && !rules.allowableCodes?.has(status);
  return status >= 400 && !NOT_FAILURES.has(status) && !allowsStatus(rules, status);
}

/** Returns whether a stale response may be served while it is refreshed (RFC 5861 section 3). */
export function mayServeWhileRevalidating(stored: StoredMessage, rules: Rules, now: number): boolean {
  if (prohibitsStale(stored, rules)) return false;
  let limit = rules.staleWhileRevalidate;
  if (rules.cacheControl) {
    const { directives } = responseDirectives(stored.headers, rules);
    limit = Math.max(limit, seconds(directives, 'stale-while-revalidate') ?? 0);
  }
  return limit > 0 && staleness(stored, now) <= limit;
}

import { directivesOf, fieldsNamed, requestDirectives, seconds } from './cache-control.js';
import type { RequestMessage, StoredMessage } from './messages.js';
import { holds } from './range.js';
import type { Rules } from './rules.js';

/** Answers that say something of the caller, or of the resource, rather than of the origin's health. */
const NO_OUTAGE: ReadonlySet<number> = new Set([401, 403, 407, 410]);

/** Seconds past its freshness; 0 for a fresh response. */
export function staleness(stored: StoredMessage, now: number): number {
  return Math.max(0, (now - stored.staleAt) / 1000);
}

/** RFC 9111 section 4.2.4: whether the response itself forbids that it is used when stale. */
export function forbidsStale(stored: StoredMessage, rules: Pick<Rules, 'shared'>): boolean {
  const directives = directivesOf(stored.headers);
  if (directives.has('must-revalidate') || fieldsNamed(directives, 'no-cache') === 'all') return true;
  return rules.shared && (directives.has('proxy-revalidate') || directives.has('s-maxage'));
}

/**
 * Whether the stored response may answer in place of a failure (RFC 5861 section 4; requests-cache: `stale_if_error`).
 *
 * @param failure its status; none where no answer came
 */
export function mayServeStale(
  request: RequestMessage,
  stored: StoredMessage,
  failure: { readonly status?: number },
  rules: Rules,
  now: number,
): boolean {
  if (!isFailure(failure.status, rules) || !holds(request, stored)) return false;
  // What is still fresh may be forbidden to go stale, and yet answer where a refresh fails.
  const fresh = stored.staleAt > now && fieldsNamed(directivesOf(stored.headers), 'no-cache') !== 'all';
  if (rules.cacheControl && !fresh && forbidsStale(stored, rules)) return false;
  const limit = staleIfErrorLimit(request, stored, rules);
  return limit !== undefined && staleness(stored, now) <= limit;
}

/** The longest staleness that anyone allows, in seconds; undefined where nobody does. */
function staleIfErrorLimit(request: RequestMessage, stored: StoredMessage, rules: Rules): number | undefined {
  const limits = [rules.staleIfError?.limit];
  if (rules.cacheControl) {
    limits.push(seconds(directivesOf(stored.headers), 'stale-if-error'));
    limits.push(seconds(requestDirectives(request.headers), 'stale-if-error'));
  }
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.max(...given);
}

function isFailure(status: number | undefined, rules: Rules): boolean {
  if (status === undefined) return true;
  const codes = rules.staleIfError?.codes;
  if (codes) return codes.has(status);
  if (rules.allowableCodes?.has(status)) return false;
  // RFC 5861 section 4 knows errors of servers alone.
  if (rules.cacheControl) return status >= 500;
  return status >= 400 && !NO_OUTAGE.has(status);
}

/** Whether an expired response may be served while it is refreshed (RFC 5861 section 3). */
export function mayServeWhileRevalidating(stored: StoredMessage, rules: Rules, now: number): boolean {
  let limit = rules.staleWhileRevalidate;
  if (rules.cacheControl) {
    if (forbidsStale(stored, rules)) return false;
    limit = Math.max(limit, seconds(directivesOf(stored.headers), 'stale-while-revalidate') ?? 0);
  }
  return limit > 0 && staleness(stored, now) <= limit;
}

import { currentAge } from './age.js';
import { type Directives, directivesOf, fieldsNamed, requestDirectives, seconds } from './cache-control.js';
import type { RequestMessage, StoredMessage } from './messages.js';
import { holds, isSingleRange } from './range.js';
import type { Rules } from './rules.js';
import { forbidsStale, mayServeStale, mayServeWhileRevalidating, staleness } from './stale.js';
import { validators } from './validation.js';

/** What is to be done for a request, and the condition that decided. */
export interface Decision {
  readonly action: 'serve' | 'serve-and-refresh' | 'revalidate' | 'fetch' | 'refuse';
  readonly reason: string;
}

/** Why a request has no business with the cache, before anything is looked up; undefined where it has. */
export function bypassReason(request: RequestMessage, rules: Rules): string | undefined {
  const { headers } = request;
  if (!rules.allowableMethods.has(request.method)) return 'method';
  if (headers.range !== undefined && !(rules.cacheControl && isSingleRange(request))) return 'range';
  if (headers['if-range'] !== undefined && !rules.cacheControl) return 'range';
  if (!rules.cacheControl) return undefined;
  if (requestDirectives(headers).has('no-store')) return 'request-no-store';
  // RFC 9111 section 4.3.2: these are for the origin alone.
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return 'precondition';
  return undefined;
}

/** Decides on a request, with what is stored for it. */
export function decide(
  request: RequestMessage,
  stored: StoredMessage | undefined,
  rules: Rules,
  now: number,
): Decision {
  const wanted = rules.cacheControl ? requestDirectives(request.headers) : undefined;
  const onlyIfCached = rules.onlyIfCached || (wanted?.has('only-if-cached') ?? false);
  if (!stored || !holds(request, stored)) {
    const reason = stored ? 'partial' : 'miss';
    return onlyIfCached ? { action: 'refuse', reason: 'only-if-cached' } : { action: 'fetch', reason };
  }
  if (rules.forceRefresh && !onlyIfCached) return { action: 'fetch', reason: 'force-refresh' };

  const obstacle = wanted ? obstacleByProtocol(stored, wanted, rules, now) : obstacleBySettings(stored, rules, now);
  if (obstacle === undefined) return { action: 'serve', reason: stored.staleAt > now ? 'fresh' : 'max-stale' };
  if (onlyIfCached) {
    const stale = obstacle === 'stale' && mayServeStale(request, stored, {}, rules, now);
    return stale ? { action: 'serve', reason: 'stale-if-error' } : { action: 'refuse', reason: 'only-if-cached' };
  }
  if (obstacle === 'stale' && mayServeWhileRevalidating(stored, rules, now)) {
    return { action: 'serve-and-refresh', reason: 'stale-while-revalidate' };
  }
  return { action: validators(stored) ? 'revalidate' : 'fetch', reason: obstacle };
}

/** Why the stored response may not be served as it is, by the settings alone. */
function obstacleBySettings(stored: StoredMessage, rules: Rules, now: number): string | undefined {
  if (rules.refresh || rules.forceRefresh) return 'refresh';
  if (rules.alwaysRevalidate) return 'always-revalidate';
  return stored.staleAt > now ? undefined : 'stale';
}

/** RFC 9111 section 4: why the stored response may not be served as it is. */
function obstacleByProtocol(stored: StoredMessage, wanted: Directives, rules: Rules, now: number): string | undefined {
  const said = directivesOf(stored.headers);
  const fresh = stored.staleAt > now;
  if (rules.refresh || rules.forceRefresh) return 'refresh';
  if (wanted.has('no-cache')) return 'request-no-cache';
  // RFC 8246: there is nothing to ask as long as it is fresh, and a reload (max-age=0) is no reason to.
  const immutable = fresh && said.has('immutable');
  if (rules.alwaysRevalidate && !immutable) return 'always-revalidate';
  if (fieldsNamed(said, 'no-cache') === 'all') return 'no-cache';
  const maxStale = seconds(wanted, 'max-stale');
  const maxAge = seconds(wanted, 'max-age');
  // Section 5.2.1.1: ages are rounded down; and who gives a greatest age wants nothing stale, unless it says so.
  if (maxAge !== undefined && !(immutable && maxAge === 0)) {
    if (currentAge(stored, now) >= maxAge || (!fresh && maxStale === undefined)) return 'request-max-age';
  }
  const minFresh = seconds(wanted, 'min-fresh');
  if (minFresh !== undefined && (stored.staleAt - now) / 1000 < minFresh) return 'request-min-fresh';
  if (fresh) return undefined;
  const accepted = maxStale !== undefined && staleness(stored, now) <= maxStale && !forbidsStale(stored, rules);
  return accepted ? undefined : 'stale';
}

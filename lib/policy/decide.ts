import { currentAge } from './age.js';
import { type Directives, listedFields, requestDirectives, seconds } from './cache-control.js';
import type { RequestMessage, StoredMessage } from './messages.js';
import { parseUrl } from './parse-url.js';
import { coversRequest, isSingleRange } from './range.js';
import type { AskReason, NotCachedReason, ServedReason } from './reasons.js';
import { responseDirectives } from './response-directives.js';
import { allowsMethod, type Rules } from './rules.js';
import {
  isFresh,
  isFromFuture,
  mayServeOnError,
  mayServeWhileRevalidating,
  prohibitsStale,
  staleness,
} from './stale.js';
import { validators } from './validation.js';

/** The action for a request, and the condition that decided. */
export interface Decision {
  readonly action: 'serve' | 'serve-and-refresh' | 'revalidate' | 'fetch' | 'refuse';
  readonly reason: AskReason | ServedReason | 'partial' | 'invalidated';
  /** With `networkFirst`: seconds after which the stored response answers while the origin request continues. */
  readonly serveAfter?: number;
}

/** Returns why a request bypasses the cache before anything is looked up; undefined if it does not. */
export function bypassReason(request: RequestMessage, rules: Rules): NotCachedReason | undefined {
  const { headers, method } = request;
  if (!allowsMethod(rules, method)) return 'method';
  // RFC 10008 section 2: the content has no meaning without its type, and servers refuse it.
  if (method === 'QUERY' && headers['content-type'] === undefined) return 'content-type';
  if (headers.range !== undefined && !(rules.cacheControl && isSingleRange(request))) return 'range';
  if (headers['if-range'] !== undefined && !rules.cacheControl) return 'range';
  if (!rules.cacheControl) return undefined;
  if (requestDirectives(headers).has('no-store')) return 'request-no-store';
  // RFC 9111 section 4.3.2: only the origin evaluates these.
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return 'precondition';
  return undefined;
}

/**
 * Decides on a request, given the stored response for it.
 *
 * @param now milliseconds since the epoch
 */
export function decide(
  request: RequestMessage,
  stored: StoredMessage | undefined,
  rules: Rules,
  now: number,
): Decision {
  const wanted = rules.cacheControl ? requestDirectives(request.headers) : undefined;
  if (rules.onlyIfCached || wanted?.has('only-if-cached')) return decideOffline(request, stored, wanted, rules, now);
  if (!stored) return { action: 'fetch', reason: 'miss' };
  if (!coversRequest(request, stored)) return { action: 'fetch', reason: 'partial' };
  const reason =
    reasonToAsk(request, stored, rules, now) ??
    reasonNotToServe(request, stored, wanted, rules, now) ??
    (rules.networkFirst === undefined ? undefined : 'network-first');
  if (reason === undefined) return serve(stored, now);
  if (reason === 'stale' && rules.networkFirst === undefined && mayServeWhileRevalidating(stored, rules, now)) {
    return { action: 'serve-and-refresh', reason: 'stale-while-revalidate' };
  }
  const action = !rules.forceRefresh && validators(stored) ? 'revalidate' : 'fetch';
  const serveAfter = rules.networkFirst ?? Number.POSITIVE_INFINITY;
  // Any other reason is a demand for a confirmed or newer response, which a slow origin does not cancel.
  const isAccepted = reason === 'network-first' || reason === 'stale';
  const canWait =
    isAccepted && serveAfter !== Number.POSITIVE_INFINITY && mayServeOnError(request, stored, {}, rules, now);
  return canWait ? { action, reason, serveAfter } : { action, reason };
}

function serve(stored: StoredMessage, now: number): Decision {
  return { action: 'serve', reason: isFresh(stored, now) ? 'fresh' : 'max-stale' };
}

/** Decides on a request that must not reach the origin: neither settings nor the caller can ask for a refresh. */
function decideOffline(
  request: RequestMessage,
  stored: StoredMessage | undefined,
  wanted: Directives | undefined,
  rules: Rules,
  now: number,
): Decision {
  const refused: Decision = { action: 'refuse', reason: 'only-if-cached' };
  if (!stored || !coversRequest(request, stored)) return refused;
  const reason = reasonNotToServe(request, stored, wanted, rules, now);
  if (reason === undefined) return serve(stored, now);
  const allowed = (reason === 'stale' || reason === 'max-age') && mayServeOnError(request, stored, {}, rules, now);
  return allowed ? { action: 'serve', reason: 'stale-if-error' } : refused;
}

/** Returns why the origin is asked although the stored response could be served. */
function reasonToAsk(request: RequestMessage, stored: StoredMessage, rules: Rules, now: number): AskReason | undefined {
  if (rules.forceRefresh) return 'force-refresh';
  if (rules.refresh) return 'refresh';
  return rules.alwaysRevalidate && !isImmutable(request, stored, rules, now) ? 'always-revalidate' : undefined;
}

/**
 * Returns why the stored response may not be served as it is: by the settings, and with `cacheControl` by RFC 9111
 * section 4.
 *
 * @param wanted the directives of the request; undefined without `cacheControl`
 */
function reasonNotToServe(
  request: RequestMessage,
  stored: StoredMessage,
  wanted: Directives | undefined,
  rules: Rules,
  now: number,
): AskReason | 'invalidated' | undefined {
  if (stored.isInvalidated) return 'invalidated';
  if (exceedsMaxAge(stored, rules, now)) return 'max-age';
  if (!wanted) return isFresh(stored, now) ? undefined : 'stale';
  if (wanted.has('no-cache')) return 'request-no-cache';
  if (listedFields(responseDirectives(stored.headers, rules).directives, 'no-cache') === 'all') return 'no-cache';
  const maxStale = seconds(wanted, 'max-stale');
  const maxAge = seconds(wanted, 'max-age');
  if (maxAge !== undefined && !(maxAge === 0 && isImmutable(request, stored, rules, now))) {
    // Section 5.2.1.1: ages are rounded down, and a maximum age without `max-stale` excludes stale responses.
    if (currentAge(stored, now) >= maxAge || isFromFuture(stored, now)) return 'request-max-age';
    if (maxStale === undefined && !isFresh(stored, now)) return 'request-max-age';
  }
  const minFresh = seconds(wanted, 'min-fresh');
  if (minFresh !== undefined && (stored.staleAt - now) / 1000 < minFresh) return 'request-min-fresh';
  if (isFresh(stored, now)) return undefined;
  const accepted = maxStale !== undefined && staleness(stored, now) <= maxStale && !prohibitsStale(stored, rules);
  return accepted ? undefined : 'stale';
}

/** Returns whether the stored response was received longer ago than the option `maxAge` allows. */
function exceedsMaxAge(stored: StoredMessage, { maxAge }: Rules, now: number): boolean {
  if (maxAge === undefined) return false;
  if (isFromFuture(stored, now)) return true;
  const { receivedAt } = stored;
  return 'at' in maxAge ? receivedAt < maxAge.at : now - receivedAt >= maxAge.seconds * 1000;
}

/**
 * RFC 8246 section 2: a fresh response with `immutable` need not be revalidated, not even for a reload (`max-age=0`).
 * Ignored without https, where a third party could have added it or cut the response short.
 */
function isImmutable(request: RequestMessage, stored: StoredMessage, rules: Rules, now: number): boolean {
  if (!rules.cacheControl || !isFresh(stored, now)) return false;
  if (!responseDirectives(stored.headers, rules).directives.has('immutable')) return false;
  return isSecure(request.url) && isSecure(stored.url);
}

/** Hosts whose http counts as secure: nothing leaves the machine (a secure context in browsers). */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

function isSecure(url: string): boolean {
  const { protocol, hostname = '' } = parseUrl(url) ?? {};
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
}

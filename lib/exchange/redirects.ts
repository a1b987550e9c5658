import type { CacheRequest } from '../models/cache-request.js';
import type { RedirectRecord, ResponseRecord } from '../models/record.js';
import { chain, type MaybePromise } from '../platform/maybe-promise.js';
import type { Expiration } from '../policy/expiration.js';
import { freshnessOf } from '../policy/lifetime.js';
import { canParseUrl, parseUrl } from '../policy/parse-url.js';
import { storageObstacle } from '../policy/storable.js';
import { dropsCredentials } from '../request/added-credentials.js';
import { hasCredentials, keyOf, namesOtherHost } from '../request/cache-key.js';
import { followedRequest } from '../request/followed-request.js';
import { urlIndexNames } from '../request/index-names.js';
import { normalizeUrl } from '../request/normalize-url.js';
import { redactUrl } from '../request/redaction.js';
import { hasLifetimeOf } from '../settings/lifetime.js';
import type { OriginResponse } from './origin.js';
import type { RequestContext } from './request-context.js';

/**
 * Returns when a redirected response becomes stale: with `cacheControl` no later than the redirects of its chain, each of
 * which is a response of its own. Undefined if one of them may not be stored.
 *
 * @param configured the lifetime that is set for the response
 * @param own milliseconds since the epoch: when the response itself becomes stale
 */
export function chainStaleAt(
  context: RequestContext,
  response: OriginResponse,
  { configured, own }: { readonly configured: Expiration | undefined; readonly own: number },
): number | undefined {
  const { request, settings } = context;
  if (!settings.cacheControl) return own;
  let staleAt = own;
  for (const hop of response.hops) {
    // The statuses that a user allows are those of final responses.
    const rules = { ...settings, allowableCodes: new Set([hop.status]) };
    if (storageObstacle({ ...request, url: hop.url }, hop, rules, configured) !== undefined) return undefined;
    const lifetime = freshnessOf(hop, rules, configured, response);
    if (lifetime === undefined) return undefined;
    staleAt = Math.min(staleAt, lifetime.staleAt);
  }
  return staleAt;
}

/**
 * Returns whether a stored response may answer a request that would follow redirects with credentials of its own: only if
 * none of the redirects that led to the response, from the asked URL on, would get any.
 */
export function mayServeRedirected(
  { request, settings }: RequestContext,
  record: ResponseRecord,
): MaybePromise<boolean> {
  if (!request.carriesMoreTo) return true;
  const urls = [...record.history.map(({ url }) => url), record.url];
  const chainUrls = urls.filter((url) => canParseUrl(url)).map(normalizeUrl);
  const asked = chainUrls.lastIndexOf(normalizeUrl(redactUrl(request.url, settings)));
  const later = chainUrls.slice(asked + 1);
  return later.length === 0 ? true : chain(request.carriesMoreTo(later), (more) => !more);
}

/** Returns whether a 304 speaks of the stored response: a validator means nothing to another target. */
export function isSameTarget(context: RequestContext, stored: ResponseRecord, response: OriginResponse): boolean {
  const redacted = redactUrl(response.url, context.settings);
  if (normalizeUrl(redacted) !== normalizeUrl(stored.url)) return false;
  // Two URLs that differ only in a secret have the same redacted form.
  return redacted === response.url || (response.hops.length === 0 && stored.history.length === 0);
}

/** Returns mappings from the other URLs of a response's redirect chain to the key of the request as asked. */
export function redirectRecords(
  context: RequestContext,
  response: OriginResponse,
  record: ResponseRecord,
): RedirectRecord[] {
  const { cache, request, settings } = context;
  if (response.hops.length === 0 && sameUrl(response.url, request.url)) return [];
  const asked = new URL(request.url);
  const bound = isBoundToOrigin(context, record);
  // The HTTP client sends it with the first request only.
  if (namesOtherHost(request)) return [];
  const records = new Map<string, RedirectRecord>();
  const { hops } = response;
  // Without hops, the redirects between are unknown, and with them the method of the last request.
  if (hops.length === 0 && request.method !== 'GET' && request.method !== 'HEAD') return [];
  let left = bound && (hops.length === 0 || dropsCredentials(request, response.sent, settings));
  for (const [index, target] of [...hops.slice(1).map(({ url }) => url), response.url].entries()) {
    const url = withUserinfo(target, asked);
    // Fields that the client dropped at another origin stay dropped, also at the asked origin.
    left ||= bound && (url === undefined || new URL(url).origin !== asked.origin);
    if (url === undefined || left || !hasLifetimeOf(context, response.url, url)) continue;
    const followed = followedRequest(request, url, hops.slice(0, index + 1));
    const key = keyOf(followed, settings);
    if (key === record.key) continue;
    const { receivedAt, staleAt, order, stamp } = record;
    const indexes = cache.repository.indexes(urlIndexNames(followed.method, [url], settings));
    const redirect = { kind: 'redirect', key, target: record.key, stamp, indexes, order, receivedAt, staleAt } as const;
    records.set(key, { ...redirect, url: redactUrl(url, settings) });
  }
  return [...records.values()];
}

/** Whether the request has a field that decides on the response, and that clients do not send to another origin. */
function isBoundToOrigin({ request, settings }: RequestContext, { vary }: ResponseRecord): boolean {
  if (settings.credentials !== 'ignore' && hasCredentials(request, settings)) return true;
  const { matchHeaders } = settings;
  const matched = typeof matchHeaders === 'boolean' ? [] : matchHeaders;
  const counts = (name: string) => matched.includes(name) || vary.includes(name);
  return droppedFields(request).some((name) => request.headers[name] !== undefined && counts(name));
}

/** The fields that clients remove from a request to another origin: their own list, and `sensitiveHeaders` of the config. */
function droppedFields({ transport }: CacheRequest): readonly string[] {
  const named = transport.find(([name]) => name === 'sensitiveHeaders')?.[1];
  const sensitive =
    named === undefined ? [] : (JSON.parse(named) as unknown[]).map((name) => String(name).toLowerCase());
  return ['authorization', 'cookie', 'proxy-authorization', ...sensitive];
}

/** Whether two absolute URLs are equal in normalized form. */
export function sameUrl(a: string, b: string): boolean {
  return a === b || normalizeUrl(a) === normalizeUrl(b);
}

/** The URL with the user name and password of the asked URL instead of what the HTTP client added; undefined if it is none. */
function withUserinfo(url: string, asked: URL): string | undefined {
  const bare = parseUrl(url);
  if (!bare) return undefined;
  const same = bare.origin === asked.origin;
  bare.username = same ? asked.username : '';
  bare.password = same ? asked.password : '';
  bare.hash = '';
  return bare.href;
}

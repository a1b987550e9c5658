import { type Directives, listedFields, requestDirectives } from './cache-control.js';
import { cacheGroups } from './cache-groups.js';
import type { Expiration } from './expiration.js';
import { allowsHeuristics, explicitLifetime } from './lifetime.js';
import { type Fields, field, newFields, type RequestMessage, type ResponseMessage } from './messages.js';
import { parseUrl } from './parse-url.js';
import type { NotCachedReason, NotStoredReason } from './reasons.js';
import { responseDirectives } from './response-directives.js';
import { allowsMethod, allowsStatus, type Rules } from './rules.js';
import { validators } from './validation.js';

type StorageObstacle = NotStoredReason | NotCachedReason;

/** RFC 9111 section 3.1 and RFC 9110 section 7.6.1. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Statuses whose caching requirements this cache implements (RFC 9111 section 5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 451, 500, 501, 502, 503, 504,
]);

/** Responses to the conditions or the range of one request; stored, they would answer other requests. */
const NEVER_STORED: ReadonlySet<number> = new Set([304, 412, 416]);

/**
 * Returns why a response may not be stored, by method and status, and with `cacheControl` by RFC 9111 section 3; undefined
 * if it may. Reads the headers only, so that it can decide before the body arrives.
 *
 * @param set the setting of the lifetime that applies, if any
 */
export function storageObstacle(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  set: Expiration | undefined,
): StorageObstacle | undefined {
  if (!allowsMethod(rules, request.method)) return 'method';
  if (!allowsStatus(rules, response.status)) return 'status';
  return rules.cacheControl ? protocolObstacle(request, response, rules, set) : undefined;
}

function protocolObstacle(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  set: Expiration | undefined,
): StorageObstacle | undefined {
  const { directives } = responseDirectives(response.headers, rules);
  if (NEVER_STORED.has(response.status) || response.status < 200) return 'status';
  if (requestDirectives(request.headers).has('no-store')) return 'request-no-store';
  if (directives.has('must-understand')) {
    if (!UNDERSTOOD.has(response.status)) return 'must-understand';
  } else if (directives.has('no-store')) return 'no-store';
  if (rules.shared && listedFields(directives, 'private') === 'all') return 'private';
  if (rules.shared && request.headers.authorization !== undefined && !allowsAuthorized(directives)) {
    return 'authorization';
  }
  if (cacheGroups(response.headers) === 'too-many') return 'groups';
  if (explicitLifetime(response, rules, 0) !== undefined) return undefined;
  if (!isStorableWithoutLifetime(response, rules)) return 'status';
  // A lifetime or a validator must make the response usable later.
  return set !== undefined || validators(response) !== undefined ? undefined : 'no-lifetime';
}

/** RFC 9111 section 3, last condition: whether a response without an explicit lifetime may be stored. */
function isStorableWithoutLifetime(response: ResponseMessage, rules: Rules): boolean {
  if (allowsHeuristics(response, rules)) return true;
  const { directives } = responseDirectives(response.headers, rules);
  return (!rules.shared && directives.has('private')) || (rules.allowableCodes?.has(response.status) ?? false);
}

/** RFC 9111 section 3.5. */
function allowsAuthorized(directives: Directives): boolean {
  return directives.has('must-revalidate') || directives.has('public') || directives.has('s-maxage');
}

/**
 * Returns whether the response to a POST may answer later GETs (RFC 9110 section 9.3.3): it needs an explicit freshness
 * lifetime and a Content-Location that equals the target. It must also be storable as a response to a GET.
 *
 * @param now milliseconds since the epoch
 */
export function answersLaterGets(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  now: number,
): boolean {
  if (!rules.cacheControl || request.method !== 'POST' || response.status !== 200) return false;
  if ((explicitLifetime(response, rules, now) ?? 0) <= 0) return false;
  const location = field(response.headers, 'content-location');
  if (location === undefined) return false;
  return parseUrl(location, request.url)?.href === new URL(request.url).href;
}

/**
 * Returns the fields of a response that may be stored (RFC 9111 section 3.1). With `cacheControl` the fields listed in
 * `no-cache`, and for a shared cache in `private`, are left out, so that the rest can be used without validation.
 */
export function storedFields(
  headers: Fields,
  rules: Pick<Rules, 'cacheControl' | 'shared' | 'targetedFields'>,
): Fields {
  const excluded = new Set(HOP_BY_HOP);
  for (const name of (field(headers, 'connection') ?? '').split(',')) excluded.add(name.trim().toLowerCase());
  if (rules.cacheControl) {
    const { directives } = responseDirectives(headers, rules);
    const lists = [
      listedFields(directives, 'no-cache'),
      rules.shared ? listedFields(directives, 'private') : undefined,
    ];
    for (const name of lists.flatMap((names) => (typeof names === 'object' ? names : []))) excluded.add(name);
  }
  const kept = newFields();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !excluded.has(name)) kept[name] = value;
  }
  return kept;
}

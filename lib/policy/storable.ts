import { type Directives, directivesOf, fieldsNamed, requestDirectives } from './cache-control.js';
import type { Expiration } from './expiration.js';
import { explicitLifetime, heuristicAllowed } from './lifetime.js';
import { type Fields, field, newFields, type RequestMessage, type ResponseMessage } from './messages.js';
import type { Rules } from './rules.js';
import { validators } from './validation.js';

/** Whether a response may be stored, and the condition that decided. */
export interface Verdict {
  readonly store: boolean;
  readonly reason: string;
}

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

/** Statuses whose meaning for a cache this one knows (RFC 9111 section 5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 451, 500, 501, 502, 503, 504,
]);

/** These answer conditions and ranges of one request; stored, they would answer others. */
const NEVER_STORED: ReadonlySet<number> = new Set([304, 412, 416]);

/**
 * Whether a whole answer may be stored (RFC 9111 section 3; without `cacheControl` by method and status alone).
 *
 * @param set the lifetime that the user has set, if any
 */
export function storable(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  set: Expiration | undefined,
): Verdict {
  if (!rules.allowableMethods.has(request.method)) return no('method');
  if (rules.allowableCodes && !rules.allowableCodes.has(response.status)) return no('status');
  return rules.cacheControl ? storableByProtocol(request, response, rules, set) : YES;
}

const YES: Verdict = { store: true, reason: 'storable' };

function no(reason: string): Verdict {
  return { store: false, reason };
}

function storableByProtocol(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  set: Expiration | undefined,
): Verdict {
  const directives = directivesOf(response.headers);
  if (NEVER_STORED.has(response.status) || response.status < 200) return no('status');
  if (requestDirectives(request.headers).has('no-store')) return no('request-no-store');
  const understood = UNDERSTOOD.has(response.status);
  if (directives.has('must-understand')) {
    if (!understood) return no('must-understand');
  } else if (directives.has('no-store')) return no('no-store');
  if (rules.shared && fieldsNamed(directives, 'private') === 'all') return no('private');
  if (rules.shared && request.headers.authorization !== undefined && !allowsAuthorized(directives)) {
    return no('authorization');
  }
  return allowedToBeKept(response, rules, set) ? YES : no('no-lifetime');
}

/** RFC 9111 section 3, last condition; and something must make the response usable later. */
function allowedToBeKept(response: ResponseMessage, rules: Rules, set: Expiration | undefined): boolean {
  if (explicitLifetime(response, rules.shared, 0) !== undefined) return true;
  const directives = directivesOf(response.headers);
  const isPrivate = !rules.shared && directives.has('private');
  const named = rules.allowableCodes?.has(response.status) ?? false;
  if (!heuristicAllowed(response) && !isPrivate && !named) return false;
  if (set || validators(response)) return true;
  return heuristicAllowed(response) && response.headers['last-modified'] !== undefined;
}

/** RFC 9111 section 3.5. */
function allowsAuthorized(directives: Directives): boolean {
  return directives.has('must-revalidate') || directives.has('public') || directives.has('s-maxage');
}

/**
 * RFC 9110 section 9.3.3: whether a POST's response may serve later GETs, which takes an explicit lifetime and a
 * Content-Location that names the target. It must be storable as the answer to a GET, too.
 *
 * @param now milliseconds
 */
export function servesLaterGets(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Rules,
  now: number,
): boolean {
  if (!rules.cacheControl || request.method !== 'POST' || response.status !== 200) return false;
  if ((explicitLifetime(response, rules.shared, now) ?? 0) <= 0) return false;
  const location = field(response.headers, 'content-location');
  if (location === undefined || !URL.canParse(location, request.url)) return false;
  return new URL(location, request.url).href === new URL(request.url).href;
}

/**
 * RFC 9111 section 3.1: the fields of a response that may be stored. With `cacheControl` those that `no-cache` or, in a
 * shared cache, `private` name are left out, so that the rest may be used without asking.
 */
export function storedFields(headers: Fields, rules: Pick<Rules, 'cacheControl' | 'shared'>): Fields {
  const left = new Set(HOP_BY_HOP);
  for (const name of (field(headers, 'connection') ?? '').split(',')) left.add(name.trim().toLowerCase());
  if (rules.cacheControl) {
    const directives = directivesOf(headers);
    const named = [fieldsNamed(directives, 'no-cache'), rules.shared ? fieldsNamed(directives, 'private') : undefined];
    for (const names of named) if (Array.isArray(names)) for (const name of names) left.add(name);
  }
  const kept = newFields();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !left.has(name)) kept[name] = value;
  }
  return kept;
}

import { describe } from '../errors.js';
import type { CacheRequest } from '../models/cache-request.js';
import { sha256 } from '../platform/digest.js';
import { memoize } from '../platform/memo.js';
import { type Fields, field } from '../policy/messages.js';
import { isCredentialHeader, isIgnored, isIgnoredNested, type NameRules, type ParameterRule } from './credentials.js';
import { userinfoOf } from './normalize-url.js';
import { hasCredentialParameter, keyUrl } from './redaction.js';
import { canonicalBody } from './request-body.js';
import { targetFields } from './target-fields.js';

/**
 * How credentials take part in the key: `'isolate'`: requests with different credentials never share a stored response;
 * `'ignore'`: they do; a function returns the principal of a request's axios config (`undefined` or `''`: none).
 */
export type Credentials = 'isolate' | 'ignore' | ((config: object) => string | undefined | Promise<string | undefined>);

/** The settings of one call that determine its key. */
export interface KeyRules extends NameRules {
  /** Headers that are part of the key: all, the named (lower case), or none. */
  readonly matchHeaders: boolean | readonly string[];
  readonly credentials: Credentials;
  readonly keyFn: ((request: CacheRequest, settings: object) => string) | undefined;
}

/** Part of every key, so that entries under keys of another form are never found. */
const KEY_FORMAT = 2;
/** Request fields that describe the body and hence belong to it. */
const CONTENT_FIELDS = ['content-type', 'content-encoding', 'content-language'] as const;
/** The same, but rare: it counts only if it is present. */
const CONTENT_LOCATION = 'content-location';
const SET_FOR_FORMS = /^(?:multipart\/form-data\s*(?:;\s*boundary=|$)|application\/x-www-form-urlencoded$)/i;
/** Parts of the transport that identify the client. */
const CLIENT_CERTIFICATES: ReadonlySet<string> = new Set(['cert', 'pfx']);

const digestOf = memoize(sha256);

/**
 * Returns the key of a request: that of `keyFn`, else of {@link createKey}.
 *
 * @throws the error of `keyFn`; a TypeError if it returns anything but a text that is not empty
 */
export function keyOf(request: CacheRequest, rules: KeyRules): string {
  if (!rules.keyFn) return createKey(request, rules);
  const key: unknown = rules.keyFn(request, rules);
  if (typeof key === 'string' && key !== '') return key;
  throw new TypeError(`keyFn returned ${describe(key)}; expected a text that is not empty`);
}

/**
 * Returns the key of a request (requests-cache: `create_key`): SHA-256, as 64 hex digits, of its method, URL, body,
 * matched headers, principal, and everything else that changes the answer.
 *
 * @example
 * setupCache(axios.create(), { keyFn: (request, rules) => createKey({ ...request, url: request.url.toLowerCase() }, rules) });
 */
export function createKey(request: CacheRequest, rules: KeyRules): string {
  return digestOf(keyText(request, rules));
}

/** The text that the key is the digest of. Plain requests have a short form that no other text begins with. */
function keyText(request: CacheRequest, rules: KeyRules): string {
  const url = keyUrl(request.url, rules);
  const principal = principalOf(request, rules);
  const { method, body, transport } = request;
  const host = hostOf(request);
  const target = targetFields(request, rules);
  const plain =
    body.kind === 'none' &&
    principal === '' &&
    transport.length === 0 &&
    rules.matchHeaders === false &&
    host === undefined &&
    target.length === 0;
  if (plain) return `${KEY_FORMAT} ${method} ${url}`;
  const parts = [contentOf(request, rules), matchedHeaders(request, rules), transport, host ?? 0];
  if (target.length > 0) parts.push(target);
  return JSON.stringify([KEY_FORMAT, method, url, principal, ...parts]);
}

/**
 * Returns the principal of a request, in a form for the key and never for the store; `''` without credentials. It is
 * the result of a `credentials` function; with `'isolate'` it is all credentials of the request.
 */
export function principalOf(request: CacheRequest, rules: KeyRules): string {
  const { credentials } = rules;
  if (credentials === 'ignore') return '';
  // Never the text that `'isolate'` makes of credentials, which is JSON.
  if (credentials !== 'isolate') return request.principal ? `=${request.principal}` : '';
  return credentialsOf(request, rules);
}

/** Returns whether the request carries credentials in any place, parameters of the URL included. */
export function hasCredentials(request: CacheRequest, rules: KeyRules): boolean {
  const all = { ...rules, ignoredParameters: new Set<string>() };
  if (credentialsOf(request, all) !== '' || hasCredentialParameter(request.url, all)) return true;
  return request.transport.some(([name]) => CLIENT_CERTIFICATES.has(name.slice(name.lastIndexOf('.') + 1)));
}

/**
 * Returns a function that decides whether a field counts in Vary. What `credentials` or `ignoredParameters` leave out does
 * not. Credentials count if the key has none of them, since it is that of `keyFn` or they are ignored parameters: their
 * users would otherwise share a response although the origin distinguishes them.
 */
export function countsInVary(rules: KeyRules): (name: string) => boolean {
  const countsCredentials = rules.keyFn !== undefined && rules.credentials !== 'ignore';
  return (name) =>
    isCredentialHeader(name, rules) ? countsCredentials || isIgnored(name, rules) : !isIgnored(name, rules);
}

function credentialsOf(request: CacheRequest, rules: NameRules): string {
  const parts: unknown[] = [];
  for (const name in request.headers) {
    if (isCredentialHeader(name, rules) && !isIgnored(name, rules)) parts.push([name, field(request.headers, name)]);
  }
  if (parts.length > 1) parts.sort(byText);
  if (request.jarCookies !== undefined) parts.push(['jar', request.jarCookies]);
  const user = request.auth ?? userinfoOf(request.url);
  if (user) parts.push(['user', user.username, user.password]);
  return parts.length === 0 ? '' : JSON.stringify(parts);
}

function byText(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : 1;
}

/** Whether the Host field names another host than the URL. */
export function namesOtherHost(request: CacheRequest): boolean {
  return hostOf(request) !== undefined;
}

/** The Host field, if it names another host than the URL. */
function hostOf({ headers, url }: CacheRequest): string | undefined {
  const host = field(headers, 'host')?.trim().toLowerCase();
  return host === undefined || host === new URL(url).host ? undefined : host;
}

function contentOf(request: CacheRequest, rules: KeyRules): unknown {
  const rule: ParameterRule = (name) => (isIgnoredNested(name, rules) ? 'omit' : 'keep');
  const body = canonicalBody(request, rule);
  if (body === undefined) return 0;
  const isForm = request.body.kind === 'form';
  const type = request.body.kind === 'bytes' ? (request.body.type ?? '') : '';
  const described = CONTENT_FIELDS.map((name) => {
    const value = field(request.headers, name) ?? null;
    // The adapter sets the type of FormData, with a random boundary.
    return isForm && SET_FOR_FORMS.test(value ?? '') ? null : value;
  });
  const location = field(request.headers, CONTENT_LOCATION);
  return [...body, type, ...described, ...(location === undefined ? [] : [location])];
}

/**
 * Named headers count, also those that are credentials. `true` leaves credentials to the principal, and what describes the
 * body to the body. `ignoredParameters` leave out any other header.
 */
function matchedHeaders({ headers, body }: CacheRequest, rules: KeyRules): unknown {
  const { matchHeaders } = rules;
  if (matchHeaders === false) return 0;
  const isLeft = (name: string) => body.kind === 'none' || !(CONTENT_FIELDS as readonly string[]).includes(name);
  const names = matchHeaders === true ? Object.keys(headers).sort().filter(isLeft) : matchHeaders;
  return names
    .filter((name) => (isCredentialHeader(name, rules) ? matchHeaders !== true : !isIgnored(name, rules)))
    .map((name) => [name, matchedValue(headers, name)]);
}

function matchedValue(headers: Fields, name: string): string | null {
  return field(headers, name) ?? null;
}

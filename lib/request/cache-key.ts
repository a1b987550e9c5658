import { describe } from '../errors.js';
import type { CacheRequest } from '../models/cache-request.js';
import { sha256 } from '../platform/digest.js';
import { type Fields, field } from '../policy/messages.js';
import { isCredentialHeader, isCredentialParameter } from './credentials.js';
import { mapQuery, normalizeUrl } from './normalize-url.js';
import { canonicalBody, mapPairs, type ParameterRule } from './request-body.js';

/** How a call's credentials take part in its key. */
export type Credentials = 'isolate' | 'ignore' | ((config: object) => string | undefined);

/** The settings of one call that make its key. */
export interface KeyRules {
  /** Headers that are part of the key: all, the named (lower case), or none. */
  readonly matchHeaders: boolean | readonly string[];
  /** Lower-case names left out of key and store. */
  readonly ignoredParameters: ReadonlySet<string>;
  readonly credentials: Credentials;
  readonly keyFn: ((request: CacheRequest, settings: object) => string) | undefined;
}

/** Part of every key, so that another way of making keys never meets the entries of this one. */
const KEY_FORMAT = 1;

/** Digests of the plainest requests, since the same few are asked again and again. */
const digests = new Map<string, string>();
const MEMO_ENTRIES = 500;
const MEMO_LENGTH = 2_000;

/**
 * The key of a request, as `keyFn` or else {@link createKey} makes it.
 *
 * @throws what `keyFn` throws; a TypeError where it returns anything but a text that is not empty
 */
export function keyOf(request: CacheRequest, rules: KeyRules): string {
  if (!rules.keyFn) return createKey(request, rules);
  const key: unknown = rules.keyFn(request, rules);
  if (typeof key === 'string' && key !== '') return key;
  throw new TypeError(`keyFn returned ${describe(key)}; expected a text that is not empty`);
}

/**
 * The key of a request (requests-cache: `create_key`): SHA-256 as 64 hex digits over its method, URL, body, matched
 * headers, principal, and whatever else changes the answer.
 */
export function createKey(request: CacheRequest, rules: KeyRules): string {
  const text = keyText(request, rules);
  if (text.length > MEMO_LENGTH) return sha256(text);
  let digest = digests.get(text);
  if (digest === undefined) {
    digest = sha256(text);
    if (digests.size >= MEMO_ENTRIES) digests.clear();
    digests.set(text, digest);
  }
  return digest;
}

/** What the key is the digest of. The plainest requests have a form of their own, which no other text begins like. */
function keyText(request: CacheRequest, rules: KeyRules): string {
  const url = keyUrl(request, rules);
  const principal = principalOf(request, rules);
  const { method, body, transport } = request;
  const plain = body.kind === 'none' && principal === '' && transport.length === 0 && rules.matchHeaders === false;
  if (plain) return `${KEY_FORMAT} ${method} ${url}`;
  const content = canonicalBody(request, ruleFor(rules)) ?? 0;
  return JSON.stringify([KEY_FORMAT, method, url, principal, content, matchedHeaders(request, rules), transport]);
}

/**
 * Who asks, in a form for the key and never for the store; `''` for nobody. With a `credentials` function its answer,
 * with `'isolate'` everything that is sent as a credential.
 */
export function principalOf(request: CacheRequest, rules: KeyRules): string {
  const { credentials } = rules;
  if (credentials === 'ignore') return '';
  if (credentials !== 'isolate') return request.principal ?? '';
  const parts: unknown[] = [];
  for (const name in request.headers) {
    if (isCredentialHeader(name) && !rules.ignoredParameters.has(name))
      parts.push([name, field(request.headers, name)]);
  }
  if (parts.length > 1) parts.sort(byText);
  if (request.jarCookies !== undefined) parts.push(['jar', request.jarCookies]);
  const user = request.auth ? [request.auth.username, request.auth.password] : userinfoOf(request.url);
  if (user) parts.push(['user', ...user]);
  return parts.length === 0 ? '' : JSON.stringify(parts);
}

/** Whether the request carries credentials in any place, parameters of the URL included. */
export function hasCredentials(request: CacheRequest, rules: KeyRules): boolean {
  if (principalOf(request, { ...rules, credentials: 'isolate' }) !== '') return true;
  let found = false;
  mapQuery(request.url, (pairs) => {
    mapPairs(pairs, (name) => {
      found ||= isCredentialParameter(name);
      return 'keep';
    });
    return pairs;
  });
  return found;
}

/** A function of a field's name: whether it counts in Vary; what `credentials` or `ignoredParameters` leave out does not. */
export function countsInVary({ ignoredParameters }: KeyRules): (name: string) => boolean {
  return (name) => !isCredentialHeader(name) && !ignoredParameters.has(name);
}

function byText(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : 1;
}

function userinfoOf(url: string): string[] | undefined {
  // Cheap and nearly always enough: no `@`, no userinfo.
  if (!url.includes('@')) return undefined;
  const { username, password } = new URL(url);
  return username || password ? [decode(username), decode(password)] : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The URL's part of the key: userinfo is the principal's, and what the rules leave out is left out. */
function keyUrl({ url }: CacheRequest, rules: KeyRules): string {
  const normal = normalizeUrl(url);
  const bare = normal.includes('@') ? withoutUserinfo(normal) : normal;
  if (rules.credentials === 'isolate' && rules.ignoredParameters.size === 0) return bare;
  return mapQuery(bare, (pairs) => mapPairs(pairs, ruleFor(rules)));
}

function withoutUserinfo(url: string): string {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

/** What of a request's parameters is in the key. */
function ruleFor({ ignoredParameters, credentials }: KeyRules): ParameterRule {
  const isolated = credentials === 'isolate';
  return (name) =>
    ignoredParameters.has(name.toLowerCase()) || (!isolated && isCredentialParameter(name)) ? 'omit' : 'keep';
}

function matchedHeaders({ headers }: CacheRequest, rules: KeyRules): unknown {
  const { matchHeaders, ignoredParameters } = rules;
  if (matchHeaders === false) return 0;
  const counts = (name: string) => !isCredentialHeader(name) && !ignoredParameters.has(name);
  const names = matchHeaders === true ? Object.keys(headers).sort() : matchHeaders;
  return names.filter(counts).map((name) => [name, matchedValue(headers, name)]);
}

function matchedValue(headers: Fields, name: string): string | null {
  return field(headers, name) ?? null;
}

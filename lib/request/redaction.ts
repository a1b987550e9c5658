import type { CacheRequest } from '../models/cache-request.js';
import type { Hop, RequestRecord } from '../models/record.js';
import { type Fields, type FieldValue, newFields } from '../policy/messages.js';
import {
  isCredentialHeader,
  isIgnored,
  isIgnoredNested,
  type NameRules,
  type ParameterRule,
  plainName,
  REDACTED,
  storedParameter,
} from './credentials.js';
import { mapQuery, normalizeUrl, withoutUserinfo } from './normalize-url.js';
import { mapPairs, redactParts, storedBody, valueRule } from './request-body.js';
import { isPartial } from './request-of-record.js';

/**
 * Response fields that are neither stored nor replayed: cookies (Set-Cookie2 is obsolete, RFC 6265 section 9.4), tokens
 * against forgery, and tokens that are issued to the client.
 */
const NEVER_STORED = /^set-cookie2?$|csrf|xsrf|(?:access|refresh|id|auth|session)[^a-z\d]*token/;
/** Request fields that a response has only if it repeats or issues a credential. */
const CREDENTIAL_ANSWER = /^(?:proxy-)?authorization$|^cookie$|api[^a-z\d]*key|password|secret|jwt/;

/** Returns a URL without user name and password, and with `REDACTED` for credentials and ignored parameters. */
export function redactUrl(url: string, rules: NameRules): string {
  const rule = redactionRule(rules);
  const hash = url.indexOf('#');
  if (hash === -1) return redactParameters(stripUserinfo(url), rule);
  // OAuth puts tokens into fragments, as pairs or after a route.
  const fragment = url.slice(hash + 1);
  const redacted = fragment.includes('?')
    ? redactParameters(fragment, rule)
    : mapPairs(fragment.split('&'), rule, valueRule(rule)).join('&');
  return `${redactParameters(stripUserinfo(url.slice(0, hash)), rule)}#${redacted}`;
}

/**
 * Returns the URLs by which a stored response of this URL is found: the normalized URL without user name, password and
 * ignored parameters, and, if it has a credential, its redacted form. Look-ups use the first: it is the redacted form if
 * a redacted URL is given.
 *
 * @throws TypeError if the URL is not absolute
 */
export function lookupUrls(url: string, rules: NameRules): readonly [exact: string, redacted?: string] {
  const exact = keyUrl(url, rules);
  const redacted = redactUrl(exact, rules);
  return redacted === exact ? [exact] : [exact, redacted];
}

/** Returns the URL's part of the key: normalized, without user name, password and ignored parameters. */
export function keyUrl(url: string, rules: NameRules): string {
  const bare = withoutUserinfo(normalizeUrl(url));
  if (rules.ignoredParameters.size === 0) return bare;
  return mapQuery(bare, (pairs) => mapPairs(pairs, (name) => (isIgnored(name, rules) ? 'omit' : 'keep')));
}

/** Returns the stored part of a request. */
export function redactRequest(request: CacheRequest, rules: NameRules): RequestRecord {
  const body = storedBody(request, redactionRule(rules));
  const record: RequestRecord = {
    method: request.method,
    url: redactUrl(request.url, rules),
    headers: mapFields(request.headers, (name, value) =>
      isCredentialHeader(name, rules) || isIgnored(name, rules) ? REDACTED : redactLinks(name, value, rules),
    ),
    ...(body === undefined ? {} : { body }),
  };
  return isPartial(request, record) ? { ...record, isPartial: true } : record;
}

/** Returns the response fields that may be stored. URLs in them are unchanged: see {@link secretInHeader}. */
export function storedHeaders(headers: Fields, rules: NameRules): Fields {
  return mapFields(headers, (name, value) => {
    if (neverStored(name, rules)) return undefined;
    return isIgnored(name, rules) ? REDACTED : value;
  });
}

/**
 * Returns whether a URL in the response fields has a credential. Such a response is stored only encrypted: without it the
 * fields could be neither stored as they are nor replayed redacted.
 */
export function secretInHeader(headers: Fields, rules: NameRules): boolean {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || neverStored(name, rules) || isIgnored(name, rules)) continue;
    if (String(redactLinks(name, value, rules)) !== String(value)) return true;
  }
  return false;
}

/** Returns response fields as they may be stored and reported, URLs redacted. */
function redactHeaders(headers: Fields, rules: NameRules): Fields {
  return mapFields(storedHeaders(headers, rules), (name, value) => redactLinks(name, value, rules));
}

/** Returns the redirects that led to a response, redacted; frozen, since every hit returns them. */
export function redactHops(hops: readonly Hop[], rules: NameRules): readonly Hop[] {
  return Object.freeze(
    hops.map(({ url, status, headers }) =>
      Object.freeze({ url: redactUrl(url, rules), status, headers: Object.freeze(redactHeaders(headers, rules)) }),
    ),
  );
}

/** Returns whether a parameter of the URL is a credential. */
export function hasCredentialParameter(url: string, rules: NameRules): boolean {
  return redactParameters(url, (name) => storedParameter(name, rules)) !== url;
}

function neverStored(name: string, { credentialNames }: NameRules): boolean {
  if (NEVER_STORED.test(name) || CREDENTIAL_ANSWER.test(name)) return true;
  return credentialNames.size > 0 && credentialNames.has(plainName(name));
}

function redactionRule(rules: NameRules): ParameterRule {
  return (name) => (isIgnoredNested(name, rules) ? 'redact' : storedParameter(name, rules));
}

function redactParameters(url: string, rule: ParameterRule): string {
  return redactParts(url, rule, valueRule(rule));
}

function mapFields(headers: Fields, change: (name: string, value: FieldValue) => FieldValue | undefined): Fields {
  const changed = newFields();
  for (const name in headers) {
    const value = headers[name];
    const kept = value === undefined ? undefined : change(name, value);
    if (kept !== undefined) changed[name] = kept;
  }
  return changed;
}

/** The URLs of a field, redacted: in angle brackets and quotes in Link, after `url=` in Refresh, else the whole value. */
function redactLinks(name: string, value: FieldValue, rules: NameRules): FieldValue {
  if (typeof value !== 'string') return value.map((line) => redactLinks(name, line, rules) as string);
  if (!/[?@#;]|%3b/i.test(value)) return value;
  switch (name) {
    case 'link':
      return value.replace(/<[^>]*>|"[^"]*"/g, (part) => part[0] + redactUrl(part.slice(1, -1), rules) + part.at(-1));
    case 'refresh':
      return value.replace(
        /^([\s\d.;,]*(?:url\s*=\s*)?["']?)([^"']*)/i,
        (_, before, url) => before + redactUrl(url, rules),
      );
    case 'location':
    case 'content-location':
    case 'referer':
    case 'sourcemap':
      return redactUrl(value, rules);
    default:
      return /^(?:[a-z][a-z\d+.-]*:\/)?\//i.test(value) ? redactUrl(value, rules) : value;
  }
}

/** Works on text, since the value may be a relative URL or no URL. */
function stripUserinfo(url: string): string {
  if (!url.includes('@')) return url;
  return url.replace(/^(\s*(?:[a-z][a-z\d+.-]*:)?)\/\/[^/?#]*@/i, '$1//');
}

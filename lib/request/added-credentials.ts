import type { CacheRequest } from '../models/cache-request.js';
import type { Fields, FieldValue } from '../policy/messages.js';
import type { KeyRules } from './cache-key.js';
import { isCredentialHeader, isIgnored } from './credentials.js';
import { userinfoOf } from './normalize-url.js';

/**
 * Returns whether the HTTP client sent credentials that the key does not have: an agent, a transport or an adapter added
 * them, or the jar changed after the key was computed. With a `credentials` function, `'ignore'` or `keyFn` the user decides.
 *
 * @param sent the fields of the last request; undefined if they are unknown
 * @param finalUrl its URL
 */
export function sendsOtherCredentials(
  request: CacheRequest,
  { sent, url: finalUrl }: { readonly sent?: Fields | undefined; readonly url: string },
  rules: KeyRules,
): boolean {
  if (sent === undefined || rules.credentials !== 'isolate' || rules.keyFn) return false;
  for (const name in sent) {
    // A proxy is part of the transport.
    if (!isCredentialHeader(name, rules) || isIgnored(name, rules) || name === 'proxy-authorization') continue;
    // The HTTP client writes it from `auth` or the URL.
    if (name === 'authorization' && (request.auth ?? userinfoOf(request.url) ?? userinfoOf(finalUrl))) continue;
    const known = partsOf(name, request.headers[name]);
    if (partsOf(name, sent[name]).some((part) => !known.includes(part))) return true;
  }
  return false;
}

/**
 * Returns whether the last request lacked credentials of the first: axios 1.7.9, for example, sends `auth` only with the
 * first request of a redirect chain, also at the same origin.
 */
export function dropsCredentials(request: CacheRequest, sent: Fields | undefined, rules: KeyRules): boolean {
  if (sent === undefined) return false;
  for (const name in request.headers) {
    const isKept = request.headers[name] === undefined || sent[name] !== undefined;
    if (!isKept && name !== 'proxy-authorization' && isCredentialHeader(name, rules)) return true;
  }
  return false;
}

/** The HTTP client removes characters that a field cannot contain, and a cookie agent orders cookies in its own way. */
function partsOf(name: string, value: FieldValue = []): readonly string[] {
  const lines = [value].flat();
  const parts = name === 'cookie' ? lines.flatMap((line) => line.split(';')) : [lines.join()];
  return parts.map((part) => part.replace(/[^\x21-\x7e]+/g, '')).filter((part) => part !== '');
}

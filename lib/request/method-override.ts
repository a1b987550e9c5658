import type { CacheRequest } from '../models/cache-request.js';
import { memoize } from '../platform/memo.js';
import { field } from '../policy/messages.js';
import { isSafe } from '../policy/methods.js';
import { mapQuery, pairName, pairValue } from './normalize-url.js';
import { bodyParameters } from './request-body.js';

/**
 * Names of fields and parameters that make a request another one than its method says, at origins that accept them: in
 * lower case, without characters other than letters and digits.
 */
const OVERRIDES: ReadonlySet<string> = new Set(
  [
    'x-http-method-override',
    'x-http-method',
    'x-http-original-method',
    'x-method-override',
    'x-method',
    'x-original-method',
    'http-method-override',
    'method-override',
  ].map(plain),
);
/** Rails, Express and other frameworks read the method from a parameter of this name. */
const PARAMETER = /^_+(?:http)?method$/;
/** Names that are not worth a closer look contain neither. */
const SUSPICIOUS = /method|%/i;

/** Returns whether a field or a parameter makes the request another one than its method says. */
export function isOverridden(request: CacheRequest): boolean {
  return overridingMethod(request) !== undefined;
}

/** Returns the method that decides on invalidation: an unsafe one, even if only a field or a parameter names it. */
export function meantMethod(request: CacheRequest): string {
  return (isSafe(request.method) ? overridingMethod(request) : undefined) ?? request.method;
}

/** Returns a URL without the parameters of its query that override the method: that of the resource which is changed. */
export function withoutOverride(url: string): string {
  return mapQuery(url, (pairs) => pairs.filter((pair) => !overrides(pairName(pair))));
}

/** A field counts with any value; a parameter only if it differs from the method. */
function overridingMethod(request: CacheRequest): string | undefined {
  const { headers, method, url, body } = request;
  for (const name in headers) {
    if (name.includes('method') && headers[name] !== undefined && overrides(name)) {
      return String(field(headers, name)).trim().toUpperCase();
    }
  }
  const mark = url.indexOf('?');
  const inQuery = mark !== -1 && SUSPICIOUS.test(url) ? methodInQuery(url.slice(mark + 1)) : '';
  if (inQuery !== '' && inQuery !== method) return inQuery;
  if (body.kind === 'none' || body.kind === 'stream') return undefined;
  const parameter = bodyParameters(request, SUSPICIOUS).find(([name, value]) => overrides(name) && value !== '');
  const inBody = parameter?.[1].trim().toUpperCase();
  return inBody === method ? undefined : inBody;
}

function overrides(name: string): boolean {
  const lower = name.toLowerCase();
  return PARAMETER.test(lower) || OVERRIDES.has(plain(lower));
}

/** The method that the query names; empty if there is none. */
const methodInQuery = memoize((query) => {
  const pair = query.split('&').find((one) => overrides(pairName(one)));
  return pair === undefined ? '' : pairValue(pair).trim().toUpperCase();
});

function plain(name: string): string {
  return name.replace(/[^a-z\d]+/g, '');
}

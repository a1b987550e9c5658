import type { CacheRequest } from '../models/cache-request.js';
import type { Hop, RequestRecord } from '../models/record.js';
import { type Fields, type FieldValue, newFields } from '../policy/messages.js';
import type { KeyRules } from './cache-key.js';
import { isCredentialHeader, isCredentialParameter } from './credentials.js';
import { mapQuery } from './normalize-url.js';
import { mapPairs, type ParameterRule, REDACTED, storedBody } from './request-body.js';

type Ignored = ReadonlySet<string>;

/** Response fields that hold URLs. */
const URL_FIELDS: ReadonlySet<string> = new Set([
  'location',
  'content-location',
  'refresh',
  'link',
  'referer',
  'sourcemap',
]);
/** Neither stored nor replayed (design: matching). Set-Cookie2 is like any other field: nobody heeds it (RFC 6265 section 9.4). */
const NEVER_STORED: ReadonlySet<string> = new Set(['set-cookie']);

/** A URL without userinfo, and without the values of credentials and ignored parameters. */
export function redactUrl(url: string, ignored: Ignored): string {
  return mapQuery(withoutUserinfo(url), (pairs) => mapPairs(pairs, ruleFor(ignored)));
}

/** Header fields as they may be stored and told. */
export function redactHeaders(headers: Fields, ignored: Ignored): Fields {
  const kept = newFields();
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || NEVER_STORED.has(name)) continue;
    if (isCredentialHeader(name) || ignored.has(name)) kept[name] = REDACTED;
    else kept[name] = URL_FIELDS.has(name) ? redactLinks(value, ignored) : value;
  }
  return kept;
}

/** What is kept of a request. */
export function redactRequest(request: CacheRequest, { ignoredParameters }: KeyRules): RequestRecord {
  const body = storedBody(request, ruleFor(ignoredParameters));
  return {
    method: request.method,
    url: redactUrl(request.url, ignoredParameters),
    headers: redactHeaders(request.headers, ignoredParameters),
    ...(body === undefined ? {} : { body }),
  };
}

/** The redirects that led to a response, as they may be stored and told; frozen, since every hit hands them out. */
export function redactHops(hops: readonly Hop[], ignored: Ignored): readonly Hop[] {
  return Object.freeze(
    hops.map(({ url, status, headers }) =>
      Object.freeze({ url: redactUrl(url, ignored), status, headers: Object.freeze(redactHeaders(headers, ignored)) }),
    ),
  );
}

function ruleFor(ignored: Ignored): ParameterRule {
  return (name) => (isCredentialParameter(name) || ignored.has(name.toLowerCase()) ? 'redact' : 'keep');
}

/** URLs stand in these fields alone, in angle brackets, or after `url=`; each runs to a delimiter of those forms. */
function redactLinks(value: FieldValue, ignored: Ignored): FieldValue {
  if (typeof value !== 'string') return value.map((line) => redactLinks(line, ignored) as string);
  return value.replace(/[^\s<>",;]+/g, (part) => (/[?@]/.test(part) ? redactUrl(part, ignored) : part));
}

/** Works on text, since what is redacted may be relative or no URL at all. */
function withoutUserinfo(url: string): string {
  if (!url.includes('@')) return url;
  return url.replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/?#]*@/i, '$1//');
}

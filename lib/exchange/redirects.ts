import type { RedirectRecord, ResponseRecord } from '../models/record.js';
import { chain, type MaybePromise } from '../platform/maybe-promise.js';
import type { Expiration } from '../policy/expiration.js';
import { freshnessOf } from '../policy/lifetime.js';
import { storable } from '../policy/storable.js';
import { hasCredentials, keyOf } from '../request/cache-key.js';
import { urlIndexNames } from '../request/index-names.js';
import { normalizeUrl } from '../request/normalize-url.js';
import { redactUrl } from '../request/redaction.js';
import type { Call } from './call.js';
import type { OriginAnswer } from './origin.js';

/**
 * When a response that was reached through redirects stops being fresh: with `cacheControl` no later than the hops that
 * led to it, each a response of its own; undefined where one of them may not be stored.
 */
export function chainExpires(
  call: Call,
  answer: OriginAnswer,
  set: Expiration | undefined,
  own: number,
): number | undefined {
  if (!call.settings.cacheControl) return own;
  let expires = own;
  for (const hop of answer.hops) {
    const life = hopExpires(call, hop, set, answer);
    if (life === undefined) return undefined;
    expires = Math.min(expires, life);
  }
  return expires;
}

function hopExpires(
  { request, settings }: Call,
  hop: OriginAnswer['hops'][number],
  set: Expiration | undefined,
  times: OriginAnswer,
): number | undefined {
  // The codes that a user allows are those of final answers.
  const rules = { ...settings, allowableCodes: new Set([hop.status]) };
  if (!storable({ ...request, url: hop.url }, hop, rules, set).store) return undefined;
  return freshnessOf(hop, rules, set, times)?.staleAt;
}

/**
 * Returns whether a stored response may answer a request that would follow redirects with credentials of its own: only if
 * none of the redirects that led to the response, from the asked URL on, would get any.
 */
export function mayServeRedirected({ request, settings }: Call, record: ResponseRecord): MaybePromise<boolean> {
  if (!request.carriesMoreTo) return true;
  const urls = [...record.history.map(({ url }) => url), record.url];
  const chainUrls = urls.filter((url) => URL.canParse(url)).map(normalizeUrl);
  const asked = chainUrls.lastIndexOf(normalizeUrl(redactUrl(request.url, settings)));
  const later = chainUrls.slice(asked + 1);
  return later.length === 0 ? true : chain(request.carriesMoreTo(later), (more) => !more);
}

/** The other URLs of a response's redirect chain, as redirects to the key that was asked (design: matching). */
export function redirectRecords(call: Call, answer: OriginAnswer, record: ResponseRecord): RedirectRecord[] {
  const { cache, request, settings } = call;
  if (answer.hops.length === 0 && sameUrl(answer.url, request.url)) return [];
  const asked = new URL(request.url);
  const bound = settings.credentials !== 'ignore' && hasCredentials(request, settings);
  const urls = new Set(
    [...answer.hops.slice(1).map((hop) => hop.url), answer.url].map((url) => withUserinfo(url, asked)),
  );
  const records: RedirectRecord[] = [];
  for (const url of urls) {
    if (url === undefined || (bound && new URL(url).origin !== asked.origin)) continue;
    const key = keyOf({ ...request, url }, settings);
    if (key === record.key) continue;
    const { receivedAt, staleAt, order, stamp } = record;
    records.push({
      kind: 'redirect',
      key,
      target: record.key,
      stamp,
      indexes: cache.stored.indexes(urlIndexNames('GET', [url], settings)),
      order,
      url: redactUrl(url, settings),
      receivedAt,
      staleAt,
    });
  }
  return records;
}

function sameUrl(a: string, b: string): boolean {
  return a === b || normalizeUrl(a) === normalizeUrl(b);
}

/** The URL with the userinfo that was asked with, instead of what the HTTP client put there. Undefined where it is none. */
function withUserinfo(url: string, asked: URL): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const bare = new URL(url);
  const same = bare.origin === asked.origin;
  bare.username = same ? asked.username : '';
  bare.password = same ? asked.password : '';
  bare.hash = '';
  return bare.href;
}

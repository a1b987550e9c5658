import type { ResponseRecord } from '../models/record.js';
import { type Expiration, isDoNotCache, parseExpiration } from '../policy/expiration.js';
import { normalizeUrl } from '../request/normalize-url.js';
import type { ExpirationRule } from '../settings/parse.js';
import type { Call } from './call.js';

/** What is set for the call, highest precedence first (design: expiration); `undefined` members are not set. */
function* rulesFor({ settings, request }: Call): Generator<ExpirationRule> {
  if (settings.requestExpireAfter !== undefined) yield settings.requestExpireAfter;
  if (settings.urlsExpireAfter.length > 0) {
    const url = normalizeUrl(request.url);
    const match = settings.urlsExpireAfter.find(([pattern]) => pattern.matches(url));
    if (match?.[1] !== undefined) yield match[1];
  }
  if (settings.expireAfter !== undefined) yield settings.expireAfter;
}

/** Whether what is set says "do not cache" before anything is known of the response. */
export function setToDoNotCache(call: Call): boolean {
  const { settings } = call;
  if (settings.urlsExpireAfter.length === 0 && settings.requestExpireAfter === undefined) {
    const rule = settings.expireAfter;
    return rule !== undefined && typeof rule !== 'function' && isDoNotCache(rule);
  }
  for (const rule of rulesFor(call)) return typeof rule !== 'function' && isDoNotCache(rule);
  return false;
}

/**
 * The lifetime that is set for a response: by the request, else for its URL, else by the instance. Functions are asked
 * in their place; their `undefined` means "not set here".
 *
 * @throws what a function of the user's throws, and a TypeError for what it may not return
 */
export async function setLifetime(call: Call, record: ResponseRecord): Promise<Expiration | undefined> {
  for (const rule of rulesFor(call)) {
    if (typeof rule !== 'function') return rule;
    const value = parseExpiration(await rule(call.cache.present(record)), 'expireAfter');
    if (value !== undefined) return value;
  }
  return undefined;
}

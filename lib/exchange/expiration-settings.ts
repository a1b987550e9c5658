import type { ResponseRecord } from '../models/record.js';
import { type Expiration, isDoNotCache, parseExpiration } from '../policy/expiration.js';
import { canParseUrl } from '../policy/parse-url.js';
import { normalizeUrl } from '../request/normalize-url.js';
import type { ExpirationRule } from '../settings/parse.js';
import type { RequestContext } from './request-context.js';

/** The settings that apply to a request, highest precedence first; those of the asked URL before the final one's. */
function* rulesFor({ settings, request }: RequestContext, finalUrl?: string): Generator<ExpirationRule> {
  if (settings.requestExpireAfter !== undefined) yield settings.requestExpireAfter;
  if (settings.urlsExpireAfter.length > 0) {
    const rule = ruleOfUrl(settings.urlsExpireAfter, request.url) ?? ruleOfUrl(settings.urlsExpireAfter, finalUrl);
    if (rule !== undefined) yield rule;
  }
  if (settings.expireAfter !== undefined) yield settings.expireAfter;
}

function ruleOfUrl(
  rules: RequestContext['settings']['urlsExpireAfter'],
  url: string | undefined,
): ExpirationRule | undefined {
  if (url === undefined || !canParseUrl(url)) return undefined;
  const normal = normalizeUrl(url);
  return rules.find(([pattern]) => pattern.matches(normal))?.[1];
}

/** Whether the applicable setting is 0 before anything is known of the response. */
export function isSetToDoNotCache(context: RequestContext): boolean {
  const { settings } = context;
  if (settings.urlsExpireAfter.length === 0 && settings.requestExpireAfter === undefined) {
    const rule = settings.expireAfter;
    return rule !== undefined && typeof rule !== 'function' && isDoNotCache(rule);
  }
  for (const rule of rulesFor(context)) return typeof rule !== 'function' && isDoNotCache(rule);
  return false;
}

/** Whether functions of the user decide on the lifetime, so that it is known only with the response. */
export function hasExpirationFunction(context: RequestContext, finalUrl: string): boolean {
  for (const rule of rulesFor(context, finalUrl)) if (typeof rule === 'function') return true;
  return false;
}

/**
 * The lifetime that is set for a response: by the request, else for its URL, else by the instance. A function that returns
 * `undefined` leaves it to the next.
 *
 * @param finalUrl unredacted
 * @throws the error of a user's function, and a TypeError for a value that it may not return
 */
export async function configuredLifetime(
  context: RequestContext,
  record: ResponseRecord,
  finalUrl: string,
): Promise<Expiration | undefined> {
  for (const rule of rulesFor(context, finalUrl)) {
    if (typeof rule !== 'function') return rule;
    const value = parseExpiration(await rule(context.cache.present(record)), 'expireAfter');
    if (value !== undefined) return value;
  }
  return undefined;
}

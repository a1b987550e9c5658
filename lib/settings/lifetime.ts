import type { CachedResponse } from '../models/cached-response.js';
import { type Expiration, isDoNotCache, parseExpiration } from '../policy/expiration.js';
import { canParseUrl } from '../policy/parse-url.js';
import { normalizeUrl } from '../request/normalize-url.js';
import type { ExpirationRule, UrlExpiration } from './parse.js';
import type { CallSettings } from './schema.js';

/** The settings of a request and the URLs on which its freshness lifetime depends. */
interface LifetimeInput {
  readonly settings: CallSettings;
  readonly request: { readonly url: string };
}

/** The settings that apply to a request, highest precedence first; those of the asked URL before the final one's. */
function* rulesFor({ settings, request }: LifetimeInput, finalUrl?: string): Generator<ExpirationRule> {
  if (settings.requestExpireAfter !== undefined) yield settings.requestExpireAfter;
  if (settings.urlsExpireAfter.length > 0) {
    const rule = ruleOfUrl(settings.urlsExpireAfter, request.url) ?? ruleOfUrl(settings.urlsExpireAfter, finalUrl);
    if (rule !== undefined) yield rule;
  }
  if (settings.expireAfter !== undefined) yield settings.expireAfter;
}

function ruleOfUrl(rules: readonly UrlExpiration[], url: string | undefined): ExpirationRule | undefined {
  if (url === undefined || !canParseUrl(url)) return undefined;
  const normal = normalizeUrl(url);
  return rules.find(([pattern]) => pattern.matches(normal))?.[1];
}

/**
 * Returns whether `urlsExpireAfter` gives a URL of a redirect chain the lifetime that the response has, which was asked
 * under another URL.
 */
export function hasLifetimeOf({ settings, request }: LifetimeInput, finalUrl: string, url: string): boolean {
  const { urlsExpireAfter: rules, requestExpireAfter } = settings;
  if (requestExpireAfter !== undefined || rules.length === 0) return true;
  return ruleOfUrl(rules, url) === (ruleOfUrl(rules, request.url) ?? ruleOfUrl(rules, finalUrl));
}

/** Returns whether the applicable setting is 0 before anything is known of the response. */
export function isSetToDoNotCache(input: LifetimeInput): boolean {
  const { settings } = input;
  if (settings.urlsExpireAfter.length === 0 && settings.requestExpireAfter === undefined) {
    const rule = settings.expireAfter;
    return rule !== undefined && typeof rule !== 'function' && isDoNotCache(rule);
  }
  for (const rule of rulesFor(input)) return typeof rule !== 'function' && isDoNotCache(rule);
  return false;
}

/** Returns the lifetime that is set for a response, or `'function'` if one of the user's functions may decide on it. */
export function lifetimeBeforeBody(input: LifetimeInput, finalUrl: string): Expiration | 'function' | undefined {
  for (const rule of rulesFor(input, finalUrl)) return typeof rule === 'function' ? 'function' : rule;
  return undefined;
}

/**
 * Returns the lifetime that is set for a response: by the request, else for its URL, else by the instance. A function that
 * returns `undefined` leaves it to the next.
 *
 * @param response.finalUrl unredacted
 * @param response.present returns the response in its public form, for functions of the user
 * @throws the error of a user's function, and a TypeError for a value that it may not return
 */
export async function configuredLifetime(
  input: LifetimeInput,
  { finalUrl, present }: { readonly finalUrl: string; readonly present: () => CachedResponse },
): Promise<Expiration | undefined> {
  for (const rule of rulesFor(input, finalUrl)) {
    if (typeof rule !== 'function') return rule;
    const value = parseExpiration(await rule(present()), 'expireAfter');
    if (value !== undefined) return value;
  }
  return undefined;
}

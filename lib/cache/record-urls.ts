import type { ResponseRecord } from '../models/record.js';
import { parseUrl } from '../policy/parse-url.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import { normalizeUrl } from '../request/normalize-url.js';

/** Returns the URLs of a response by which patterns select it, normalized: as asked, of each redirect, and the final one. */
export function urlsOf({ request, history, url }: ResponseRecord): readonly string[] {
  const urls = [request.url, ...history.map((hop) => hop.url), url];
  return [...new Set(urls.map((one) => (parseUrl(one) ? normalizeUrl(one) : one)))];
}

/** Returns whether a pattern matches any of {@link urlsOf}. */
export function matchesUrl(record: ResponseRecord, patterns: readonly UrlMatcher[]): boolean {
  if (patterns.length === 0) return false;
  const urls = urlsOf(record);
  return patterns.some((pattern) => urls.some((one) => pattern.matches(one)));
}

import type { NameRules } from './credentials.js';
import { normalizeUrl } from './normalize-url.js';
import { lookupUrls } from './redaction.js';

/** Methods whose stored responses are found by URL (design 7). */
const FOUND_BY_URL: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

/** Returns the name of a URL in the secondary index, before it is hashed. The URL is normalized, not redacted. */
export function urlIndexName(url: string): string {
  return `url ${normalizeUrl(url)}`;
}

/**
 * Returns the names of a response or redirect in the secondary index: its URLs as they are in the key, so that URLs that
 * differ only in a secret stay apart, and redacted, since `urls()` yields them so.
 *
 * @param urls unredacted; those that cannot be parsed are left out
 */
export function urlIndexNames(method: string, urls: readonly string[], rules: NameRules): readonly string[] {
  if (!FOUND_BY_URL.has(method)) return [];
  const found = urls.filter((url) => URL.canParse(url)).flatMap((url) => lookupUrls(url, rules));
  return [...new Set(found.map((url) => `url ${url}`))];
}

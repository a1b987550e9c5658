import { cacheGroups } from '../policy/cache-groups.js';
import type { Fields } from '../policy/messages.js';
import { isReading } from '../policy/methods.js';
import { canParseUrl, parseUrl } from '../policy/parse-url.js';
import type { NameRules } from './credentials.js';
import { lookupUrls } from './redaction.js';

/** Returns the name of a URL in the secondary index, before it is hashed. @param url as {@link keyUrl} returns it */
export function urlIndexName(url: string): string {
  return `url ${url}`;
}

/** Returns the name of a URL for responses to other methods than GET, HEAD and QUERY, which only invalidation finds. */
export function otherUrlIndexName(url: string): string {
  return `other ${url}`;
}

/** Returns whether a name is that of a URL, which all variants of a key share; tags and cache groups are each variant's own. */
export function isUrlIndexName(name: string): boolean {
  return name.startsWith('url ') || name.startsWith('other ');
}

/** Returns the name of a tag (option `tags`) in the secondary index. */
export function tagIndexName(tag: string): string {
  return `tag ${tag}`;
}

/** Returns the name of a cache group (RFC 9875) in the secondary index: groups are separate for each origin. */
export function groupIndexName(origin: string, group: string): string {
  return `group ${origin} ${group}`;
}

/** Returns the names of the cache groups of a response (RFC 9875), which belong to the origin of its final URL. */
export function groupIndexNames({
  headers,
  url,
}: {
  readonly headers: Fields;
  readonly url: string;
}): readonly string[] {
  const groups = headers['cache-groups'] === undefined ? [] : cacheGroups(headers);
  if (groups === 'too-many' || groups.length === 0) return [];
  const { origin } = parseUrl(url) ?? {};
  return origin === undefined ? [] : groups.map((group) => groupIndexName(origin, group));
}

/**
 * Returns the names of a response or redirect in the secondary index: its URLs as they are in the key, so that URLs that
 * differ only in a secret stay apart, and redacted, since `urls()` yields them so.
 *
 * @param urls unredacted; those that cannot be parsed are left out
 */
export function urlIndexNames(method: string, urls: readonly string[], rules: NameRules): readonly string[] {
  const found = urls.filter((url) => canParseUrl(url)).flatMap((url) => lookupUrls(url, rules));
  const name = isReading(method) ? urlIndexName : otherUrlIndexName;
  return [...new Set(found.map((url) => name(url as string)))];
}

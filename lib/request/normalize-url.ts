import { memoize } from '../platform/memo.js';

/**
 * Returns the URL in the form in which equal URLs are equal: scheme and host in lower case, without default port and
 * fragment, query pairs sorted by name and stable within a name. All other bytes stay as they are.
 *
 * @throws TypeError if the URL is not absolute
 */
export const normalizeUrl: (url: string) => string = memoize(normalize);

function normalize(url: string): string {
  const parsed = new URL(url);
  parsed.hash = '';
  return mapQuery(parsed.href, sortPairs);
}

/** Returns the URL with the pairs of its query as `change` returns them. Without pairs the question mark goes too. */
export function mapQuery(url: string, change: (pairs: readonly string[]) => readonly string[]): string {
  const mark = url.indexOf('?');
  if (mark === -1) return url;
  const query = url.slice(mark + 1);
  if (query === '') return url;
  const pairs = change(query.split('&'));
  return pairs.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${pairs.join('&')}`;
}

function sortPairs(pairs: readonly string[]): readonly string[] {
  if (pairs.length === 1) return pairs;
  return pairs
    .map((pair) => ({ pair, name: pairName(pair) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ pair }) => pair);
}

/** Returns the decoded name of a query or form pair. The pair itself keeps its bytes. */
export function pairName(pair: string): string {
  const equals = pair.indexOf('=');
  return decodeComponent(equals === -1 ? pair : pair.slice(0, equals));
}

/** Returns the decoded value of a query or form pair. */
export function pairValue(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? '' : decodeComponent(pair.slice(equals + 1));
}

/** Returns the decoded text of a component; as it is if it cannot be decoded. */
export function decodeComponent(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** Returns an absolute URL without user name and password. */
export function withoutUserinfo(url: string): string {
  if (!url.includes('@')) return url;
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

/** The user name and password of a URL, decoded; undefined if it has neither. */
export function userinfoOf(url: string): { readonly username: string; readonly password: string } | undefined {
  // Cheap, and nearly always sufficient: without `@` there is no userinfo.
  if (!url.includes('@')) return undefined;
  const { username, password } = new URL(url);
  return username || password ? { username: decodeUserinfo(username), password: decodeUserinfo(password) } : undefined;
}

function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Normalised URLs, since the same few are asked again and again. */
const memo = new Map<string, string>();
const MEMO_ENTRIES = 500;
const MEMO_LENGTH = 2_000;

/**
 * The URL in the one form in which equal URLs are equal: scheme and host in lower case, without default port and
 * fragment, query pairs sorted by name and stable within a name. Its bytes stay as they are otherwise.
 *
 * @throws TypeError for a URL that is not absolute
 */
export function normalizeUrl(url: string): string {
  const known = memo.get(url);
  if (known !== undefined) return known;
  const normal = normalize(url);
  if (url.length <= MEMO_LENGTH) {
    if (memo.size >= MEMO_ENTRIES) memo.clear();
    memo.set(url, normal);
  }
  return normal;
}

function normalize(url: string): string {
  const parsed = new URL(url);
  parsed.hash = '';
  return mapQuery(parsed.href, sortPairs);
}

/** The URL with the pairs of its query as `change` leaves them; without pairs, the question mark goes too. */
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

/** The decoded name of a query or form pair; the pair itself keeps its bytes. */
export function pairName(pair: string): string {
  const equals = pair.indexOf('=');
  const name = (equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

import { describe, optionError, refuseUnknownMembers } from '../errors.js';
import type { ResponseRecord } from '../models/record.js';
import { warnOnce } from '../platform/warnings.js';
import { type ExpirationTime, parseExpiration } from '../policy/expiration.js';
import { canParseUrl } from '../policy/parse-url.js';
import { isFresh } from '../policy/stale.js';
import { compileUrlPattern, type UrlMatcher } from '../policy/url-pattern.js';
import { fromFuture } from '../stores/entry-query.js';
import type { EntryQuery } from '../stores/store.js';

/** Fields by which {@link BaseCache.filter} sorts. */
type SortField = 'createdAt' | 'expires' | 'size' | 'url';

/** Conditions of {@link BaseCache.filter} and {@link BaseCache.responseCount}. */
export interface ResponseFilter {
  /** Fresh responses. Default: `true`. */
  readonly valid?: boolean | undefined;
  /** Expired responses. Default: `true`. */
  readonly expired?: boolean | undefined;
  /** Entries that cannot be read. Default: `false`. */
  readonly invalid?: boolean | undefined;
  /** Only responses that were received longer ago: a duration, or an instant. */
  readonly olderThan?: ExpirationTime | undefined;
  /** Only responses with one of these tags. The secondary index finds them, so that the cost depends on their number. */
  readonly tags?: string | readonly string[] | undefined;
  /** Order of the responses; a leading `-` reverses it. Default: none in particular. */
  readonly sort?: SortField | `-${SortField}` | undefined;
}

/** Conditions of {@link BaseCache.delete}: a response is removed if it meets any of them. */
export interface DeletionQuery {
  readonly keys?: string | readonly string[] | undefined;
  /** URLs, or URL patterns. */
  readonly urls?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /** Requests as axios configs, or stored requests. */
  readonly requests?: object | readonly object[] | undefined;
  /** Responses with one of these tags. */
  readonly tags?: string | readonly string[] | undefined;
  readonly expired?: boolean | undefined;
  /** Entries that cannot be read. */
  readonly invalid?: boolean | undefined;
  /** Received longer ago: a duration, or an instant. */
  readonly olderThan?: ExpirationTime | undefined;
}

/** Conditions of {@link BaseCache.contains}: exactly one. */
export interface ContainsQuery {
  readonly key?: string | undefined;
  readonly url?: string | undefined;
  readonly request?: object | undefined;
}

/** Which responses {@link BaseCache.resetExpiration} changes. Default: all. */
export interface ResponseSelection {
  /** Responses with one of these tags. */
  readonly tags?: string | readonly string[] | undefined;
  /** URLs, or URL patterns. */
  readonly urls?: string | RegExp | readonly (string | RegExp)[] | undefined;
}

const SORT_FIELDS: Readonly<Record<SortField, (record: ResponseRecord, size: number) => number | string>> = {
  createdAt: (record) => record.receivedAt,
  expires: (record) => record.staleAt,
  size: (_, size) => size,
  url: (record) => record.url,
};

/** A filter in parsed form. */
export interface ParsedFilter {
  /** Together they find the responses, each once; none if no readable response is wanted. */
  readonly queries: readonly EntryQuery[];
  /** Whether a found response is in one of the wanted states, which requests see it in. */
  readonly accepts: (record: ResponseRecord) => boolean;
  readonly invalid: boolean;
  readonly tags: readonly string[] | undefined;
  /** Compares two responses of given sizes; undefined for no order in particular. */
  readonly compare: ((a: Sortable, b: Sortable) => number) | undefined;
}

export interface Sortable {
  readonly record: ResponseRecord;
  /** Bytes. */
  readonly size: number;
}

/** @throws TypeError for an unknown member or a wrong type */
export function parseFilter(filter: ResponseFilter, now: number): ParsedFilter {
  refuseUnknown('filter', filter, ['valid', 'expired', 'invalid', 'olderThan', 'tags', 'sort']);
  const valid = readFlag('filter.valid', filter.valid, true);
  const expired = readFlag('filter.expired', filter.expired, true);
  const { olderThan } = filter;
  const age = olderThan === undefined ? {} : { receivedBefore: readAge('filter.olderThan', olderThan, now) };
  return {
    queries: statesOf(valid, expired, now).map((state) => ({ ...state, ...age })),
    accepts: (record) => (isFresh(record, now) ? valid : expired),
    invalid: readFlag('filter.invalid', filter.invalid, false),
    tags: readTags('filter.tags', filter.tags),
    compare: filter.sort === undefined ? undefined : comparison(filter.sort),
  };
}

/** A response from the future is expired, although it would become stale later (see {@link isFresh}). */
function statesOf(valid: boolean, expired: boolean, now: number): readonly EntryQuery[] {
  if (valid) return expired ? [{}] : [{ freshAt: now }];
  return expired ? [{ staleBy: now }, fromFuture(now)] : [];
}

/** A deletion in parsed form. */
export interface ParsedDeletion {
  readonly keys: readonly string[];
  readonly urls: readonly string[];
  readonly patterns: readonly UrlMatcher[];
  readonly requests: readonly object[];
  readonly tags: readonly string[];
  readonly expired: boolean;
  readonly invalid: boolean;
  /** Milliseconds since the epoch. */
  readonly receivedBefore: number | undefined;
}

/** @throws TypeError for an unknown member, a wrong type, or a wrong pattern */
export function parseDeletion(what: unknown, now: number): ParsedDeletion {
  const given = (typeof what === 'string' ? { keys: [what] } : what) as DeletionQuery;
  refuseUnknown('delete', given, ['keys', 'urls', 'requests', 'tags', 'expired', 'invalid', 'olderThan']);
  const isObject = (one: unknown) => typeof one === 'object' && one !== null;
  return {
    keys: readList<string>('delete.keys', given.keys, isText, 'a key or a list of keys'),
    ...parseUrls('delete.urls', given.urls),
    requests: readList<object>('delete.requests', given.requests, isObject, 'a request or a list of requests'),
    tags: readTags('delete.tags', given.tags) ?? [],
    expired: readFlag('delete.expired', given.expired, false),
    invalid: readFlag('delete.invalid', given.invalid, false),
    receivedBefore: given.olderThan === undefined ? undefined : readAge('delete.olderThan', given.olderThan, now),
  };
}

/** @throws TypeError unless it is a key: text that is not empty */
export function readKey(option: string, value: unknown): string {
  if (!isText(value)) throw optionError(option, value, 'a key');
  return value as string;
}

/** @throws TypeError unless it is a key or a list of keys */
export function readKeys(option: string, value: unknown): readonly string[] {
  return readGivenList(option, value, isText, 'a key or a list of keys');
}

/** @throws TypeError unless it is text or a list of texts */
export function readUrls(option: string, value: unknown): readonly string[] {
  return readGivenList(option, value, isText, 'an absolute URL or a list of them');
}

/** @throws TypeError unless exactly one known member of the right type is given */
export function parseContains(what: ContainsQuery): ContainsQuery {
  const accepted = 'exactly one of { key }, { url } and { request }';
  refuseUnknown('contains', what, ['key', 'url', 'request']);
  const given = Object.entries(what).filter(([, value]) => value !== undefined);
  if (given.length !== 1) throw optionError('contains', what, accepted);
  const { key, url, request } = what;
  if (key !== undefined && typeof key !== 'string') throw optionError('contains.key', key, 'a key');
  if (url !== undefined && typeof url !== 'string') throw optionError('contains.url', url, 'an absolute URL');
  if (request !== undefined && (typeof request !== 'object' || request === null))
    throw optionError('contains.request', request, 'an axios config or a stored request');
  return what;
}

/** @throws TypeError for an unknown member, a wrong type, or a wrong pattern */
export function parseSelection(selection: ResponseSelection): {
  readonly tags: readonly string[];
  readonly urls: readonly string[];
  readonly patterns: readonly UrlMatcher[];
} {
  refuseUnknown('resetExpiration', selection, ['tags', 'urls']);
  const tags = readTags('resetExpiration.tags', selection.tags) ?? [];
  return { tags, ...parseUrls('resetExpiration.urls', selection.urls) };
}

/** Separates absolute URLs, which an index finds, from patterns, which need a pass over all responses. */
function parseUrls(option: string, value: unknown): { readonly urls: string[]; readonly patterns: UrlMatcher[] } {
  const isUrl = (one: unknown) => typeof one === 'string' || one instanceof RegExp;
  const given = readList<string | RegExp>(option, value, isUrl, 'a URL, a URL pattern, or a list of them');
  // Not `URL.canParse` alone: in `localhost:3000/users` it takes the host for a scheme.
  const isExact = (one: string | RegExp) =>
    typeof one === 'string' && /^https?:\/\/[^*]*$/i.test(one) && canParseUrl(one);
  return {
    urls: given.filter(isExact) as string[],
    patterns: given.filter((one) => !isExact(one)).map((one) => compileUrlPattern(one, option)),
  };
}

/** @throws TypeError unless it is an object with known members alone */
export function refuseUnknown(option: string, value: unknown, known: readonly string[]): void {
  // Not a RegExp or a URL, which have no members of their own.
  if (Object.prototype.toString.call(value) !== '[object Object]')
    throw optionError(option, value, `an object with ${known.join(', ')}`);
  refuseUnknownMembers(option, value as object, known);
}

/** @throws TypeError for a URL, a pattern or a query: `clear` deletes everything */
export function refuseSelection(value: unknown): void {
  const isSelection =
    typeof value === 'string'
      ? value.includes('/')
      : /(?:Object|Array|RegExp|URL)\]$/.test(Object.prototype.toString.call(value));
  if (isSelection) throw optionError('clear', value, 'no argument: it deletes everything, and delete({ urls }) a part');
}

/**
 * Warns of text that looks like a URL and was taken for a key, which no response has. A `keyFn` may return such keys.
 *
 * @param instead the method for a URL
 */
export function warnOfUrl(option: string, key: unknown, instead: string): void {
  if (typeof key !== 'string' || !/^(?:https?:\/)?\//.test(key)) return;
  warnOnce(`${option}: ${describe(key)} was taken for a key, and no response has it; use ${instead} for a URL`);
}

function readFlag(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw optionError(option, value, 'true or false');
  return value;
}

/** Milliseconds since the epoch: responses received before it are older. */
function readAge(option: string, value: ExpirationTime, now: number): number {
  const age = parseExpiration(value, option);
  if (!age) throw optionError(option, value, 'a duration or an instant');
  return 'at' in age ? age.at : now - age.seconds * 1000;
}

function readTags(option: string, value: unknown): readonly string[] | undefined {
  return value === undefined ? undefined : readList<string>(option, value, isText, 'a tag or a list of tags');
}

function readList<T>(
  option: string,
  value: unknown,
  accepts: (item: unknown) => boolean,
  accepted: string,
): readonly T[] {
  if (value === undefined) return [];
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = items.findIndex((item) => !accepts(item));
  if (wrong === -1) return items as readonly T[];
  throw optionError(Array.isArray(value) ? `${option}[${wrong}]` : option, items[wrong], accepted);
}

/** As {@link readList}, for a list that is not optional. */
function readGivenList(...given: Parameters<typeof readList<string>>): readonly string[] {
  const [option, value, , accepted] = given;
  if (value === undefined) throw optionError(option, value, accepted);
  return readList<string>(...given);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function comparison(sort: unknown): (a: Sortable, b: Sortable) => number {
  const name = String(sort);
  const field = name.replace(/^-/, '');
  if (typeof sort !== 'string' || !Object.hasOwn(SORT_FIELDS, field)) {
    throw optionError('filter.sort', sort, `${Object.keys(SORT_FIELDS).join(', ')}, or one of them after "-"`);
  }
  const fieldOf = SORT_FIELDS[field as SortField];
  const direction = name.startsWith('-') ? -1 : 1;
  return (a, b) => {
    const [x, y] = [fieldOf(a.record, a.size), fieldOf(b.record, b.size)];
    return x === y ? 0 : x < y ? -direction : direction;
  };
}

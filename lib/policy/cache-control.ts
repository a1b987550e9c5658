import { type Fields, type FieldValue, field } from './messages.js';

/** Directives by lower-case name, with their argument or `null` for none (RFC 9111 section 5.2). */
export type Directives = ReadonlyMap<string, string | null>;

const NONE: Directives = new Map();
/** RFC 9111 section 1.2.2: greater values count as this one. */
const MAX_DELTA_SECONDS = 2 ** 31;

/** Directives that an argument makes weaker: if one is repeated, the one without an argument counts. */
const FIELD_LISTS: ReadonlySet<string> = new Set(['private', 'no-cache']);
/** Replaces an argument that the grammar does not allow: it is neither a number nor a field name. */
const MALFORMED = '';
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

const memo = new WeakMap<Fields, Directives>();

/** Returns the Cache-Control directives of a message; parsed once for each headers object. */
export function directivesOf(headers: Fields): Directives {
  const value = headers['cache-control'];
  if (value === undefined) return NONE;
  let directives = memo.get(headers);
  if (!directives) {
    directives = parseCacheControl(value);
    memo.set(headers, directives);
  }
  return directives;
}

/**
 * Parses Cache-Control (RFC 9111 section 5.2): names in any case, arguments as token or quoted string. Takes one pass for
 * any text.
 */
export function parseCacheControl(value: FieldValue): Directives {
  const text = typeof value === 'string' ? value : value.join(',');
  const directives = new Map<string, string | null>();
  // If one quoted string has no end, no later one has: searching for it again would take quadratic time.
  let closes = true;
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    const equals = endOf(text, at, '=');
    const name = text.slice(at, equals);
    let argument: string | null = null;
    end = equals;
    if (text[equals] === '=') {
      const start = skipSpace(text, equals + 1);
      const quoteEnd: number | undefined = text[start] === '"' && closes ? quotedEnd(text, start) : undefined;
      closes &&= text[start] !== '"' || quoteEnd !== undefined;
      end = endOf(text, quoteEnd ?? start, ',');
      argument = endsInSpace(name) ? MALFORMED : argumentOf(text.slice(equals + 1, end).trimEnd());
    }
    if (name.trim() !== '') add(directives, name.trim().toLowerCase(), argument);
  }
  return directives;
}

function argumentOf(text: string): string {
  if (!text.startsWith('"')) return text;
  return quotedEnd(text, 0) === text.length ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : MALFORMED;
}

function endsInSpace(text: string): boolean {
  return text.endsWith(' ') || text.endsWith('\t');
}

/** RFC 9111 section 4.2.1: of conflicting arguments the strictest counts. */
function add(directives: Map<string, string | null>, name: string, argument: string | null): void {
  const earlier = directives.get(name);
  directives.set(name, earlier === undefined ? argument : strictest(name, earlier, argument));
}

function strictest(name: string, earlier: string | null, later: string | null): string | null {
  if (FIELD_LISTS.has(name)) return earlier && later ? `${earlier},${later}` : null;
  const [before, after] = [secondsOf(name, earlier), secondsOf(name, later)];
  return (name === 'min-fresh' ? after > before : after < before) ? later : earlier;
}

function endOf(text: string, from: number, delimiter: '=' | ','): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === ',' || text[at] === delimiter) return at;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** Returns the index after the closing quote; undefined if there is none. */
function quotedEnd(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}

/**
 * Returns the delta-seconds of a directive; undefined if it is absent. A malformed argument is read strictly: as no
 * lifetime, and as no permission.
 */
export function seconds(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name);
  return argument === undefined ? undefined : secondsOf(name, argument);
}

/** RFC 9111 section 1.2.2: only digits are a number. */
function secondsOf(name: string, argument: string | null): number {
  if (argument !== null && /^\d+$/.test(argument)) return Math.min(Number(argument), MAX_DELTA_SECONDS);
  // Section 5.2.1.2: `max-stale` without an argument accepts any staleness.
  const unbounded = name === 'min-fresh' || (name === 'max-stale' && argument === null);
  return unbounded ? Number.POSITIVE_INFINITY : 0;
}

/**
 * Returns the field names in `no-cache` or `private`: undefined if the directive is absent, `'all'` if it concerns the
 * whole response. A malformed list counts as `'all'` (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
 */
export function listedFields(
  directives: Directives,
  name: 'no-cache' | 'private',
): readonly string[] | 'all' | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  // A list neither begins nor ends with a space.
  if (argument !== null && argument !== argument.trim()) return 'all';
  const parts = (argument ?? '').split(',').map((part) => part.trim().toLowerCase());
  const names = parts.filter((part) => part !== '');
  return names.length === 0 || names.some((name) => !TOKEN.test(name)) ? 'all' : names;
}

/** Returns the directives of a request; `Pragma: no-cache` counts if there is no Cache-Control (RFC 9111 section 5.4). */
export function requestDirectives(headers: Fields): Directives {
  if (headers['cache-control'] !== undefined) return directivesOf(headers);
  const pragma = headers.pragma === undefined ? undefined : field(headers, 'pragma');
  return pragma !== undefined && parseCacheControl(pragma).has('no-cache') ? PRAGMA_NO_CACHE : NONE;
}

const PRAGMA_NO_CACHE: Directives = new Map([['no-cache', null]]);

/**
 * Returns whether a request says `no-transform` (RFC 9111 section 5.2.1.6): its content must then be in the key byte by
 * byte, without any normalization (RFC 10008 section 2.7).
 */
export function forbidsTransform(headers: Fields): boolean {
  return directivesOf(headers).has('no-transform');
}

import { type Fields, type FieldValue, field } from './messages.js';

/** Directives by lower-case name: their argument, or `null` where they have none (RFC 9111 section 5.2). */
export type Directives = ReadonlyMap<string, string | null>;

const NONE: Directives = new Map();
/** RFC 9111 section 1.2.2: what is greater counts as this. */
const MAX_DELTA_SECONDS = 2 ** 31;

/** Directives where the argument makes them weaker: a repeated one without wins. */
const FIELD_LISTS: ReadonlySet<string> = new Set(['private', 'no-cache']);
/** Directives that give leave: of several the smallest counts, and a malformed one gives none. */
const LENIENT: ReadonlySet<string> = new Set(['max-stale', 'stale-while-revalidate', 'stale-if-error']);

const memo = new WeakMap<Fields, Directives>();

/** The Cache-Control directives of a message; parsed once for each headers object. */
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

/** RFC 9111 section 5.2: names in any case, arguments as token or quoted string, in one pass whatever the text is. */
export function parseCacheControl(value: FieldValue): Directives {
  const text = typeof value === 'string' ? value : value.join(',');
  const directives = new Map<string, string | null>();
  let at = 0;
  while (at < text.length) {
    const nameEnd = endOf(text, at, '=');
    const name = text.slice(at, nameEnd).trim().toLowerCase();
    let argument: string | null = null;
    at = nameEnd;
    if (text[at] === '=') {
      const start = skipSpace(text, at + 1);
      at = text[start] === '"' ? quotedEnd(text, start) : endOf(text, start, ',');
      argument = text[start] === '"' ? unquote(text.slice(start, at)) : text.slice(start, at).trim();
      at = endOf(text, at, ',');
    }
    if (name !== '') add(directives, name, argument);
    at += 1;
  }
  return directives;
}

/** RFC 9111 section 4.2.1: of conflicting arguments the strictest counts. */
function add(directives: Map<string, string | null>, name: string, argument: string | null): void {
  const earlier = directives.get(name);
  if (earlier === undefined) directives.set(name, argument);
  else if (FIELD_LISTS.has(name)) {
    directives.set(name, earlier === null || argument === null ? null : `${earlier},${argument}`);
  } else if (earlier !== argument && (deltaOf(argument) ?? -1) < (deltaOf(earlier) ?? -1)) {
    directives.set(name, argument);
  }
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

/** The index after the closing quote; the end of the text where none closes. */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function unquote(quoted: string): string {
  return quoted.replace(/^"/, '').replace(/"$/, '').replace(/\\(.)/g, '$1');
}

/** RFC 9111 section 1.2.2: undefined for anything but digits. */
function deltaOf(argument: string | null): number | undefined {
  if (argument === null || !/^\d+$/.test(argument)) return undefined;
  return Math.min(Number(argument), MAX_DELTA_SECONDS);
}

/**
 * A directive's delta-seconds, undefined where it is absent. A malformed one is read strictly: no lifetime, and no leave.
 */
export function seconds(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  if (argument === null && name === 'max-stale') return Number.POSITIVE_INFINITY;
  const delta = deltaOf(argument);
  if (delta !== undefined) return delta;
  return LENIENT.has(name) || name !== 'min-fresh' ? 0 : Number.POSITIVE_INFINITY;
}

/**
 * The fields that `no-cache` or `private` names: undefined where the directive is absent, `'all'` where it concerns the
 * whole response, which is how a malformed list is read (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
 */
export function fieldsNamed(
  directives: Directives,
  name: 'no-cache' | 'private',
): readonly string[] | 'all' | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  const names = (argument ?? '').split(',').map((part) => part.trim().toLowerCase());
  const valid = names.filter((part) => part !== '');
  return valid.length === 0 || valid.some((part) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(part)) ? 'all' : valid;
}

/** The request's directives; `Pragma: no-cache` counts where there is no Cache-Control (RFC 9111 section 5.4). */
export function requestDirectives(headers: Fields): Directives {
  if (headers['cache-control'] !== undefined) return directivesOf(headers);
  const pragma = headers.pragma === undefined ? undefined : field(headers, 'pragma');
  return pragma !== undefined && parseCacheControl(pragma).has('no-cache') ? PRAGMA_NO_CACHE : NONE;
}

const PRAGMA_NO_CACHE: Directives = new Map([['no-cache', null]]);

import { optionError } from '../errors.js';
import { canParseUrl, parseUrl } from './parse-url.js';

/** A URL pattern in compiled form. */
export interface UrlMatcher {
  readonly source: string | RegExp;
  /** @param url absolute and normalized */
  matches(url: string): boolean;
}

const ACCEPTED =
  'a RegExp, or a pattern of host and path without a query, such as "api.example.com/users/*"; "*" cannot be part of a label with non-ASCII letters';
const ACCEPTED_PATH = 'a pattern that includes the host, since there is no absolute baseURL to combine the path with';

/**
 * Compiles a URL pattern, as `urlsExpireAfter`, `invalidates` and `cache.delete` take it. A RegExp is tested against the
 * whole normalized URL. In a string, host and path match separately: the host in punycode, the path percent-encoded, `*`
 * and `**` any characters within one of them. A scheme is ignored. Matching takes time linear in the length of the URL.
 *
 * @param option the name of the option, for the error
 * @param context.baseURL combined with a pattern that starts with `/`, as axios combines it with a relative `url`
 * @throws TypeError for an empty pattern, one with a query, fragment or userinfo, a host that no URL can have, a path
 *   without an absolute `baseURL`, and a value that is neither a string nor a RegExp
 */
export function compileUrlPattern(
  pattern: unknown,
  option: string,
  context: { readonly baseURL?: string | undefined } = {},
): UrlMatcher {
  if (isRegExp(pattern)) {
    // With the flag `g` or `y` a RegExp continues where it stopped: the same URL would match only every second time.
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return { source: pattern, matches: (url) => stateless.test(url) };
  }
  if (typeof pattern !== 'string' || pattern === '' || pattern !== pattern.trim() || /[?#]/.test(pattern)) {
    throw optionError(option, pattern, ACCEPTED);
  }
  if (isPath(pattern) && !isAbsolute(context.baseURL)) throw optionError(option, pattern, ACCEPTED_PATH);
  const glob = readPattern(isPath(pattern) ? combined(context.baseURL ?? '', pattern) : pattern);
  if (!glob) throw optionError(option, withoutUserinfo(pattern), ACCEPTED);
  return { source: pattern, matches: (url) => matchesUrl(glob, url) };
}

/** `instanceof` fails for a RegExp of another realm, as in test environments. */
function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

/** A path begins with one slash; after two slashes follows a host, as in axios. */
function isPath(pattern: string): boolean {
  return pattern.startsWith('/') && !pattern.startsWith('//');
}

function isAbsolute(baseURL: string | undefined): boolean {
  return baseURL !== undefined && /^https?:\/\//i.test(baseURL) && canParseUrl(baseURL);
}

/** Combines an absolute base URL and a path as axios does; userinfo is not part of patterns. */
function combined(baseURL: string, path: string): string {
  const { host, pathname, search } = new URL(baseURL);
  return `${host}${`${pathname}${search}`.replace(/\/?\/$/, '')}/${path.replace(/^\/+/, '')}`;
}

function withoutUserinfo(pattern: string): string {
  return pattern.replace(/^((?:[a-z][a-z\d+.-]*:)?\/\/)?[^/]*@/i, '$1...@');
}

/** Literal texts with any characters between them. */
type Glob = readonly string[];

interface UrlGlob {
  readonly host: Glob;
  /** Undefined if every port matches. */
  readonly port: string | undefined;
  /** The path itself, and for a pattern that does not end in `*` the paths below it. */
  readonly paths: readonly Glob[];
}

/** Returns undefined if no URL can match. */
function readPattern(pattern: string): UrlGlob | undefined {
  const bare = pattern.replace(/^(?:[a-z][a-z\d+.-]*:)?\/\//i, '');
  const slash = bare.indexOf('/');
  const authority = slash === -1 ? bare : bare.slice(0, slash);
  const [, name = '', port = '*'] = /^(.*?)(?::(\d+|\*))?$/.exec(authority) ?? [];
  const host = hostGlob(name);
  const path = slash === -1 ? '/' : bare.slice(slash);
  if (host === undefined || path.includes('?') || (port !== '*' && Number(port) > 65_535)) return undefined;
  return { host, port: port === '*' ? undefined : String(Number(port)), paths: pathGlobs(path) };
}

/** Host names are compared in punycode, as URLs contain them. */
function hostGlob(name: string): Glob | undefined {
  if (name === '' || /[@\s/\\]/.test(name) || /^[^[]*:/.test(name)) return undefined;
  if (!name.includes('*')) {
    const parsed = parseUrl(`http://${name}`);
    return parsed && [parsed.hostname];
  }
  const labels = name.toLowerCase().split(/[.\u3002\uff0e\uff61]/);
  const converted = labels.map((label) => {
    if (/^[\w*-]*$/.test(label)) return label;
    // A part of a label has no punycode form of its own.
    return label.includes('*') ? undefined : parseUrl(`http://${label}`)?.hostname;
  });
  return converted.includes(undefined) ? undefined : globOf(converted.join('.'));
}

function pathGlobs(pattern: string): readonly Glob[] {
  const path = comparable(new URL(`http://host${pattern}`).pathname);
  if (path.endsWith('*')) return [globOf(path)];
  const segment = path.endsWith('/') ? path.slice(0, -1) : path;
  return [globOf(segment), globOf(`${segment}/*`)];
}

function globOf(text: string): Glob {
  return text.split(/\*+/);
}

/** RFC 3986 section 6.2.2: percent-encodings in upper case, and those of unreserved characters decoded. */
function comparable(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([\da-f]{2})/gi, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

function matchesUrl({ host, port, paths }: UrlGlob, url: string): boolean {
  const parts = splitUrl(url);
  if (!parts || !matchesGlob(host, parts.host)) return false;
  if (port !== undefined && port !== parts.port) return false;
  const path = comparable(parts.path);
  return paths.some((glob) => matchesGlob(glob, path));
}

interface UrlParts {
  readonly host: string;
  /** The default port of the scheme if the URL has none. */
  readonly port: string;
  readonly path: string;
}

/** Splits a normalized URL at its delimiters, so that no userinfo, query or fragment is taken for a host or path. */
function splitUrl(url: string): UrlParts | undefined {
  const scheme = url.indexOf('://');
  if (scheme === -1) return undefined;
  const rest = url.slice(scheme + 3);
  const end = rest.search(/[/?#]/);
  const authority = (end === -1 ? rest : rest.slice(0, end)).toLowerCase();
  const hostPart = authority.slice(authority.lastIndexOf('@') + 1);
  const port = /:(\d+)$/.exec(hostPart);
  const host = port ? hostPart.slice(0, port.index) : hostPart;
  const defaultPort = url.startsWith('https:') ? '443' : '80';
  const tail = end === -1 ? '' : rest.slice(end);
  const path = tail.startsWith('/') ? tail.slice(0, tail.search(/[?#]|$/)) : '/';
  return { host, port: port?.[1] ?? defaultPort, path };
}

/** Returns whether a glob matches the whole text. Each literal is searched after the one before: time is linear. */
function matchesGlob(glob: Glob, text: string): boolean {
  const first = glob[0] ?? '';
  if (glob.length === 1) return text === first;
  const last = glob[glob.length - 1] ?? '';
  const end = text.length - last.length;
  if (first.length > end || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (let index = 1; index < glob.length - 1; index += 1) {
    const literal = glob[index] ?? '';
    const found = text.indexOf(literal, at);
    if (found === -1 || found + literal.length > end) return false;
    at = found + literal.length;
  }
  return true;
}

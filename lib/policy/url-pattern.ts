import { optionError } from '../errors.js';

/** A URL pattern in compiled form. */
export interface UrlMatcher {
  readonly source: string | RegExp;
  /** @param url absolute and normalised */
  matches(url: string): boolean;
}

const ACCEPTED = 'a RegExp, or a glob of a host and path without a query, such as "api.example.com/users/*"';

/**
 * Compiles a pattern for `urlsExpireAfter` and its kin: a RegExp sees the whole normalised URL; a glob sees host and path
 * apart, `*` and `**` standing for anything within one of them.
 *
 * @param option the option's name, for the error
 * @throws TypeError for an empty pattern, one with a query or fragment, and anything but text and RegExp
 */
export function compileUrlPattern(pattern: unknown, option: string): UrlMatcher {
  if (pattern instanceof RegExp) {
    // With `g` or `y` a RegExp goes on where it stopped: the same URL would match every other time.
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return { source: pattern, matches: (url) => stateless.test(url) };
  }
  if (typeof pattern !== 'string' || pattern.trim() === '' || /[?#\s]/.test(pattern)) {
    throw optionError(option, pattern, ACCEPTED);
  }
  return compileGlob(pattern);
}

/**
 * Whether a URL fits a pattern (requests-cache: `url_match`).
 *
 * @throws TypeError as {@link compileUrlPattern}; for a URL that is not absolute
 */
export function urlMatch(url: string, pattern: string | RegExp): boolean {
  return compileUrlPattern(pattern, 'pattern').matches(new URL(url).href);
}

function compileGlob(pattern: string): UrlMatcher {
  const bare = pattern.replace(/^[a-z][a-z\d+.-]*:\/\//i, '');
  const slash = bare.indexOf('/');
  const host = (slash === -1 ? bare : bare.slice(0, slash)).toLowerCase();
  const path = slash === -1 ? '/' : bare.slice(slash);
  const withPort = /:\d+$/.test(host);
  const open = path.endsWith('*');
  const segmentEnd = path.endsWith('/') ? path.slice(0, -1) : path;
  return {
    source: pattern,
    matches(url) {
      const parts = splitUrl(url);
      if (!parts || !matchesGlob(host, withPort ? parts.hostAndPort : parts.host)) return false;
      if (open) return matchesGlob(path, parts.path);
      return matchesGlob(segmentEnd, parts.path) || matchesGlob(`${segmentEnd}/*`, parts.path);
    },
  };
}

interface UrlParts {
  readonly host: string;
  /** With the scheme's default port where the URL names none. */
  readonly hostAndPort: string;
  readonly path: string;
}

/** Splits a normalised URL at its delimiters, so that no userinfo, query or fragment is taken for host or path. */
function splitUrl(url: string): UrlParts | undefined {
  const scheme = url.indexOf('://');
  if (scheme === -1) return undefined;
  const rest = url.slice(scheme + 3);
  const end = rest.search(/[/?#]/);
  const authority = (end === -1 ? rest : rest.slice(0, end)).toLowerCase();
  const hostPart = authority.slice(authority.lastIndexOf('@') + 1);
  const port = /:(\d+)$/.exec(hostPart);
  const host = port ? hostPart.slice(0, port.index) : hostPart;
  const defaultPort = url.startsWith('https:') ? 443 : 80;
  const tail = end === -1 ? '' : rest.slice(end);
  const path = tail.startsWith('/') ? tail.slice(0, tail.search(/[?#]|$/)) : '/';
  return { host, hostAndPort: `${host}:${port ? port[1] : defaultPort}`, path };
}

/** Whether the whole text fits a glob in which `*` stands for anything: two pointers, linear for each run of stars. */
function matchesGlob(glob: string, text: string): boolean {
  let [g, t, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g;
      resume = t;
      g += 1;
    } else if (g < glob.length && glob[g] === text[t]) {
      g += 1;
      t += 1;
    } else if (star !== -1) {
      g = star + 1;
      resume += 1;
      t = resume;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}

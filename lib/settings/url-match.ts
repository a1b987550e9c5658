import { optionError } from '../errors.js';
import { canParseUrl } from '../policy/parse-url.js';
import { compileUrlPattern } from '../policy/url-pattern.js';
import { normalizeUrl } from '../request/normalize-url.js';

/**
 * Returns whether a URL matches a pattern, by the rules of `urlsExpireAfter` (requests-cache: `url_match`).
 *
 * @param url absolute
 * @param pattern a string with `*`, or a RegExp, which is tested against the normalized URL
 * @param options.baseURL combined with a pattern that starts with `/`
 * @throws TypeError for a pattern that is not accepted, and for a URL that is not absolute
 * @example
 * urlMatch('https://api.example.com/users/1', '*.example.com/users');        // true
 * urlMatch('https://api.example.com/users/1', '/users', { baseURL: 'https://api.example.com' });   // true
 */
export function urlMatch(
  url: string,
  pattern: string | RegExp,
  options: { readonly baseURL?: string | undefined } = {},
): boolean {
  if (!canParseUrl(url)) throw optionError('url', url, 'an absolute URL');
  return compileUrlPattern(pattern, 'pattern', options).matches(normalizeUrl(url));
}

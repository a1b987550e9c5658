import { field, type RequestMessage, type ResponseMessage } from './messages.js';
import { isSafe } from './methods.js';
import { parseUrl } from './parse-url.js';
import { allowsMethod, type Rules } from './rules.js';

/** The stored responses that an unsafe request invalidates. */
export interface Invalidation {
  /** Absolute URLs, without fragments: the target first. */
  readonly urls: readonly string[];
  /** The method whose stored responses stay: the request's own, if it is cached. Undefined: none stays. */
  readonly exceptMethod: string | undefined;
}

/**
 * Returns the URLs whose stored responses a non-error response to an unsafe request invalidates (RFC 9111 section 4.4): the
 * target, and Location and Content-Location of the same origin, for every method. A method in `allowableMethods`
 * never invalidates stored responses of that method (a cached POST would otherwise remove itself).
 *
 * Call it for each hop of a redirect chain, with the method and URL of that hop.
 *
 * @returns undefined if nothing is invalidated
 */
export function invalidation(
  request: RequestMessage,
  response: ResponseMessage,
  rules: Pick<Rules, 'allowableMethods' | 'cacheControl'>,
): Invalidation | undefined {
  if (isSafe(request.method) || response.status < 200 || response.status >= 400) return undefined;
  const target = new URL(request.url);
  target.hash = '';
  const urls = new Set([target.href]);
  for (const name of ['location', 'content-location']) {
    const location = field(response.headers, name);
    const url = location === undefined ? undefined : parseUrl(location, target);
    if (!url) continue;
    url.hash = '';
    if (url.origin === target.origin) urls.add(url.href);
  }
  return { urls: [...urls], exceptMethod: allowsMethod(rules, request.method) ? request.method : undefined };
}

/**
 * Safe methods (RFC 9110 section 9.2.1, and the IANA registry of methods): they change nothing at the origin, hence
 * they invalidate nothing.
 */
const SAFE: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PRI',
  // RFC 10008.
  'QUERY',
  // WebDAV: RFC 4918, RFC 3253, RFC 5323.
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

/** Returns whether a method asks for a representation, so that a cache may answer it: GET, HEAD and QUERY. */
export function isReading(method: string): boolean {
  return READING.has(method);
}

/** Returns whether a method is safe; a method that is not known counts as unsafe (RFC 9111 section 4.4). */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/**
 * Returns the method of the request that follows a redirect, as HTTP clients choose it (RFC 9110 section 15.4): a POST
 * becomes a GET after 301 and 302, and every method but GET and HEAD after 303. Others stay, QUERY included
 * (RFC 10008 section 2.5).
 *
 * @param method upper case
 */
export function redirectedMethod(method: string, status: number): string {
  if ((status === 301 || status === 302) && method === 'POST') return 'GET';
  return status === 303 && method !== 'HEAD' ? 'GET' : method;
}

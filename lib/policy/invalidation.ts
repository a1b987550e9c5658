import { field, type RequestMessage, type ResponseMessage } from './messages.js';

/** RFC 9110 section 9.2.1. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * RFC 9111 section 4.4: the URLs whose stored responses are out of date after a non-error answer to an unsafe request:
 * the target, and the Location and Content-Location of the same origin.
 */
export function invalidated(request: RequestMessage, response: ResponseMessage): readonly string[] {
  if (SAFE.has(request.method) || response.status < 200 || response.status >= 400) return [];
  const target = new URL(request.url);
  const urls = [target.href];
  for (const name of ['location', 'content-location']) {
    const location = field(response.headers, name);
    if (location === undefined || !URL.canParse(location, target)) continue;
    const url = new URL(location, target);
    url.hash = '';
    if (url.origin === target.origin) urls.push(url.href);
  }
  return [...new Set(urls)];
}

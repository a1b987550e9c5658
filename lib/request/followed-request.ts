import type { CacheRequest } from '../models/cache-request.js';
import { redirectedMethod } from '../policy/methods.js';

/** Returns the request that an HTTP client sends to a URL after redirects with these statuses. */
export function followedRequest(
  request: CacheRequest,
  url: string,
  redirects: readonly { readonly status: number }[],
): CacheRequest {
  const method = redirects.reduce((current, { status }) => redirectedMethod(current, status), request.method);
  return method === request.method ? { ...request, url } : asGet({ ...request, url });
}

/** Returns the GET request that remains of another: without a body and the fields that describe it. */
export function asGet(request: CacheRequest): CacheRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !/^content-(type|length|encoding|language)$/.test(name)),
  );
  return { ...request, method: 'GET', headers, body: { kind: 'none' } };
}

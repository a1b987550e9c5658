import type { CacheRequest } from '../models/cache-request.js';

/** Make a request another one than its method says, at origins that accept them. */
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const;

/**
 * Returns why a request is neither answered from the cache nor stored, whatever the settings; undefined if it may be.
 * An input that changes the answer and cannot be part of the key is such a reason.
 */
export function uncachedReason(request: CacheRequest): string | undefined {
  if (request.body.kind === 'stream') return 'stream-body';
  if (request.hiddenTransport !== undefined) return request.hiddenTransport;
  if (request.hiddenCredentials && request.principal === undefined) return 'hidden-credentials';
  return METHOD_OVERRIDES.some((name) => request.headers[name] !== undefined) ? 'method-override' : undefined;
}

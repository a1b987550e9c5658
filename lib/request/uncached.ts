import type { CacheRequest } from '../models/cache-request.js';
import { isSafe } from '../policy/methods.js';
import type { NotCachedReason } from '../policy/reasons.js';

/** Make a request another one than its method says, at origins that accept them. */
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const;

/**
 * Returns why a request is neither answered from the cache nor stored, whatever the settings; undefined if it may be.
 * An input that changes the answer and cannot be part of the key is such a reason.
 */
export function uncachedReason(request: CacheRequest): NotCachedReason | undefined {
  if (request.body.kind === 'stream') return 'stream-body';
  if (request.hiddenTransport !== undefined) return request.hiddenTransport;
  if (request.hiddenCredentials && request.principal === undefined) return 'hidden-credentials';
  return overridingField(request) === undefined ? undefined : 'method-override';
}

/** Returns the method that decides on invalidation: an unsafe one, even if only a field such as X-HTTP-Method-Override names it. */
export function meantMethod(request: CacheRequest): string {
  const name = isSafe(request.method) ? overridingField(request) : undefined;
  return name === undefined ? request.method : String(request.headers[name]).trim().toUpperCase();
}

function overridingField({ headers }: CacheRequest): (typeof METHOD_OVERRIDES)[number] | undefined {
  return METHOD_OVERRIDES.find((name) => headers[name] !== undefined);
}

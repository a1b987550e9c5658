import type { CacheRequest } from '../models/cache-request.js';
import type { NotCachedReason } from '../policy/reasons.js';
import { isOverridden } from './method-override.js';

/**
 * Returns why a request is neither answered from the cache nor stored, whatever the settings; undefined if it may be.
 * An input that changes the answer and cannot be part of the key is such a reason.
 */
export function uncachedReason(request: CacheRequest): NotCachedReason | undefined {
  if (request.body.kind === 'stream') return 'stream-body';
  if (request.hiddenTransport !== undefined) return request.hiddenTransport;
  if (request.hiddenCredentials && request.principal === undefined) return 'hidden-credentials';
  return isOverridden(request) ? 'method-override' : undefined;
}

import { invalidation } from '../policy/invalidation.js';
import type { ResponseMessage } from '../policy/messages.js';
import { normalizeUrl } from '../request/normalize-url.js';
import { keyUrl } from '../request/redaction.js';
import { type Call, tell } from './call.js';

/**
 * Removes what a non-error answer makes out of date: by RFC 9111 section 4.4 with `cacheControl`, and what the request's
 * own `invalidates` names in any mode.
 */
export async function invalidate(call: Call, response: ResponseMessage): Promise<void> {
  const { cache, settings, request, store } = call;
  if (settings.readOnly || response.status >= 400) return;
  const unsafe = settings.cacheControl && settings.enabled ? invalidation(request, response, settings) : undefined;
  const urls = new Set(unsafe?.urls);
  if (settings.invalidates?.ownUrl) urls.add(normalizeUrl(request.url));
  let removed = 0;
  for (const url of urls) removed += await cache.stored.discardUrl(keyUrl(url, settings), store);
  const patterns = settings.invalidates?.patterns ?? [];
  if (patterns.length > 0) removed += await cache.stored.discardMatching(patterns, store);
  if (removed > 0) tell(call, 'invalidated');
}

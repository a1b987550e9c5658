import type { InvalidationObserver, InvalidationRequest } from '../cache/invalidator.js';
import type { Hop } from '../models/record.js';
import { groupsInvalidatedBy } from '../policy/cache-groups.js';
import { invalidation } from '../policy/invalidation.js';
import { newFields } from '../policy/messages.js';
import { redirectedMethod } from '../policy/methods.js';
import { canParseUrl } from '../policy/parse-url.js';
import { groupIndexName, otherUrlIndexName, tagIndexName, urlIndexName } from '../request/index-names.js';
import { meantMethod, withoutOverride } from '../request/method-override.js';
import { withoutUserinfo } from '../request/normalize-url.js';
import { keyUrl } from '../request/redaction.js';
import type { OriginResponse } from './origin.js';
import { sameUrl } from './redirects.js';
import type { RequestContext } from './request-context.js';

/** The part of a response that decides on invalidation. */
export interface InvalidatingResponse extends Pick<OriginResponse, 'status' | 'headers'> {
  readonly hops?: OriginResponse['hops'] | undefined;
  readonly url?: string | undefined;
}

/**
 * Invalidates the stored responses that a non-error response makes out of date: with `cacheControl` by RFC 9111 section 4.4
 * and RFC 9875, and by the request's own `invalidates` in any mode.
 *
 * @returns the number of steps in the sequence of invalidations that it took; 0: nothing was to be invalidated
 */
export async function invalidateAfter(context: RequestContext, response: InvalidatingResponse): Promise<number> {
  const { cache, settings, access } = context;
  if (settings.readOnly) return 0;
  const requests = [...byProtocol(context, response), ...byOption(context, response)];
  const observer: InvalidationObserver = {
    onRemoved: (count) => context.emit('invalidated', { count }),
    onFailed: (error) => context.emit('error', { reason: 'invalidation', error }),
  };
  const recorded = await Promise.all(
    requests.map((request) => cache.invalidator.invalidate(request, access, observer)),
  );
  return recorded.reduce((sum, count) => sum + count, 0);
}

/** Each response of a redirect chain invalidates by its own method and URL. */
function* byProtocol(context: RequestContext, response: InvalidatingResponse): Generator<InvalidationRequest> {
  const { settings, request } = context;
  if (!settings.cacheControl || !settings.enabled) return;
  let method = meantMethod(request);
  const { hops, isMethodKnown } = chainOf(context, response);
  for (const hop of hops) {
    if (!canParseUrl(hop.url)) continue;
    const target = { ...request, method, url: hop.url };
    const unsafe = invalidation(target, hop, settings);
    const groups = groupsInvalidatedBy(isMethodKnown ? target : { ...target, method: undefined }, hop);
    const urls = (unsafe?.urls ?? []).flatMap((one) => [one, withoutOverride(one)]);
    const names = [...new Set(urls.map((one) => keyUrl(one, settings)))];
    const others = names.map(otherUrlIndexName);
    const groupNames = groups?.groups.map((group) => groupIndexName(groups.origin, group)) ?? [];
    const { exceptMethod } = unsafe ?? {};
    if (names.length + groupNames.length > 0) {
      yield {
        names: [...names.map(urlIndexName), ...groupNames, ...(exceptMethod === undefined ? others : [])],
        patterns: [],
        exceptMethod: exceptMethod === undefined ? undefined : { method: exceptMethod, names: others },
        takesGroupsAlong: true,
      };
    }
    method = redirectedMethod(method, hop.status);
  }
}

/**
 * The responses of a redirect chain. If the client shows none of its redirects (fetch), a 307 takes their place: the last
 * request may have had the same method, so that its URL is invalidated, but may as well have been a GET.
 */
function chainOf(
  { request }: RequestContext,
  response: InvalidatingResponse,
): { readonly hops: readonly Hop[]; readonly isMethodKnown: boolean } {
  const { hops = [], url = request.url, status, headers } = response;
  if (hops.length > 0) return { hops: [...hops, { url, status, headers }], isMethodKnown: true };
  const first = { url: request.url, status, headers };
  const isMoved =
    canParseUrl(url) && canParseUrl(request.url) && !sameUrl(withoutUserinfo(url), withoutUserinfo(request.url));
  if (!isMoved) return { hops: [first], isMethodKnown: true };
  return {
    hops: [
      { ...first, status: 307, headers: newFields() },
      { ...first, url },
    ],
    isMethodKnown: false,
  };
}

function byOption(
  { settings, request }: RequestContext,
  { status }: InvalidatingResponse,
): readonly InvalidationRequest[] {
  const { invalidates } = settings;
  if (!invalidates || status >= 400) return [];
  const { ownUrl, patterns, tags } = invalidates;
  const own = ownUrl ? [urlIndexName(keyUrl(request.url, settings))] : [];
  return [{ names: [...own, ...tags.map(tagIndexName)], patterns }];
}

import type { Lookup } from '../cache/entry-reader.js';
import type { ResponseRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { isTurnOver, type RealTimer, startTimer, stopTimer, yieldToEventLoop } from '../platform/real-time.js';
import { bypassReason, decide } from '../policy/decide.js';
import type { Reason } from '../policy/reasons.js';
import { isFresh } from '../policy/stale.js';
import { uncachedReason } from '../request/uncached.js';
import { isSetToDoNotCache } from '../settings/lifetime.js';
import { coalescingOf, withTags } from './coalescing.js';
import {
  decideOnError,
  type FetchPlan,
  fetchForLaterGets,
  fetchFromOrigin,
  mayServeLaterGets,
  refreshInBackground,
} from './fetch.js';
import { invalidateAfter } from './invalidate.js';
import { mayServeRedirected } from './redirects.js';
import type { RequestContext } from './request-context.js';
import {
  bypassResult,
  type Forward,
  presentOriginResult,
  type Result,
  serveGatewayTimeout,
  serveOriginResult,
  serveStale,
  serveStored,
} from './result.js';
import { acceptsResponse } from './store-response.js';

/**
 * The request's path: look up, decide, then serve, serve and refresh, revalidate, fetch, refuse or bypass, then store, then
 * serve. Resolves with a response of any status.
 *
 * @throws the HTTP client's error if neither the origin nor the store has a response
 */
export async function handleRequest(context: RequestContext): Promise<Result> {
  const bypass = reasonToBypass(context);
  if (bypass === 'method' && mayServeLaterGets(context)) return fetchForLaterGets(context);
  if (bypass !== undefined) return bypassCache(context, bypass);

  if (isTurnOver()) await yieldToEventLoop();
  const looking = lookUp(context);
  if (!isPromise(looking)) return answerFrom(context, looking);
  // From the look-up on, so that a response that is stored meanwhile is replaced only by one that has its tags too.
  return withTags(context, async () => answerFrom(context, await lookUpSlowly(context, looking)));
}

/** Decides on a request by the result of its look-up, and acts; without a promise if the stored response is served. */
function answerFrom(context: RequestContext, lookup: Lookup): MaybePromise<Result> {
  const { record: stored } = lookup;
  const { action, reason, serveAfter } = decide(context.request, stored, context.settings, context.now());

  if (action === 'refuse') return serveGatewayTimeout(context, reason);
  if (stored && action === 'serve') return serveStored(context, stored, reason);
  const plan: FetchPlan = {
    stored,
    revalidate: action === 'revalidate' || action === 'serve-and-refresh',
    forward: forwardOf(context, lookup, reason),
  };
  if (stored && action === 'serve-and-refresh') {
    const background = context.detached();
    const refreshed = refreshInBackground(background, plan).then((result) =>
      presentOriginResult(background, result, plan.forward),
    );
    return { ...serveStale(context, stored, { detail: reason }), refreshed };
  }
  // A stream that the caller no longer wants would have to be read by the cache.
  if (stored && serveAfter !== undefined && !context.request.streamed) {
    return fetchOrServeAfter(context.detached(), plan, { stored, serveAfter });
  }
  return fetchOrServeStale(context, plan);
}

/** Why the request is neither answered from the cache nor stored. */
function reasonToBypass(context: RequestContext): Reason | undefined {
  const { request, settings } = context;
  if (!settings.enabled) return 'disabled';
  return (
    uncachedReason(request) ??
    bypassReason(request, settings) ??
    (isSetToDoNotCache(context) ? 'do-not-cache' : undefined)
  );
}

/** Sends the request exactly as the caller wrote it; an unsafe method still invalidates. */
async function bypassCache(context: RequestContext, reason: Reason): Promise<Result> {
  const bypassed = await context.origin.bypass();
  const { status, headers = {}, url, hops } = bypassed;
  if (status !== undefined) await invalidateAfter(context, { status, headers, url, hops });
  context.emitBypass(reason);
  return bypassResult(bypassed, {
    fwd: reason === 'method' ? 'method' : 'bypass',
    ...(status === undefined ? {} : { fwdStatus: status }),
    detail: reason,
  });
}

/** Finds the stored response, unless the user's filter refuses it, which deletes it. */
function lookUp(context: RequestContext): MaybePromise<Lookup> {
  const { cache, key, request, access, settings } = context;
  const looking = cache.repository.lookup(key, request.headers, access);
  if (!settings.filterFn && !request.carriesMoreTo) return looking;
  return chain(looking, (found) => checkFound(context, found));
}

async function checkFound(context: RequestContext, found: Lookup): Promise<Lookup> {
  const { cache, settings, access } = context;
  const { record } = found;
  if (!record) return found;
  if (!(await mayServeRedirected(context, record))) return { miss: 'uri-miss', detail: 'redirect-credentials' };
  if (!settings.filterFn) return found;
  try {
    if (await acceptsResponse(context, record)) return found;
    if (!settings.readOnly) await cache.repository.discard(record, access);
    context.emit('removed', { reason: 'filter', count: settings.readOnly ? 0 : 1 });
    return { miss: 'uri-miss', detail: 'filter' };
  } catch (error) {
    context.emit('error', { reason: 'user-function', error });
    return { miss: 'uri-miss', detail: 'user-function' };
  }
}

/** A look-up that outlives a request that it could have joined is repeated, since that may have stored a response. */
async function lookUpSlowly(context: RequestContext, looking: Promise<Lookup>): Promise<Lookup> {
  const watch = coalescingOf(context.cache).watch(context.key);
  let lookup: Lookup;
  let ended = false;
  try {
    lookup = await context.wait(looking);
  } finally {
    ended = watch.end();
  }
  if (!ended || (lookup.record && isFresh(lookup.record, context.now()))) return lookup;
  return context.wait(lookUp(context));
}

/** Why the request goes to the origin, in the words of RFC 9211 section 2.2. */
function forwardOf(context: RequestContext, { record, miss, detail }: Lookup, reason: Reason): Forward {
  const known = context.access.failure ?? detail;
  if (!record) return { fwd: miss, detail: known };
  if (reason === 'partial') return { fwd: 'partial', detail: known };
  return isFresh(record, context.now()) ? { fwd: 'request', detail: known ?? reason } : { fwd: 'stale', detail: known };
}

/** Asks the origin; serves the stored response if the origin takes longer than so many seconds (option `networkFirst`). */
async function fetchOrServeAfter(
  context: RequestContext,
  plan: FetchPlan,
  { stored, serveAfter }: { readonly stored: ResponseRecord; readonly serveAfter: number },
): Promise<Result> {
  const since = context.cache.repository.invalidations.now;
  const fetching = fetchOrServeStale(context, plan);
  let timer: RealTimer | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = startTimer(serveAfter * 1000, () => resolve(undefined), { keepsProcess: true });
  });
  try {
    const result = await Promise.race([fetching, late]);
    if (result) return result;
  } finally {
    stopTimer(timer);
  }
  const present = await rereadStored(context, { stored, since });
  if (!present) return fetching;
  // The request continues, and its response is stored.
  context.cache.breaker.track(fetching.catch((error) => context.emit('error', { reason: 'network-first', error })));
  return { ...serveStale(context, present, { ...plan.forward, detail: 'network-first' }), refreshed: fetching };
}

/** A stored response that is to be served in place of the origin's. */
interface Substitute {
  readonly stored: ResponseRecord;
  /** Place in the sequence of invalidations when the origin was asked. */
  readonly since: number;
  /** The origin's response as it was stored, if it was. */
  readonly own?: ResponseRecord | undefined;
}

/**
 * Reads a stored response again: it may have been removed or changed while the origin was asked. Undefined if it must not be
 * served any more, also if the store fails and something was invalidated.
 */
async function rereadStored(
  context: RequestContext,
  { stored, since, own }: Substitute,
): Promise<ResponseRecord | undefined> {
  const { record } = await context.wait(lookUp(context));
  if (record?.isInvalidated) return undefined;
  if (record) return record.stamp === own?.stamp ? stored : record;
  const isUnknown = context.access.failure !== undefined && !context.cache.repository.invalidations.anySince(since);
  return isUnknown ? stored : undefined;
}

/** Asks the origin; serves the stored response if the origin fails and policy allows it. */
async function fetchOrServeStale(context: RequestContext, plan: FetchPlan): Promise<Result> {
  const { stored, forward } = plan;
  const since = context.cache.repository.invalidations.now;
  let result: Result;
  try {
    result = await fetchFromOrigin(context, plan);
  } catch (error) {
    if (!stored || !context.origin.failed(error) || decideOnError(context, stored, {}) !== 'allowed') throw error;
    const present = await rereadStored(context, { stored, since });
    if (!present) throw error;
    return serveStale(context, present, { ...forward, detail: 'stale-if-error' });
  }
  const status = result.response?.status;
  const stale =
    stored && status !== undefined && status !== 304 ? decideOnError(context, stored, { status }) : undefined;
  const present =
    stored && stale === 'allowed' ? await rereadStored(context, { stored, since, own: result.record }) : undefined;
  if (present) {
    result.response?.stream?.discard();
    return serveStale(context, present, { ...forward, fwdStatus: status, detail: 'stale-if-error' });
  }
  const isRefused = stale === 'prohibited' && !result.record;
  return serveOriginResult(context, isRefused ? { ...result, status: { detail: 'must-revalidate' } } : result, forward);
}

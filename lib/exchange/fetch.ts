import type { ResponseRecord } from '../models/record.js';
import { requestDirectives } from '../policy/cache-control.js';
import { isReading, isSafe } from '../policy/methods.js';
import type { Reason } from '../policy/reasons.js';
import { allowsMethod } from '../policy/rules.js';
import { mayServeOnError } from '../policy/stale.js';
import { answersLaterGets } from '../policy/storable.js';
import { isConditional, validators } from '../policy/validation.js';
import { variantOf, varyNamesOfChain } from '../policy/vary.js';
import { countsInVary } from '../request/cache-key.js';
import { meantMethod } from '../request/method-override.js';
import { asGet } from '../request/request-of-record.js';
import { selectingHops } from '../request/selecting-hops.js';
import { uncachedReason } from '../request/uncached.js';
import { settingsSignature } from '../settings/signature.js';
import { askOrigin } from './ask-origin.js';
import { type CoalescedRequest, type CoalescedRequestOptions, coalescingOf } from './coalescing.js';
import { freshenFromHead, freshenStored } from './freshen.js';
import { invalidateAfter } from './invalidate.js';
import { acquireLease } from './lease.js';
import type { OriginResponse, SharedRequest } from './origin.js';
import type { RequestContext } from './request-context.js';
import type { Forward, Result } from './result.js';
import {
  type OriginRequest,
  reportNotStored,
  type StoreOutcome,
  storeResponse,
  streamObstacle,
} from './store-response.js';

/** The plan of a request to the origin. */
export interface FetchPlan {
  /** The stored response, which the origin may confirm, and which may be served if the origin fails. */
  readonly stored: ResponseRecord | undefined;
  readonly revalidate: boolean;
  readonly forward: Forward;
}

/** Chooses the context under whose key a response is stored. */
type StoreAs = (response: OriginResponse) => RequestContext;

/** Whether policy allows the stored response in place of a failure; without a status, no response came. */
export function allowsStale(
  context: RequestContext,
  stored: ResponseRecord,
  { status }: { readonly status?: number },
): boolean {
  const failure = status === undefined ? {} : { status };
  return mayServeOnError(context.request, stored, failure, context.settings, context.now());
}

/** Asks the origin together with other callers that ask the same, if that is allowed and their response fits. */
export async function fetchShared(context: RequestContext, plan: FetchPlan): Promise<Result> {
  const coalescing = coalescingOf<Result>(context.cache);
  if (!mayCoalesce(context) || coalescing.isSeparate(context.key, context.now())) return fetchAlone(context, plan);
  const name = coalescingName(context, plan);
  const open = coalescing.find(name);
  if (open && !isInvalidatedSince(context, open.since)) {
    const { invalidations } = context.cache.repository;
    const wasInvalidated = invalidations.anySince(open.since);
    const result = await waitForResult(context, open, true);
    // Its final URL, tags and groups are unknown until now; an invalidation of them before this caller came counts.
    const mayShare = fitsOtherCaller(context, result) && !(wasInvalidated && result.invalidated);
    return mayShare ? result : fetchAlone(context, plan);
  }
  supersedeOlder(context);
  const started = coalescing.start(name, context.key, originRequest(context, plan));
  const result = await waitForResult(context, started, false);
  if (isForOneCaller(context, result)) coalescing.keepSeparate(context.key, context.now());
  return result;
}

function fetchAlone(context: RequestContext, plan: FetchPlan, storeAs?: StoreAs): Promise<Result> {
  supersedeOlder(context);
  return waitForResult(
    context,
    coalescingOf<Result>(context.cache).startAlone(originRequest(context, plan, storeAs)),
    false,
  );
}

/**
 * Refreshes the stored response in the background; one refresh at a time for each stored response.
 *
 * @returns the refreshed result, whose rejection is an event too
 */
export function refreshInBackground(context: RequestContext, plan: FetchPlan): Promise<Result> {
  const coalescing = coalescingOf<Result>(context.cache);
  const name = coalescingName(context, plan);
  const open = coalescing.find(name);
  if (open && !isInvalidatedSince(context, open.since)) return open.result;
  const request = coalescing.start(name, context.key, originRequest(context, plan));
  request.join(undefined);
  const reported = request.result.then(
    ({ revalidated }) => revalidated && context.emit('revalidated', { reason: 'background' }),
    (error) => context.emit('error', { reason: 'background-refresh', error }),
  );
  context.cache.breaker.track(reported.finally(() => request.leave(undefined)));
  return request.result;
}

function mayCoalesce({ request, settings }: RequestContext): boolean {
  return settings.coalesce && isReading(request.method) && !isConditional(request);
}

/**
 * Requests with the same name are sent alike, and their responses are stored alike. A request that demands the origin's own
 * response shares only requests that demand it too.
 */
function coalescingName(context: RequestContext, { stored, revalidate }: FetchPlan): string {
  const { request, settings, origin, key } = context;
  const conditions = revalidate && stored ? JSON.stringify(validators(stored) ?? {}) : '';
  const range = JSON.stringify(request.headers.range ?? '');
  return `${key} ${settingsSignature(settings)} ${origin.signature} ${range} ${demandOf(context)} ${conditions}`;
}

/** The part of a request that makes it unfit to share an ordinary one that began before. */
function demandOf({ request, settings }: RequestContext): string {
  const { refresh, forceRefresh, alwaysRevalidate } = settings;
  const noCache = settings.cacheControl && requestDirectives(request.headers).has('no-cache');
  return refresh || forceRefresh || alwaysRevalidate || noCache ? 'demand' : '';
}

/** A demand for the origin's own response begins later than the requests in flight, whose responses must not replace its own. */
function supersedeOlder(context: RequestContext): void {
  const { repository } = context.cache;
  if (demandOf(context) !== '') repository.invalidateInFlight({ digests: repository.codec.names(context.key) });
}

function isInvalidatedSince({ cache, request, key, settings }: RequestContext, since: number): boolean {
  const { repository } = cache;
  if (!repository.invalidations.anySince(since)) return false;
  return repository.invalidations.selectsSince(
    since,
    repository.selectableRequest(key, request, settings, settings.tags.names),
  );
}

/** Waits within the caller's limits; an error of another caller's request becomes this caller's own. */
async function waitForResult(
  context: RequestContext,
  request: CoalescedRequest<Result>,
  joined: boolean,
): Promise<Result> {
  request.join(context.caller);
  try {
    const result = await context.wait(request.result);
    return joined ? { ...result, joined } : result;
  } catch (error) {
    throw joined ? context.origin.adopt(error) : error;
  } finally {
    request.leave(context.caller);
  }
}

/** RFC 9111 section 4: a response that may not be stored, or sets a cookie, is for its own caller only. */
function isForOneCaller(
  { settings }: RequestContext,
  { response, record, revalidated, wasStorable = false }: Result,
): boolean {
  if (!response) return false;
  const setsCookie = [response, ...response.hops].some(
    ({ headers }) => headers['set-cookie'] ?? headers['set-cookie2'],
  );
  if (setsCookie || response.bodyForm === 'opaque') return true;
  return settings.cacheControl && !record && !revalidated && !wasStorable;
}

/** Whether another caller's response answers this request too, which its Vary may exclude. */
function fitsOtherCaller(context: RequestContext, result: Result): boolean {
  if (isForOneCaller(context, result)) return false;
  const { response, record, revalidated, requestHeaders = {} } = result;
  if (!response) return true;
  // A 304 without Vary confirms a stored response that has one.
  const { headers } = revalidated && record ? record : response;
  const hops = [...(record?.history ?? []), ...selectingHops(context.request.url, response.url, response.hops)];
  const names = varyNamesOfChain(headers, hops, countsInVary(context.settings));
  if (names === '*') return false;
  return variantOf(names, context.request.headers) === variantOf(names, requestHeaders);
}

/** A request to the origin that other callers may share. */
function originRequest(
  context: RequestContext,
  plan: FetchPlan,
  storeAs: StoreAs = () => context,
): CoalescedRequestOptions<Result> {
  const { invalidations, requests } = context.cache.repository;
  const since = invalidations.begin();
  const place = requests.begin();
  const run = async (shared: SharedRequest): Promise<Result> => {
    try {
      const lease = context.settings.lease > 0 ? await acquireLease(context, shared.signal) : undefined;
      try {
        if (lease?.found) return { ...NOT_ASKED, record: lease.found };
        return await fetchAndStore(context, plan, { since, place, shared, storeAs });
      } finally {
        await lease?.release();
      }
    } finally {
      invalidations.end();
      requests.end(place);
    }
  };
  return { since, run };
}

interface FetchOptions {
  /** Place in the sequence of invalidations. */
  readonly since: number;
  /** Place in the order of the requests. */
  readonly place: number;
  readonly shared: SharedRequest;
  readonly storeAs: StoreAs;
}

async function fetchAndStore(
  context: RequestContext,
  plan: FetchPlan,
  { since, place, shared, storeAs }: FetchOptions,
): Promise<Result> {
  const sent = await originRequestOf(context, plan, { since, place });
  const { response, confirmed } = await askOrigin(context, { ...plan, shared });
  shared.responseArrived();
  await invalidateOwn(context, sent, response);
  if (confirmed && sent.stored) {
    return resultOf(context, response, await freshenStored(context, { ...sent, stored: sent.stored }, response));
  }
  const outcome = await store(storeAs(response), sent, response);
  return resultOf(context, response, outcome);
}

/** Stores the response, and freshens that to a GET by one to a HEAD. */
async function store(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<StoreOutcome> {
  const outcome = await storeResponse(context, sent, response);
  if (context.request.method === 'HEAD') await freshenFromHead(context, sent, response);
  return outcome;
}

/**
 * Asks the origin for a caller that wants a stream: it gets the body as it arrives, and the response is stored after the
 * body's complete end. Streams are not coalesced.
 *
 * @throws the HTTP client's error
 */
export async function fetchStream(context: RequestContext, plan: FetchPlan): Promise<Result> {
  const { cache, settings } = context;
  const { invalidations, requests } = cache.repository;
  supersedeOlder(context);
  const since = invalidations.begin();
  const place = requests.begin();
  const end = () => {
    invalidations.end();
    requests.end(place);
  };
  let isCollecting = false;
  try {
    const sent = await originRequestOf(context, plan, { since, place });
    const { response, confirmed } = await askOrigin(context, plan);
    const { stored } = sent;
    if (confirmed && stored) {
      response.stream?.discard();
      await invalidateOwn(context, sent, response);
      return resultOf(context, response, await freshenStored(context, { ...sent, stored }, response));
    }
    if (stored && response.status !== 304 && allowsStale(context, stored, response)) return resultOf(context, response);
    await invalidateOwn(context, sent, response);
    const obstacle = response.stream ? streamObstacle(context, sent, response) : undefined;
    if (obstacle !== undefined || !response.stream) {
      const outcome = obstacle === undefined ? await store(context, sent, response) : { reason: obstacle };
      if (obstacle !== undefined) reportNotStored(context, { reason: obstacle });
      return resultOf(context, { ...response, bodyForm: 'opaque' }, outcome);
    }
    isCollecting = true;
    const native = await response.stream.collect({
      limit: settings.maxBodySize,
      onComplete: async (body) => {
        await store(context, sent, { ...response, body }).finally(end);
      },
      onIncomplete: (reason) => {
        reportNotStored(context, { reason });
        end();
      },
    });
    return resultOf(context, { ...response, bodyForm: 'opaque', native });
  } finally {
    if (!isCollecting) end();
  }
}

/** RFC 9110 section 9.3.3: whether the response to a POST may serve later GETs, which requires its bytes. */
export function mayServeLaterGets({ request, settings }: RequestContext): boolean {
  if (!settings.cacheControl || request.method !== 'POST' || request.streamed) return false;
  return allowsMethod(settings, 'GET') && uncachedReason(request) === undefined;
}

/** Sends a POST, and stores its response under the key of a GET if it says that it may serve them. */
export async function fetchForLaterGets(context: RequestContext): Promise<Result> {
  const { request, settings } = context;
  const storeAs: StoreAs = (response) =>
    answersLaterGets(request, response, settings, response.responseTime) ? context.with(asGet(request)) : context;
  const plan = { stored: undefined, revalidate: false, forward: { fwd: 'method' as const } };
  const result = await fetchAlone(context, plan, storeAs);
  const { record, response, status } = result;
  const outcome = { fwd: 'method' as const, fwdStatus: response?.status, detail: status.detail };
  return { ...result, status: record ? { ...outcome, stored: true } : outcome, key: record?.key };
}

/** The request as the origin will see it, in the order of invalidations. */
async function originRequestOf(
  context: RequestContext,
  plan: FetchPlan,
  places: Pick<OriginRequest, 'since' | 'place'>,
): Promise<OriginRequest> {
  const { cache, settings, request, access } = context;
  const mayStore = !settings.readOnly && allowsMethod(settings, request.method);
  return { stored: plan.stored, ...places, order: mayStore ? await cache.repository.currentOrder(access) : 0 };
}

/**
 * Invalidates after a response. Its own invalidation does not apply to the response itself: it counts as requested
 * afterwards, unless something else was invalidated since it was requested.
 */
async function invalidateOwn(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<void> {
  if (!mayInvalidate(context)) return;
  const { repository } = context.cache;
  const { invalidations } = repository;
  const wasInvalidated = invalidations.anySince(sent.since);
  const before = invalidations.now;
  const own = await invalidateAfter(context, response);
  if (own === 0 || wasInvalidated || invalidations.now !== before + own) return;
  sent.since = invalidations.now;
  sent.order = await repository.currentOrder(context.access);
}

/** Only an unsafe method or the option `invalidates` invalidates; a redirect makes no safe method unsafe. */
function mayInvalidate({ request, settings }: RequestContext): boolean {
  return settings.invalidates !== undefined || (settings.cacheControl && !isSafe(meantMethod(request)));
}

const NOT_ASKED: Result = {
  message: undefined,
  fromStore: false,
  revalidated: false,
  joined: false,
  status: {},
  key: undefined,
};

/** The outcome of an origin request. */
interface OriginOutcome {
  readonly record?: ResponseRecord;
  readonly revalidated?: boolean;
  readonly reason?: Reason;
  readonly wasStorable?: boolean;
}

function resultOf({ request }: RequestContext, response: OriginResponse, outcome: OriginOutcome = {}): Result {
  const { record, revalidated = false, reason, wasStorable = false } = outcome;
  const status = reason === undefined ? {} : { detail: reason };
  const invalidated = reason === 'invalidated';
  const requestHeaders = request.headers;
  return {
    ...NOT_ASKED,
    message: response,
    response,
    requestHeaders,
    record,
    revalidated,
    status,
    invalidated,
    wasStorable,
  };
}

import type { ResponseRecord } from '../models/record.js';
import type { Fields } from '../policy/messages.js';
import { isSafe } from '../policy/methods.js';
import { completedResponse, missingRange } from '../policy/range.js';
import { allowsMethod } from '../policy/rules.js';
import { type OriginResult, type StaleOnError, staleOnError } from '../policy/stale.js';
import { answersLaterGets } from '../policy/storable.js';
import { conditionsFor, isConditional, refusesAddedFields, validates } from '../policy/validation.js';
import { keyOf } from '../request/cache-key.js';
import { asGet } from '../request/followed-request.js';
import { meantMethod } from '../request/method-override.js';
import { uncachedReason } from '../request/uncached.js';
import { askAlone, type OriginRun, refreshShared, shareRequest, supersedeOlder } from './coalescing.js';
import { freshenFromHead, freshenStored } from './freshen.js';
import { invalidateAfter } from './invalidate.js';
import { acquireLease } from './lease.js';
import type { BodyStream, OriginResponse, SharedRequest } from './origin.js';
import { isSameTarget } from './redirects.js';
import type { RequestContext } from './request-context.js';
import { type Forward, originResult, type Result, resultOfLease } from './result.js';
import {
  bodyLimit,
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
export function decideOnError(context: RequestContext, stored: ResponseRecord, result: OriginResult): StaleOnError {
  return staleOnError(context.request, stored, result, context.settings, context.now());
}

/** Asks the origin, together with other callers that ask the same. Streams are not coalesced. */
export function fetchFromOrigin(context: RequestContext, plan: FetchPlan): Promise<Result> {
  return context.request.streamed
    ? fetchStream(context, plan)
    : shareRequest(context, plan, () => originRun(context, plan));
}

/** Refreshes the stored response in the background (see {@link refreshShared}). */
export function refreshInBackground(context: RequestContext, plan: FetchPlan): Promise<Result> {
  return refreshShared(context, plan, () => originRun(context, plan));
}

/** The work of a request to the origin that several callers may share. */
function originRun(context: RequestContext, plan: FetchPlan, storeAs: StoreAs = () => context): OriginRun {
  const begun = beginRequest(context);
  const run = async (shared: SharedRequest): Promise<Result> => {
    try {
      const lease = context.settings.lease > 0 ? await acquireLease(context, shared.signal) : undefined;
      try {
        if (lease?.found) return resultOfLease(lease.found);
        return await fetchAndStore(context, plan, { begun, shared, storeAs });
      } finally {
        await lease?.release();
      }
    } finally {
      begun.end();
    }
  };
  return { since: begun.since, isCancelable: context.caller !== undefined, run };
}

async function fetchStream(context: RequestContext, plan: FetchPlan): Promise<Result> {
  supersedeOlder(context);
  const begun = beginRequest(context);
  try {
    return await fetchAndStore(context, plan, { begun, storeAs: () => context });
  } finally {
    begun.end();
  }
}

/** A request to the origin whose response may still be stored. */
interface BegunRequest extends Pick<OriginRequest, 'since' | 'place'> {
  end(): void;
  /** Keeps its place after `end`, until the function that it returns is called. */
  keep(): () => void;
}

function beginRequest(context: RequestContext): BegunRequest {
  const { invalidations, requests } = context.cache.repository;
  const since = invalidations.begin();
  const key = orderedKey(context);
  const place = key === undefined ? undefined : requests.begin(key, context.settings.tags.names);
  let uses = 1;
  const end = () => {
    uses -= 1;
    if (uses > 0) return;
    invalidations.end();
    if (key !== undefined) requests.end(key);
  };
  const keep = () => {
    uses += 1;
    return end;
  };
  return { since, place, end, keep };
}

/**
 * The key under which the response may be stored; that of a POST's own, whose body may be long, is not computed. A user's
 * `keyFn` is not called for a POST, which its error must not prevent.
 */
function orderedKey(context: RequestContext): string | undefined {
  const { request, settings } = context;
  if (allowsMethod(settings, request.method)) return context.key;
  return mayServeLaterGets(context) && !settings.keyFn ? keyOf(asGet(request), settings) : undefined;
}

interface FetchOptions {
  readonly begun: BegunRequest;
  /** Absent for a stream. */
  readonly shared?: SharedRequest;
  readonly storeAs: StoreAs;
}

/**
 * Asks the origin, invalidates, and stores the response or freshens the stored one.
 *
 * @throws the HTTP client's error
 */
async function fetchAndStore(
  context: RequestContext,
  plan: FetchPlan,
  { begun, shared, storeAs }: FetchOptions,
): Promise<Result> {
  const sent = await originRequestOf(context, plan, begun);
  const { response, confirmed } = await askOrigin(context, plan, shared);
  shared?.responseArrived();
  await invalidateOwn(context, sent, response);
  const { stored } = sent;
  if (confirmed && stored) {
    response.stream?.discard();
    return originResult(context, response, await freshenStored(context, { ...sent, stored }, response));
  }
  if (response.stream) return storeAfterEnd(context, { ...response, stream: response.stream }, { begun, sent });
  return originResult(context, response, await store(storeAs(response), sent, response));
}

/** Passes a body on as it arrives, and stores the response after the body's complete end. */
async function storeAfterEnd(
  context: RequestContext,
  response: OriginResponse & { readonly stream: BodyStream },
  { begun, sent }: { readonly begun: BegunRequest; readonly sent: OriginRequest },
): Promise<Result> {
  const reason = streamObstacle(context, sent, response);
  if (reason !== undefined) {
    reportNotStored(context, { reason });
    return originResult(context, response, { reason });
  }
  const end = begun.keep();
  const limit = bodyLimit(context);
  const native = await response.stream.collect({
    limit: limit.bytes,
    onComplete: async (body) => {
      await store(context, sent, { ...response, body }).finally(end);
    },
    onIncomplete: (incomplete) => {
      reportNotStored(context, { reason: incomplete === 'aborted' ? incomplete : limit.reason });
      end();
    },
  });
  return originResult(context, { ...response, native });
}

/** Stores the response, and freshens that to a GET by one to a HEAD. */
async function store(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<StoreOutcome> {
  const outcome = await storeResponse(context, sent, response);
  if (context.request.method === 'HEAD') await freshenFromHead(context, sent, response);
  return outcome;
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
  const result = await askAlone(context, () => originRun(context, plan, storeAs));
  const { record, response, status } = result;
  const outcome = { fwd: 'method' as const, fwdStatus: response?.status, detail: status.detail };
  return { ...result, status: record ? { ...outcome, stored: true } : outcome, key: record?.key };
}

/** The request as the origin will see it, in the order of invalidations. */
async function originRequestOf(
  context: RequestContext,
  plan: FetchPlan,
  { since, place }: BegunRequest,
): Promise<OriginRequest> {
  const { cache, settings, request, access } = context;
  const mayStore = !settings.readOnly && allowsMethod(settings, request.method);
  return { stored: plan.stored, since, place, order: mayStore ? await cache.repository.currentOrder(access) : 0 };
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

/** The origin's response, and whether it confirms the stored one. */
interface OriginAnswer {
  readonly response: OriginResponse;
  readonly confirmed: boolean;
}

/**
 * Sends a request to the origin: unconditional, conditional if the plan is to revalidate, or for the bytes that the stored
 * response lacks. Sends it again without the cache's own conditions if the response to them cannot be used.
 *
 * @param shared absent for a stream, which is not shared
 * @throws the HTTP client's error if no response came
 */
async function askOrigin(
  context: RequestContext,
  { stored, revalidate }: FetchPlan,
  shared: SharedRequest | undefined,
): Promise<OriginAnswer> {
  if (stored && !revalidate && !context.settings.forceRefresh && !context.request.streamed) {
    return { response: await completeStored(context, stored, shared), confirmed: false };
  }
  // A validator means nothing to another target, and the target of a redirect may have changed.
  const conditions = revalidate && stored?.history.length === 0 ? conditionsFor(context.request, stored) : undefined;
  const response = await send(context, conditions, shared);
  if (!stored || !conditions) return { response, confirmed: false };
  const isNotModified = response.status === 304;
  if (isNotModified && isSameTarget(context, stored, response) && validates(context.request, stored, response)) {
    return { response, confirmed: true };
  }
  // RFC 9111 section 4.3.4: a 304 for another representation, or a 412, answers a condition that only the cache set.
  const repeats = refusesAddedFields(conditions, response.status) || (isNotModified && !isConditional(context.request));
  if (!repeats) return { response, confirmed: false };
  response.stream?.discard();
  return { response: await send(context, undefined, shared), confirmed: false };
}

/** RFC 9110 section 14: asks for the bytes that the stored part lacks, or for the whole if they do not fit. */
async function completeStored(
  context: RequestContext,
  stored: ResponseRecord,
  shared: SharedRequest | undefined,
): Promise<OriginResponse> {
  const missing = missingRange(context.request, stored);
  const response = await send(context, missing, shared);
  if (refusesAddedFields(missing, response.status)) return send(context, undefined, shared);
  if (!missing || response.status !== 206) return response;
  // The redirect may have another target now, with other bytes under the same validator.
  const base = isSameTarget(context, stored, response) ? stored : undefined;
  return completedResponse(response, base) ?? (await send(context, undefined, shared));
}

function send(
  { origin }: RequestContext,
  conditions: Fields | undefined,
  shared: SharedRequest | undefined,
): Promise<OriginResponse> {
  return shared ? origin.send(conditions, shared) : origin.open(conditions);
}

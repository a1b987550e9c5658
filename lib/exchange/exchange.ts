import type { Recalled } from '../cache/stored-responses.js';
import type { ResponseRecord } from '../models/record.js';
import { isPromise } from '../platform/maybe-promise.js';
import { bypassReason, decide } from '../policy/decide.js';
import { mayServeOnError } from '../policy/stale.js';
import { uncachedReason } from '../request/uncached.js';
import { type Call, tell, tellPast, wait } from './call.js';
import { type Fetched, fetchAlone, fetchShared, refreshBehind } from './fetch.js';
import { invalidate } from './invalidate.js';
import { setToDoNotCache } from './lifetime.js';
import { GATEWAY_TIMEOUT, type Outcome, unstoredExtras } from './outcome.js';
import { mayServeLaterGets, postForLaterGets } from './post.js';
import { accepts } from './receive.js';
import { mayServeRedirected } from './redirects.js';
import { type Forward, fresh, fromOrigin, old } from './results.js';
import { fetchStream } from './stream.js';

/**
 * The request's path: recall, decide, act. It settles as the request is to settle: with an answer, whatever its status,
 * or by throwing what the HTTP client threw where nothing could answer.
 */
export async function exchange(call: Call): Promise<Outcome> {
  const bypass = reasonToBypass(call);
  if (bypass === 'method' && mayServeLaterGets(call)) return postForLaterGets(call);
  if (bypass !== undefined) return goPast(call, bypass);

  const recalling = recall(call);
  const found = isPromise(recalling) ? await wait(call, recalling) : recalling;
  const recalled = call.request.carriesMoreTo ? await wait(call, withoutForeignHops(call, found)) : found;
  const { record: stored } = recalled;
  const decision = decide(call.request, stored, call.settings, call.cache.now());

  if (decision.action === 'refuse') return refuse(call, decision.reason);
  if (stored && decision.action === 'serve') return fresh(call, stored, decision.reason);
  if (stored && decision.action === 'serve-and-refresh') {
    refreshBehind(call, stored);
    return old(call, stored, { detail: decision.reason });
  }
  return fetchAnew(call, stored, decision.action === 'revalidate', forwardOf(call, recalled, decision.reason));
}

/** Why the request has no business with the cache. */
function reasonToBypass(call: Call): string | undefined {
  if (!call.settings.enabled) return 'disabled';
  const uncached = uncachedReason(call.request);
  if (uncached !== undefined) return uncached;
  return bypassReason(call.request, call.settings) ?? (setToDoNotCache(call) ? 'do-not-cache' : undefined);
}

/** Past the cache, just as the caller wrote it; unsafe methods still invalidate. */
async function goPast(call: Call, reason: string): Promise<Outcome> {
  const passed = await call.origin.pass();
  if (passed.status !== undefined) await invalidate(call, { status: passed.status, headers: passed.headers ?? {} });
  tellPast(call, reason);
  const forward = reason === 'method' ? 'method' : 'bypass';
  return {
    passed,
    extras: unstoredExtras(
      { cacheKey: undefined },
      { fwd: forward, ...(passed.status === undefined ? {} : { fwdStatus: passed.status }), detail: reason },
    ),
  };
}

/** The stored response for the request, unless the user's filter refuses it: then it is removed. */
function recall(call: Call): Recalled | Promise<Recalled> {
  const recalled = call.cache.stored.recall(call.key, call.request.headers, call.store);
  if (call.settings.filterFn === undefined) return recalled;
  return filtered(call, recalled);
}

/** What was found, unless redirects led to it that this request would follow with credentials of its own. */
async function withoutForeignHops(call: Call, found: Recalled): Promise<Recalled> {
  if (!found.record || (await mayServeRedirected(call, found.record))) return found;
  return { miss: 'uri-miss', detail: 'redirect-credentials' };
}

async function filtered(call: Call, recalling: Recalled | Promise<Recalled>): Promise<Recalled> {
  const recalled = await recalling;
  const { record } = recalled;
  if (!record) return recalled;
  try {
    if (await accepts(call, record)) return recalled;
    if (!call.settings.readOnly) await call.cache.stored.discard(record, call.store);
    tell(call, 'removed', 'filter');
    return { miss: 'uri-miss', detail: 'filter' };
  } catch (error) {
    tell(call, 'error', 'user-function', error);
    return { miss: 'uri-miss', detail: 'user-function' };
  }
}

function refuse(call: Call, reason: string): Outcome {
  tell(call, 'miss', reason);
  return { answer: GATEWAY_TIMEOUT, extras: unstoredExtras({ cacheKey: call.key }, { detail: reason }) };
}

/** Why the request goes to the origin, in the words of RFC 9211 section 2.2. */
function forwardOf(call: Call, { record, miss, detail }: Recalled, reason: string): Forward {
  const told = call.store.failure ?? detail;
  if (!record) return { fwd: miss, detail: told };
  if (reason === 'partial') return { fwd: 'partial', detail: told };
  return record.staleAt > call.cache.now()
    ? { fwd: 'request', detail: told ?? reason }
    : { fwd: 'stale', detail: told };
}

/** To the origin, with the stored response at hand to be confirmed, or to answer where the origin does not. */
async function fetchAnew(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  forward: Forward,
): Promise<Outcome> {
  let fetched: Fetched;
  try {
    if (call.request.streamed) return await fetchStream(call, stored, revalidate, forward);
    fetched = await fetchShared(call, stored, revalidate);
    if (!fetched.mine && !fetched.fits) fetched = await fetchAlone(call, stored, revalidate);
  } catch (error) {
    if (!call.origin.failed(error) || !stored) throw error;
    if (!mayServeOnError(call.request, stored, {}, call.settings, call.cache.now())) throw error;
    return old(call, stored, { ...forward, detail: 'stale-if-error' });
  }
  const { status } = fetched.received.answer;
  if (stored && status !== 304 && mayServeOnError(call.request, stored, { status }, call.settings, call.cache.now())) {
    return old(call, stored, { ...forward, fwdStatus: status, detail: 'stale-if-error' });
  }
  return fromOrigin(call, fetched, forward);
}

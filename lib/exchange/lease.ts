import type { ResponseRecord } from '../models/record.js';
import { randomHex16 } from '../platform/random.js';
import { monotonicNow, pause, type RealTimer, startTimer, stopTimer } from '../platform/real-time.js';
import { decide } from '../policy/decide.js';
import { isConditional } from '../policy/validation.js';
import { mayServeRedirected } from './redirects.js';
import type { RequestContext } from './request-context.js';
import { acceptsResponse } from './store-response.js';

/** This process's permission to ask the origin. */
export interface Lease {
  /** The response that another process stored meanwhile: the origin need not be asked. */
  readonly found?: ResponseRecord;
  /** Must be called after the response was stored, or the request failed. */
  release(): Promise<void>;
}

/** Milliseconds between two attempts to acquire a lease that another process has: at first, and at most. */
const FIRST_PAUSE = 25;
const LAST_PAUSE = 250;

const NO_LEASE: Lease = { async release() {} };

/**
 * Waits until this process may ask the origin: one process asks, the others read the response that it stored. If nothing
 * was stored, or the store is down, or twice the time of the lease has passed, each asks for itself.
 */
export async function acquireLease(context: RequestContext, signal: AbortSignal | undefined): Promise<Lease> {
  if (!takesLease(context)) return NO_LEASE;
  const holder = randomHex16();
  const deadline = monotonicNow() + 2_000 * context.settings.lease;
  for (let waits = 0; ; waits += 1) {
    const acquired = await tryAcquire(context, holder);
    if (acquired === undefined) return NO_LEASE;
    // Even if the lease was free: another process may have stored and released since the look-up.
    const found = await storedMeanwhile(context);
    if (acquired && waits === 0 && !found) return heldLease(context, holder);
    if (acquired) await release(context, holder);
    if (found) return { ...NO_LEASE, found };
    if (acquired || monotonicNow() >= deadline) return NO_LEASE;
    await pause(Math.min(FIRST_PAUSE * 2 ** waits, LAST_PAUSE), { signal, keepsProcess: true });
  }
}

/** A request that wants the origin's own response, or may not write, neither waits nor makes others wait. */
function takesLease({ request, settings }: RequestContext): boolean {
  if (settings.readOnly) return false;
  if (settings.refresh || settings.forceRefresh || settings.alwaysRevalidate) return false;
  return (request.method === 'GET' || request.method === 'HEAD') && !isConditional(request);
}

function heldLease(context: RequestContext, holder: string): Lease {
  let timer: RealTimer | undefined;
  let isHeld = true;
  const renewLater = () => {
    timer = startTimer((context.settings.lease * 1000) / 3, () => {
      void tryAcquire(context, holder).finally(() => isHeld && renewLater());
    });
  };
  renewLater();
  return {
    async release() {
      isHeld = false;
      stopTimer(timer);
      await release(context, holder);
    },
  };
}

/** Each attempt has a budget of its own, since the wait may be longer than a request waits for the store. Never rejects. */
async function tryAcquire(context: RequestContext, holder: string): Promise<boolean | undefined> {
  const { cache, key, settings, access } = context;
  try {
    const own = cache.breaker.request(access.emit);
    return await cache.repository.acquireLease(key, holder, settings.lease, own);
  } catch (error) {
    context.emit('error', { reason: 'lease', error });
    return undefined;
  }
}

/** Never rejects: a lease that cannot be released ends by itself. */
async function release(context: RequestContext, holder: string): Promise<void> {
  const { cache, key, access } = context;
  try {
    await cache.repository.releaseLease(key, holder, cache.breaker.request(access.emit));
  } catch (error) {
    context.emit('error', { reason: 'lease', error });
  }
}

/** The stored response, if it may be served now as it is. */
async function storedMeanwhile(context: RequestContext): Promise<ResponseRecord | undefined> {
  const { cache, key, request, settings, access } = context;
  const { record } = await cache.repository.lookup(key, request.headers, cache.breaker.request(access.emit));
  if (!record || decide(request, record, settings, cache.now()).action !== 'serve') return undefined;
  if (!(await mayServeRedirected(context, record))) return undefined;
  if (settings.filterFn && !(await acceptsResponse(context, record))) return undefined;
  return record;
}

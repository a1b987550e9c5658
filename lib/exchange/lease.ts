import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ResponseRecord } from '../models/record.js';
import { decide } from '../policy/decide.js';
import { isConditional } from '../policy/validation.js';
import type { Call } from './call.js';
import { accepts, type Received } from './receive.js';
import { mayServeRedirected } from './redirects.js';

/** A process's turn to ask the origin. Without `Symbol.asyncDispose`, which realms such as Jest's may lack. */
export interface Turn {
  /** What another process stored while this one waited: there is nothing to ask. */
  readonly found?: Received;
  release(): Promise<void>;
}

/** Milliseconds between two looks at a lease that another process holds: at first, and at most. */
const FIRST_PAUSE = 25;
const LAST_PAUSE = 250;

const FREE: Turn = { async release() {} };

/**
 * Waits until this process may ask the origin, where `lease` is set: one process asks, the others read what it stored.
 * Where it stored nothing, or the store is out, each asks for itself.
 */
export async function takeTurn(call: Call, signal: AbortSignal): Promise<Turn> {
  if (!mayWait(call)) return FREE;
  const { cache, key, settings, store } = call;
  const holder = randomUUID();
  // Each look has a budget of its own: the wait may well be longer than a request waits for the store.
  const claim = () => cache.stored.claim(key, holder, settings.lease, cache.guard.call(store.tell));

  for (let waited = 0; ; waited += 1) {
    const claimed = await claim();
    if (claimed === undefined) return FREE;
    // Also where the lease was free: another may have stored and released between our look-up and our claim.
    const found = await storedMeanwhile(call);
    if (claimed && waited === 0 && !found) return held(call, holder, claim);
    if (claimed) await cache.stored.release(key, holder, cache.guard.call(store.tell));
    if (found) return { ...FREE, found };
    if (claimed) return FREE;
    await pause(Math.min(FIRST_PAUSE * 2 ** waited, LAST_PAUSE), undefined, { signal });
  }
}

/** A caller who wants the origin's own word, or may not write, neither waits nor keeps others waiting. */
function mayWait({ request, settings }: Call): boolean {
  if (settings.lease === 0 || settings.readOnly) return false;
  if (settings.refresh || settings.forceRefresh || settings.alwaysRevalidate) return false;
  return (request.method === 'GET' || request.method === 'HEAD') && !isConditional(request);
}

function held(call: Call, holder: string, renew: () => unknown): Turn {
  const { cache, key, settings, store } = call;
  const renewing = setInterval(renew, (settings.lease * 1000) / 3).unref();
  return {
    async release() {
      clearInterval(renewing);
      await cache.stored.release(key, holder, cache.guard.call(store.tell));
    },
  };
}

/** The stored response, where it may now answer as it is. */
async function storedMeanwhile(call: Call): Promise<Received | undefined> {
  const { cache, key, request, settings, store } = call;
  const { record } = await cache.stored.recall(key, request.headers, cache.guard.call(store.tell));
  if (!record || decide(request, record, settings, cache.now()).action !== 'serve') return undefined;
  if (!(await mayServeRedirected(call, record))) return undefined;
  if (settings.filterFn && !(await accepts(call, record))) return undefined;
  return receivedElsewhere(call, record);
}

function receivedElsewhere({ request }: Call, record: ResponseRecord): Received {
  const { receivedAt, history: hops } = record;
  const times = { requestTime: receivedAt, responseTime: receivedAt };
  const answer = { ...record, ...times, hops, laterCredentials: false, native: undefined };
  return { answer, asked: request.headers, record, revalidated: false, reason: undefined, elsewhere: true };
}

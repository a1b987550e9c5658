import type { CacheInternals } from '../cache/internals.js';
import type { ResponseRecord } from '../models/record.js';
import { requestDirectives } from '../policy/cache-control.js';
import { isReading } from '../policy/methods.js';
import { isConditional, validators } from '../policy/validation.js';
import { variantOf, varyNamesOfChain } from '../policy/vary.js';
import { sendsOtherCredentials } from '../request/added-credentials.js';
import { countsInVary } from '../request/cache-key.js';
import { selectingHops } from '../request/selecting-hops.js';
import { settingsSignature } from '../settings/signature.js';
import type { ProgressListener, SharedRequest } from './origin.js';
import type { RequestContext } from './request-context.js';
import type { Result } from './result.js';

/** The work of one request to the origin. */
export interface OriginRun {
  /** Place in the sequence of invalidations. */
  readonly since: number;
  /** Whether its caller may leave before the end. */
  readonly isCancelable: boolean;
  readonly run: (shared: SharedRequest) => Promise<Result>;
}

/** The stored response with which the origin is asked. */
interface StoredCondition {
  readonly stored: ResponseRecord | undefined;
  readonly revalidate: boolean;
}

/** Milliseconds for which a key is not coalesced after a response that only one caller may have. */
const SEPARATE_FOR = 10_000;
/** Keys that are kept separate, at most. */
const MAX_SEPARATE = 1_000;

/**
 * Requests that a caller joins one after another, at most: a response may have been invalidated before the caller came, by its
 * final URL, its tags or groups, or by another process, which is known only when the response cannot be stored.
 */
const MAX_JOINS = 2;

/** One request to the origin, shared by all callers that joined it. */
export class CoalescedRequest implements SharedRequest {
  readonly result: Promise<Result>;
  /** Place in the sequence of invalidations when it began. */
  readonly since: number;
  readonly #controller: AbortController | undefined;
  readonly #listeners = new Set<ProgressListener>();
  #callers = 0;
  #settled = false;

  /** @param onSettled called when the result is known */
  constructor({ run, since, isCancelable }: OriginRun, onSettled: () => void) {
    this.since = since;
    this.#controller = isCancelable ? new AbortController() : undefined;
    this.result = run(this).finally(() => {
      this.#settled = true;
      onSettled();
    });
    // If every caller has left, the result has no observer.
    this.result.catch(() => {});
  }

  get signal(): AbortSignal | undefined {
    return this.#controller?.signal;
  }

  /** Whether every caller left, so that the origin request was canceled. */
  get isCanceled(): boolean {
    return this.#controller?.signal.aborted ?? false;
  }

  /** Adds a caller, which must call {@link CoalescedRequest.leave} when it has its result or gives up. */
  join(listener: ProgressListener | undefined): void {
    this.#callers += 1;
    if (listener) this.#listeners.add(listener);
  }

  /** Removes a caller; the last one cancels the origin request. */
  leave(listener: ProgressListener | undefined): void {
    this.#callers -= 1;
    if (listener) this.#listeners.delete(listener);
    if (this.#callers === 0 && !this.#settled) this.#controller?.abort();
  }

  progress(event: unknown): void {
    for (const listener of this.#listeners) listener.progress(event);
  }

  responseArrived(): void {
    for (const listener of this.#listeners) listener.responseArrived();
  }
}

/** The look-ups for a key that are in progress. */
interface Lookups {
  count: number;
  /** The number of coalesced requests for the key that ended meanwhile, whose responses may be stored now. */
  ended: number;
}

/** The origin requests of one cache that callers can join. All instances that share the cache share them. */
export class Coalescing {
  readonly #open = new Map<string, CoalescedRequest>();
  readonly #separate = new Map<string, number>();
  readonly #lookups = new Map<string, Lookups>();

  /** The request of that name that a caller can join, if any. */
  find(name: string): CoalescedRequest | undefined {
    const open = this.#open.get(name);
    return open?.isCanceled ? undefined : open;
  }

  /** Starts a request for a key that callers can join by its name. */
  start(name: string, key: string, run: OriginRun): CoalescedRequest {
    const started: CoalescedRequest = new CoalescedRequest(run, () => {
      if (this.#open.get(name) === started) this.#open.delete(name);
      const lookups = this.#lookups.get(key);
      if (lookups) lookups.ended += 1;
    });
    this.#open.set(name, started);
    return started;
  }

  /** Starts a request that no caller can join. */
  startAlone(run: OriginRun): CoalescedRequest {
    return new CoalescedRequest(run, () => {});
  }

  /** Keeps requests for a key separate for a while, since its responses are for one caller each. */
  keepSeparate(key: string, now: number): void {
    this.#separate.delete(key);
    this.#separate.set(key, now + SEPARATE_FOR);
    if (this.#separate.size <= MAX_SEPARATE) return;
    const oldest = this.#separate.keys().next();
    if (!oldest.done) this.#separate.delete(oldest.value);
  }

  isSeparate(key: string, now: number): boolean {
    if (this.#separate.size === 0) return false;
    const until = this.#separate.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#separate.delete(key);
    return false;
  }

  /** Begins a look-up. `end` returns whether a request for the key has ended meanwhile. */
  watch(key: string): { end(): boolean } {
    const lookups = this.#lookups.get(key) ?? { count: 0, ended: 0 };
    if (lookups.count === 0) this.#lookups.set(key, lookups);
    lookups.count += 1;
    const before = lookups.ended;
    return {
      end: () => {
        lookups.count -= 1;
        if (lookups.count === 0) this.#lookups.delete(key);
        return lookups.ended !== before;
      },
    };
  }
}

/** The origin requests of a cache, which all instances that use it share. */
export function coalescingOf(cache: CacheInternals): Coalescing {
  cache.coalescing ??= new Coalescing();
  return cache.coalescing as Coalescing;
}

/**
 * Asks the origin together with other callers that ask the same, if that is allowed and their response fits.
 *
 * @param ask begins a request to the origin
 */
export function shareRequest(
  context: RequestContext,
  condition: StoredCondition,
  ask: () => OriginRun,
): Promise<Result> {
  return withTags(context, () => share(context, condition, ask));
}

async function share(context: RequestContext, condition: StoredCondition, ask: () => OriginRun): Promise<Result> {
  const coalescing = coalescingOf(context.cache);
  if (!mayCoalesce(context) || coalescing.isSeparate(context.key, context.now())) return askAlone(context, ask);
  const name = coalescingName(context, condition);
  for (let attempt = 0; attempt < MAX_JOINS; attempt += 1) {
    const open = coalescing.find(name);
    if (!open || isInvalidatedSince(context, open.since)) {
      supersedeOlder(context);
      const result = await waitForResult(context, coalescing.start(name, context.key, ask()));
      if (isForOneCaller(context, result)) coalescing.keepSeparate(context.key, context.now());
      return result;
    }
    const result = await waitForOther(context, open);
    if (!fitsOtherCaller(context, result) || lacksTags(context, result)) break;
    if (!result.isOutdated) return result;
  }
  return askAlone(context, ask);
}

/** Adds the tags of a caller to those of the requests in flight, until the work has ended. */
export function withTags<T>({ cache, key, settings }: RequestContext, work: () => Promise<T>): Promise<T> {
  const { names } = settings.tags;
  if (names.length === 0) return work();
  const { requests } = cache.repository;
  requests.begin(key, names);
  return work().finally(() => requests.end(key));
}

/** Whether the response was stored without a tag of this caller, which joined when its tags had been settled. */
function lacksTags({ settings }: RequestContext, { record, response }: Result): boolean {
  if (!record || !response || settings.readOnly) return false;
  return settings.tags.names.some((name) => !record.tags.includes(name));
}

/** Asks the origin for this caller only. */
export function askAlone(context: RequestContext, ask: () => OriginRun): Promise<Result> {
  supersedeOlder(context);
  return waitForResult(context, coalescingOf(context.cache).startAlone(ask()));
}

/**
 * Refreshes the stored response in the background; one refresh at a time for each stored response.
 *
 * @returns the refreshed result, whose rejection is an event too
 */
export function refreshShared(
  context: RequestContext,
  condition: StoredCondition,
  ask: () => OriginRun,
): Promise<Result> {
  const coalescing = coalescingOf(context.cache);
  const name = coalescingName(context, condition);
  const open = coalescing.find(name);
  if (open && !isInvalidatedSince(context, open.since)) return withTags(context, () => open.result);
  const request = coalescing.start(name, context.key, ask());
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
function coalescingName(context: RequestContext, { stored, revalidate }: StoredCondition): string {
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
export function supersedeOlder(context: RequestContext): void {
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

/** Waits within the caller's limits. */
async function waitForResult(context: RequestContext, request: CoalescedRequest): Promise<Result> {
  request.join(context.caller);
  try {
    return await context.wait(request.result);
  } finally {
    request.leave(context.caller);
  }
}

/** Waits for another caller's request within this caller's limits; its error becomes this caller's own. */
async function waitForOther(context: RequestContext, request: CoalescedRequest): Promise<Result> {
  try {
    return { ...(await waitForResult(context, request)), joined: true };
  } catch (error) {
    throw context.origin.adopt(error);
  }
}

/** RFC 9111 section 4: a response that may not be stored, or sets a cookie, is for its own caller only. */
function isForOneCaller(
  { settings, request }: RequestContext,
  { response, record, revalidated, wasStorable = false }: Result,
): boolean {
  if (!response) return false;
  const setsCookie = [response, ...response.hops].some(
    ({ headers }) => headers['set-cookie'] ?? headers['set-cookie2'],
  );
  if (setsCookie || response.bodyForm === 'opaque') return true;
  if (sendsOtherCredentials(request, response, settings)) return true;
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

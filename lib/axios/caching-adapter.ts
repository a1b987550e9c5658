import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { CacheInternals } from '../cache/internals.js';
import type { AxiosCopy } from '../conversion/copy.js';
import { flavorOf } from '../conversion/flavor.js';
import { readRequest, requestUrl } from '../conversion/read-request.js';
import { replay } from '../conversion/replay.js';
import { ownCopyOf } from '../conversion/request-data.js';
import { handleRequest } from '../exchange/handle-request.js';
import { RequestContext } from '../exchange/request-context.js';
import { bypassResult, type Result } from '../exchange/result.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { CacheEvent } from '../models/events.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { brandOf } from '../platform/shared-state.js';
import { allowsMethod } from '../policy/rules.js';
import { type CallSettings, callSettings } from '../settings/instance.js';
import { AxiosOrigin } from './axios-origin.js';
import { CallerLimits } from './limits.js';

type Adapter = NonNullable<InternalAxiosRequestConfig['adapter']>;

/** The properties of an instance that a caching adapter needs. */
export interface CachingContext {
  readonly cache: CacheInternals;
  readonly settings: { readonly compiled: CallSettings };
  /** Returns whether the cache is disabled for the code that runs now. */
  isDisabled(): boolean;
  readonly inFlight: InFlight;
}

/** The property of a caching adapter that contains the adapter which it replaces; a weak map would slow each request. */
const ORIGINAL = /* @__PURE__ */ Symbol.for(brandOf('originalAdapter'));

/** A caching adapter, of any copy of this version. */
type Caching = AxiosAdapter & { [ORIGINAL]?: Adapter | undefined };

/**
 * Replaces the adapter of the request by a caching adapter.
 *
 * @param copy the copy of axios that sends the request
 */
export function wrapAdapter(
  config: InternalAxiosRequestConfig,
  context: CachingContext,
  copy: MaybePromise<AxiosCopy>,
): void {
  restoreAdapter(config);
  const adapter = config.adapter;
  const caching: Caching = (final) => {
    final.adapter = adapter as Adapter;
    return answer(final, context, copy);
  };
  caching[ORIGINAL] = adapter;
  config.adapter = caching;
}

/** Returns whether a request has a caching adapter, of any context. */
export function hasCachingAdapter({ adapter }: InternalAxiosRequestConfig): boolean {
  return typeof adapter === 'function' && Object.hasOwn(adapter, ORIGINAL);
}

/** Restores the adapter of a config that never reached the caching adapter, so that it can be sent again. */
export function restoreAdapter(config: InternalAxiosRequestConfig): void {
  if (hasCachingAdapter(config)) config.adapter = (config.adapter as Caching)[ORIGINAL] as Adapter;
}

/** Returns the response to one request, from the cache or from the origin. */
export async function answer(
  config: InternalAxiosRequestConfig,
  context: CachingContext,
  given: MaybePromise<AxiosCopy>,
): Promise<AxiosResponse> {
  context.inFlight.enter();
  let caller: CallerLimits | undefined;
  try {
    const copy = isPromise(given) ? await given : given;
    const settings = callSettings(context.settings.compiled, config);
    const { cache } = context;
    const flavor = flavorOf(config.adapter);
    const url = requestUrl(config);
    const connect = () => new AxiosOrigin(config, flavor, url ?? '', cache.now, copy);
    let result: Result;
    if (url === undefined || context.isDisabled()) {
      const detail = url === undefined ? 'url' : 'disabled';
      result = bypassResult(await connect().bypass(), { fwd: 'bypass', detail });
    } else {
      if (hasLimits(config)) caller = new CallerLimits(config, flavor, copy);
      const { data, method = 'get' } = config as { data?: unknown; method?: string };
      if (data && allowsMethod(settings, method.toUpperCase())) config.data = ownCopyOf(data);
      const reading = readRequest(config, url, settings.credentials);
      const request: CacheRequest = isPromise(reading) ? await (caller ? caller.race(reading) : reading) : reading;
      const emit = (event: CacheEvent) => cache.events.emit(event.type, () => event, settings.onEvent);
      const access = cache.breaker.request(emit, cache.events.isObserved);
      result = await handleRequest(new RequestContext({ request, settings, cache, access, connect, caller }));
    }
    const response = replay(result, { config, flavor, copy, now: cache.now() });
    return isPromise(response) ? await response : response;
  } finally {
    caller?.end();
    context.inFlight.leave();
  }
}

/** Returns whether the caller set a limit or watches the progress. Otherwise a hit needs no timer and no listener. */
function hasLimits({ signal, cancelToken, timeout, onDownloadProgress }: InternalAxiosRequestConfig): boolean {
  return Boolean(signal || cancelToken || timeout || onDownloadProgress);
}

/** Counts requests in flight, so that detaching and closing can wait for them. */
export class InFlight {
  #count = 0;
  #waiting: (() => void)[] = [];

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

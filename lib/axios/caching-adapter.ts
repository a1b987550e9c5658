import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { CacheInternals } from '../cache/internals.js';
import { Call } from '../exchange/call.js';
import { exchange } from '../exchange/exchange.js';
import { unstoredExtras } from '../exchange/outcome.js';
import type { CacheRequest } from '../models/cache-request.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { shared } from '../platform/shared-state.js';
import { type CallSettings, callSettings } from '../settings/instance.js';
import { AxiosOrigin } from './axios-origin.js';
import type { AxiosCopy } from './copies.js';
import { flavorOf } from './flavor.js';
import { CallerLimits } from './limits.js';
import { readRequest, requestUrl } from './read-request.js';
import { replay } from './replay.js';

type Adapter = NonNullable<InternalAxiosRequestConfig['adapter']>;

/** What a caching adapter needs to know of the instance that it serves. */
export interface CachingContext {
  readonly cache: CacheInternals;
  readonly settings: { readonly compiled: CallSettings };
  /** Whether caching is switched off for whatever runs here. */
  isDisabled(): boolean;
  /** Told of each request's begin and end, so that detaching can wait for what is in flight. */
  enter(): void;
  leave(): void;
}

/** The adapters that caching adapters stand in for. */
const originals = /* @__PURE__ */ shared(
  'originalAdapters',
  () => new WeakMap<AxiosAdapter, { readonly adapter: Adapter | undefined }>(),
);

/**
 * Puts a caching adapter in the place of the request's own.
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
  const caching: AxiosAdapter = (final) => {
    final.adapter = adapter as Adapter;
    return answer(final, context, copy);
  };
  originals.set(caching, { adapter });
  config.adapter = caching;
}

/** Whether a request has a caching adapter: of another context, where this one has not put its own yet. */
export function hasCachingAdapter({ adapter }: InternalAxiosRequestConfig): boolean {
  return typeof adapter === 'function' && originals.has(adapter);
}

/** Gives the caller's own adapter back to a config that never reached the caching one, so that it can be sent again. */
export function restoreAdapter(config: InternalAxiosRequestConfig): void {
  const original = typeof config.adapter === 'function' ? originals.get(config.adapter) : undefined;
  if (original) config.adapter = original.adapter as Adapter;
}

/** Answers one request, from the cache or from the origin. */
export async function answer(
  config: InternalAxiosRequestConfig,
  context: CachingContext,
  copy: MaybePromise<AxiosCopy>,
): Promise<AxiosResponse> {
  context.enter();
  try {
    return await answerWithin(config, context, isPromise(copy) ? await copy : copy);
  } finally {
    context.leave();
  }
}

async function answerWithin(
  config: InternalAxiosRequestConfig,
  context: CachingContext,
  copy: AxiosCopy,
): Promise<AxiosResponse> {
  const settings = callSettings(context.settings.compiled, config);
  const { cache } = context;
  const flavor = flavorOf(config.adapter);
  const url = requestUrl(config);
  const origin = new AxiosOrigin(config, flavor, url ?? '', cache.now, copy);
  if (url === undefined || context.isDisabled()) {
    const extras = unstoredExtras(
      { cacheKey: undefined },
      { fwd: 'bypass', detail: url === undefined ? 'url' : 'disabled' },
    );
    return replay({ passed: await origin.pass(), extras }, config, flavor, copy);
  }

  const limits = CallerLimits.of(config, flavor, copy);
  try {
    const reading = readRequest(config, url, settings.credentials);
    const request: CacheRequest = isPromise(reading) ? await (limits ? limits.race(reading) : reading) : reading;
    const store = cache.guard.call((event) => cache.emit(event.type, () => event, settings.onEvent));
    const call = new Call({ request, settings, cache, store, origin, patience: limits });
    return await replay(await exchange(call), config, flavor, copy);
  } finally {
    limits?.end();
  }
}

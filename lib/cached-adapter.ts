import type { AxiosAdapter } from 'axios';
import { answer, type CachingContext, InFlight } from './axios/caching-adapter.js';
import { copyOfHeaders } from './axios/copies.js';
import type { BaseCache } from './cache/base-cache.js';
import { internalsOf } from './cache/internals.js';
import { openCache } from './cache/open-cache.js';
import { storeOptions } from './settings/given-options.js';
import { type CacheSettings, InstanceSettings } from './settings/instance.js';
import type { CacheOptions } from './settings/types.js';
import type { SetupInternals } from './setup-cache.js';

/** An axios adapter with a cache: {@link cachingAdapter}. */
export interface CachingAdapter extends AxiosAdapter {
  readonly cache: BaseCache;
  /** The adapter's settings; each write is validated. */
  readonly cacheSettings: CacheSettings;
  /**
   * Waits for the requests in flight (at most `backendTimeout`), and closes a store that `cachingAdapter` opened. Later
   * requests are sent without a cache.
   */
  close(): Promise<void>;
}

/**
 * Makes an axios adapter with a cache, for SDKs that accept an adapter but not an instance. Origin requests use the
 * default adapters of axios.
 *
 * @param options as for `setupCache`
 * @throws as `setupCache`
 * @example
 * const adapter = cachingAdapter({ expireAfter: '6m' });
 * const client = new SomeSdk({ adapter });
 * await adapter.close();
 */
export function cachingAdapter(options: CacheOptions = {}, internals: SetupInternals = {}): CachingAdapter {
  const settings = new InstanceSettings(options);
  const { cache, owned } = openCache(storeOptions(options), internals);
  const inner = internalsOf(cache);
  settings.useStore(inner.breaker.store);
  const release = inner.use(settings);
  const inFlight = new InFlight();
  let isClosed = false;
  const context: CachingContext = {
    cache: inner,
    settings,
    isDisabled: () => isClosed,
    enter: () => inFlight.enter(),
    leave: () => inFlight.leave(),
  };
  const adapter: AxiosAdapter = async (config) => {
    const given = config.adapter;
    // Undefined: the default adapters. The caller's configuration can be sent again afterwards.
    delete config.adapter;
    try {
      return await answer(config, context, copyOfHeaders(config.headers));
    } finally {
      if (given !== undefined) config.adapter = given;
    }
  };
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    release();
    await inner.breaker.withinBudget(inFlight.idle());
    if (owned) await cache.close();
  };
  return Object.assign(adapter, { cache, cacheSettings: settings.view, close });
}

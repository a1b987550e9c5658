import type { AxiosAdapter } from 'axios';
import { answer } from './axios/caching-adapter.js';
import { copyOfHeaders } from './axios/copies.js';
import { OpenedCache } from './axios/opened-cache.js';
import type { BaseCache } from './cache/base-cache.js';
import type { CacheSettings } from './settings/instance.js';
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
   *
   * @example
   * const adapter = cachingAdapter({ backend: 'memory' });
   * await adapter.close();
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
 * const client = axios.create({ adapter }); // or the constructor of an SDK
 * await adapter.close();
 */
export function cachingAdapter(options?: CacheOptions): CachingAdapter;
/** @internal */
export function cachingAdapter(options: CacheOptions | undefined, internals: SetupInternals): CachingAdapter;
export function cachingAdapter(options: CacheOptions = {}, internals: SetupInternals = {}): CachingAdapter {
  const opened = new OpenedCache(options, internals);
  const adapter: AxiosAdapter = async (config) => {
    const given = config.adapter;
    // Undefined: the default adapters. The caller's configuration can be sent again afterwards.
    delete config.adapter;
    try {
      return await answer(config, opened, copyOfHeaders(config.headers));
    } finally {
      if (given !== undefined) config.adapter = given;
    }
  };
  return Object.assign(adapter, {
    cache: opened.base,
    cacheSettings: opened.settings.view,
    close: () => opened.close(),
  });
}

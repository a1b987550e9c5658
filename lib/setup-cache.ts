import type { AxiosInstance, AxiosStatic, CreateAxiosDefaults } from 'axios';
import { Attachment, attachmentOf, type CacheMethods } from './axios/attachment.js';
import { axiosBindings } from './axios/bindings.js';
import { provideBindings } from './cache/bindings.js';
import { openCache } from './cache/open-cache.js';
import type { CachedCalls, CachedQuery, CachedVerbs } from './conversion/types.js';
import { CacheError, optionError } from './errors.js';
import { refuseCacheOptions, storeOptions } from './settings/given-options.js';
import { InstanceSettings } from './settings/instance.js';
import type { CacheOptions } from './settings/types.js';

provideBindings(axiosBindings);

/**
 * An axios instance with a cache: the extras of its responses are not optional, and `create()` returns another one.
 *
 * @typeParam Instance the type of the instance that was set up
 */
export type CachedAxiosInstance<Instance extends object = AxiosInstance> =
  // `axios.create()` makes instances without a cache.
  (Instance extends AxiosStatic ? unknown : CachedCreate) &
    CachedCalls &
    CachedVerbs &
    CachedQuery &
    Instance &
    CacheMethods;

interface CachedCreate {
  /** A child instance: it uses this instance's cache, and a copy of this instance's settings at this moment. */
  create(config?: CreateAxiosDefaults): CachedAxiosInstance;
}

/** For tests of this package: a controllable clock. */
export interface SetupInternals {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Gives an axios instance a cache: attaches to it, and returns it (requests-cache: `CachedSession`).
 *
 * @param instance made by `axios.create()`, or axios itself (instances made by `axios.create()` are then not covered)
 * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if the package of the
 *   named backend is not installed, `ERR_CACHE_STATE` if the instance has a cache already
 * @example
 * const api = setupCache(axios.create(), { expireAfter: '6m' });
 */
export function setupCache<Instance extends AxiosInstance>(
  instance: Instance,
  options?: CacheOptions,
): CachedAxiosInstance<Instance>;
/** @internal */
export function setupCache<Instance extends AxiosInstance>(
  instance: Instance,
  options: CacheOptions | undefined,
  internals: SetupInternals,
): CachedAxiosInstance<Instance>;
export function setupCache<Instance extends AxiosInstance>(
  instance: Instance,
  options: CacheOptions = {},
  internals: SetupInternals = {},
): CachedAxiosInstance<Instance> {
  if (typeof instance?.interceptors?.request?.use !== 'function') {
    throw optionError('instance', instance, 'an axios instance, as axios.create() makes it');
  }
  if (attachmentOf(instance)?.own) {
    throw new CacheError(
      'ERR_CACHE_STATE',
      'setupCache: this instance has a cache already; call its detachCache() first',
    );
  }
  refuseCacheOptions(instance.defaults, 'the defaults of an axios instance');
  const settings = new InstanceSettings(options, () => instance.defaults.baseURL);
  const { cache, owned } = openCache(storeOptions(options), internals);
  new Attachment(instance, cache, settings, { owned });
  return instance as unknown as CachedAxiosInstance<Instance>;
}

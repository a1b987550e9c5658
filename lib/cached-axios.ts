import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosStatic, type CreateAxiosDefaults } from 'axios';
import type { CacheMethods } from './axios/attachment.js';
import type { CachedQuery, CachedVerbs } from './conversion/types.js';
import type { CacheOptions } from './settings/types.js';
import { type CachedAxiosInstance, setupCache } from './setup-cache.js';

/**
 * An axios instance with a cache: callable, and built like `axios.create(axiosConfig)` (requests-cache: `CachedSession`).
 *
 * @example
 * const api = new CachedAxios({ baseURL: 'https://example.org' }, { expireAfter: '6m' });
 */
export type CachedAxios = CachedAxiosInstance;

interface CachedAxiosConstructor {
  /**
   * @param axiosConfig as for `axios.create()`
   * @param cacheOptions as for `setupCache`
   * @throws as `setupCache`
   */
  new (axiosConfig?: CreateAxiosDefaults, cacheOptions?: CacheOptions): CachedAxios;
}

/** Builds the callable instance and returns it instead of `this`; subclasses keep their own methods. */
class CallableAxios {
  constructor(axiosConfig: CreateAxiosDefaults = {}, cacheOptions: CacheOptions = {}) {
    const instance = setupCache(axios.create(axiosConfig), cacheOptions);
    Object.setPrototypeOf(instance, new.target.prototype);
    // biome-ignore lint/correctness/noConstructorReturn: only a function is callable, and only this makes `new` return it
    return instance;
  }
}
Object.setPrototypeOf(CallableAxios.prototype, Function.prototype);

export const CachedAxios = CallableAxios as unknown as CachedAxiosConstructor;

// biome-ignore lint/suspicious/noExplicitAny: TypeScript accepts no other type for the constructor of a mixin's base
type AxiosClass = new (...parameters: any[]) => InstanceType<AxiosStatic['Axios']>;

/** The class that {@link CacheMixin} makes of a base. */
export type WithCache<Base extends AxiosClass> = (new (
  axiosConfig?: AxiosRequestConfig,
  cacheOptions?: CacheOptions,
) => CachedVerbs & CachedQuery & InstanceType<Base> & CacheMethods) &
  Omit<Base, 'prototype'>;

/**
 * Adds caching to a class that extends `Axios` (requests-cache: `CacheMixin`). The constructor takes the configuration,
 * which goes to `super()` merged with axios's defaults, and the cache options.
 *
 * @example
 * class Client extends CacheMixin(axios.Axios) {}
 * const client = new Client({ baseURL: 'https://example.org' }, { expireAfter: '6m' });
 */
export function CacheMixin<Base extends AxiosClass>(base: Base): WithCache<Base> {
  class Caching extends (base as AxiosClass) {
    constructor(axiosConfig: AxiosRequestConfig = {}, cacheOptions: CacheOptions = {}) {
      super(axios.mergeConfig(axios.defaults as AxiosRequestConfig, axiosConfig));
      setupCache(this as unknown as AxiosInstance, cacheOptions);
    }
  }
  return Caching as unknown as WithCache<Base>;
}

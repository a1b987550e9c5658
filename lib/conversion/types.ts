import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios';
import type { Extras } from '../exchange/result.js';
import type { RequestCacheOptions } from '../settings/types.js';

/** The members that the cache adds to a response. */
export type ResponseExtras = { -readonly [Name in keyof Extras]: Extras[Name] } & {
  /** Resolves to the refreshed response if this one is served stale while it is revalidated; else undefined. */
  refreshed: Promise<AxiosResponse> | undefined;
};

// Without type parameters: those differ between the versions of axios.
declare module 'axios' {
  interface AxiosRequestConfig extends RequestCacheOptions {}

  /** The extras are absent if no cache served the request. */
  interface AxiosResponse extends Partial<ResponseExtras> {}
}

// biome-ignore-start lint/suspicious/noExplicitAny: the defaults of axios's own type parameters

/** A response of an instance that has a cache. */
export type CachedAxiosResponse<T = any, D = any> = AxiosResponse<T, D> & ResponseExtras;

/**
 * The methods of axios that send a request, with the response type of an instance that has a cache. Types of instances
 * combine them with axios's own, which remain as further overloads: a union with a plain instance then has methods in
 * common. `_P` keeps the number of type parameters equal to that of the latest axios.
 */
export interface CachedVerbs {
  request<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(config: AxiosRequestConfig<D>): Promise<R>;
  get<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(url: string, config?: AxiosRequestConfig<D>): Promise<R>;
  delete<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  head<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(url: string, config?: AxiosRequestConfig<D>): Promise<R>;
  options<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  post<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  put<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  patch<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  postForm<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  putForm<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
  patchForm<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
    url: string,
    data?: D,
    config?: AxiosRequestConfig<D>,
  ): Promise<R>;
}

/** `query()`, which axios has since 1.21. */
export type CachedQuery = AxiosInstance extends { query: unknown }
  ? {
      query<T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(
        url: string,
        data?: D,
        config?: AxiosRequestConfig<D>,
      ): Promise<R>;
    }
  : unknown;

/** An axios instance can be called. */
export interface CachedCalls {
  <T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(config: AxiosRequestConfig<D>): Promise<R>;
  <T = any, R = CachedAxiosResponse<T>, D = any, _P = any>(url: string, config?: AxiosRequestConfig<D>): Promise<R>;
}

// biome-ignore-end lint/suspicious/noExplicitAny: as above

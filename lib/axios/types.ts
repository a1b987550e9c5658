import type { Hop } from '../models/record.js';
import type { RequestCacheOptions } from '../settings/types.js';

// Without type parameters: those differ between the versions of axios.
declare module 'axios' {
  interface AxiosRequestConfig extends RequestCacheOptions {}

  interface AxiosResponse {
    /** The body came from the store, or from a request that another caller sent. */
    fromCache?: boolean;
    /** Of the request as asked. */
    cacheKey?: string | undefined;
    /** When the response was received, or last validated; undefined where it is not stored. */
    createdAt?: Date | undefined;
    /** When it stops being fresh; `null` for never, undefined where it is not stored. */
    expires?: Date | null | undefined;
    isExpired?: boolean;
    /** The origin confirmed the stored response for this request. */
    revalidated?: boolean;
    /** The redirects that were followed, in order, redacted. */
    history?: readonly Hop[];
    /** RFC 9211 Cache-Status: the outcome and its reason. */
    cacheStatus?: string;
  }
}

import type { InternalAxiosRequestConfig } from 'axios';
import type { CachedResponse } from '../models/cached-response.js';
import type { DurationLike, DurationText, ExpirationTime } from '../policy/expiration.js';

export type { CacheOptions, SerializerName } from './instance-options.js';
export type { RequestCacheOptions, SharedCacheOptions } from './request-options.js';

/**
 * A function of the response that returns its lifetime; `undefined` means "not set here". A promise of any string is
 * accepted by the compiler, since it widens the literals that async functions return.
 */
export type ExpirationFunction = (
  response: CachedResponse,
) => ExpirationTime | undefined | Promise<ExpirationTime | string | undefined>;

/** The values of `expireAfter`: a time, or a function of the response that returns one. */
export type ExpireAfter = ExpirationTime | ExpirationFunction;

/** URL patterns with their `expireAfter`, as a record or a list of pairs; the first pattern that matches applies. */
export type UrlsExpireAfter =
  | Readonly<Record<string, ExpireAfter | null | undefined>>
  | readonly (readonly [pattern: string | RegExp, expireAfter: ExpireAfter | null | undefined])[];

/** A duration: a number of seconds, text such as `'5m'` or `'PT5M'`, or an object. */
export type Duration = number | DurationText | DurationLike;

/** The full form of the option `oldDataOnError`. */
export interface OldDataOnError {
  /** The maximum staleness. Default: no limit. */
  readonly limit?: Duration | undefined;
  /** The statuses that count as failures; replaces the default list and its exceptions. */
  readonly codes?: readonly number[] | undefined;
}

/** A function of the response that returns its tags; `undefined` means "none". */
export type TagsFunction = (
  response: CachedResponse,
) => string | readonly string[] | undefined | Promise<string | readonly string[] | undefined>;

/** The values of `tags`. */
export type Tags = string | readonly string[] | TagsFunction;

/** A URL pattern (a string or a RegExp), or a list of them. */
export type UrlPatterns = string | RegExp | readonly (string | RegExp)[];

/** The values of `invalidates`. */
export type Invalidates =
  | true
  | UrlPatterns
  | {
      /** URL patterns, or `true` for the URL of the request. */
      readonly urls?: true | UrlPatterns | undefined;
      /** Tags: every stored response that has one of them is removed. */
      readonly tags?: string | readonly string[] | undefined;
    };

/**
 * A function from the final config of a request to the name of its principal; `undefined` or `''` for none. Any other
 * result rejects the request with a `TypeError`.
 */
export type CredentialsFunction = (
  config: InternalAxiosRequestConfig,
) => string | undefined | Promise<string | undefined>;

import type { KeyRules } from './cache-key.js';
import type { CachedResponse } from './models/cached-response.js';
import type { CacheEvent } from './models/events.js';
import type { Expiration, ExpirationTime } from './policy/expiration.js';
import type { Rules } from './policy/rules.js';
import type { UrlMatcher } from './policy/url-pattern.js';

/** A function of the response that returns a lifetime; `undefined`: not set here. */
export type ExpirationFunction = (
  response: CachedResponse,
) => ExpirationTime | undefined | Promise<ExpirationTime | undefined>;

/** What `expireAfter` was compiled to. */
export type ExpirationRule = Expiration | ExpirationFunction;

/**
 * The settings of one call in compiled form: the instance's, with those given by the request over them. Frozen; where a
 * request gives none it is the instance's own object, so that a hit does not pay for them.
 */
export interface CallSettings extends Rules, KeyRules {
  /** Given by the request itself: highest precedence but headers. */
  readonly requestExpireAfter: ExpirationRule | undefined;
  readonly urlsExpireAfter: readonly (readonly [UrlMatcher, ExpirationRule])[];
  /** The instance's. Undefined where headers and heuristics are to decide. */
  readonly expireAfter: ExpirationRule | undefined;
  readonly filterFn: ((response: CachedResponse) => boolean | Promise<boolean>) | undefined;
  readonly coalesce: boolean;
  /** Seconds; 0 for none. */
  readonly lease: number;
  /** Bytes. */
  readonly maxBodySize: number;
  readonly onEvent: ((event: CacheEvent) => void) | undefined;
  /** False for `cache: false`. Only per request. */
  readonly enabled: boolean;
  /** Only per request. */
  readonly invalidates: true | readonly UrlMatcher[] | undefined;
}

import type { BodyForm, Hop, ResponseRecord } from '../models/record.js';
import { type CacheStatusParts, cacheStatus } from '../policy/cache-status.js';
import { type Fields, newFields } from '../policy/messages.js';
import type { PassedAnswer } from './origin.js';

/** What the cache says about a response, beside the response itself (design: response extras). */
export interface Extras {
  /** The body came from the store, or from a request that another caller sent. */
  readonly fromCache: boolean;
  /** Of the request as asked; undefined where none was made. */
  readonly cacheKey: string | undefined;
  /** When the response was received, or last validated; undefined where it is not stored. */
  readonly createdAt: Date | undefined;
  /** When it stops being fresh; `null` for never, undefined where it is not stored. */
  readonly expires: Date | null | undefined;
  readonly isExpired: boolean;
  /** The origin confirmed the stored response for this request. */
  readonly revalidated: boolean;
  /** The redirects that were followed, in order, redacted. */
  readonly history: readonly Hop[];
  /** RFC 9211 Cache-Status: the outcome and its reason. */
  readonly cacheStatus: string;
}

/** An answer in bytes, ready to be turned into what the caller asked for. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Fields;
  readonly bodyForm: BodyForm | 'opaque';
  readonly body: Uint8Array;
  readonly url: string;
  /** The HTTP client's own response, for the caller whose request it was. */
  readonly native?: unknown;
}

/** How a request ended. */
export type Outcome =
  | {
      readonly answer: Answer;
      readonly extras: Extras;
      /** The body came from the store: nothing has told the caller of its progress. */
      readonly fromStore?: true;
    }
  | { readonly passed: PassedAnswer; readonly extras: Extras };

const NO_HISTORY: readonly Hop[] = [];
const NO_BODY = new Uint8Array(0);

/** RFC 9111 section 5.2.1.7: the answer to a request that wants nothing but what is stored. */
export const GATEWAY_TIMEOUT: Answer = {
  status: 504,
  statusText: 'Gateway Timeout',
  headers: Object.freeze(newFields()),
  bodyForm: 'bytes',
  body: NO_BODY,
  url: '',
};

/** Extras of a response that is in the store. */
export function storedExtras(
  record: ResponseRecord,
  now: number,
  how: { cacheKey: string; fromCache: boolean; revalidated: boolean },
  status: CacheStatusParts,
): Extras {
  const never = record.staleAt === Number.POSITIVE_INFINITY;
  return {
    fromCache: how.fromCache,
    cacheKey: how.cacheKey,
    createdAt: new Date(record.receivedAt),
    expires: never ? null : new Date(record.staleAt),
    isExpired: record.staleAt <= now,
    revalidated: how.revalidated,
    history: record.history,
    cacheStatus: cacheStatus(never ? status : { ...status, ttl: Math.floor((record.staleAt - now) / 1000) }),
  };
}

/** Extras of a response that is not in the store. */
export function unstoredExtras(
  how: { cacheKey: string | undefined; fromCache?: boolean; history?: readonly Hop[] },
  status: CacheStatusParts,
): Extras {
  return {
    fromCache: how.fromCache ?? false,
    cacheKey: how.cacheKey,
    createdAt: undefined,
    expires: undefined,
    isExpired: false,
    revalidated: false,
    history: how.history ?? NO_HISTORY,
    cacheStatus: cacheStatus(status),
  };
}

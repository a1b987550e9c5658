import type { Served } from '../cache/events.js';
import type { BodyForm, Hop, ResponseRecord } from '../models/record.js';
import { NO_BYTES } from '../platform/bytes.js';
import { currentAge } from '../policy/age.js';
import { type CacheStatusParts, cacheStatus } from '../policy/cache-status.js';
import { type Fields, newFields } from '../policy/messages.js';
import { partialContent } from '../policy/range.js';
import type { Reason } from '../policy/reasons.js';
import { isFresh } from '../policy/stale.js';
import { isNotModified } from '../policy/validation.js';
import { redactHops } from '../request/redaction.js';
import type { BypassResponse, OriginResponse } from './origin.js';
import type { RequestContext } from './request-context.js';

/** A response to serve, in bytes. */
export interface ServedMessage {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Fields;
  readonly bodyForm: BodyForm | 'opaque';
  readonly body: Uint8Array;
  readonly url: string;
  /** The HTTP client's own response, for the caller whose request it was. */
  readonly native?: unknown;
}

/** The result of a request, from the origin or the store to the caller. */
export interface Result {
  /** The response to serve; undefined if the request bypassed the cache. */
  readonly message: ServedMessage | undefined;
  /** The response of the origin, if it was asked. */
  readonly response?: OriginResponse;
  /** Request fields with which the origin was asked; Vary compares them with those of other callers. */
  readonly requestHeaders?: Fields;
  /** The stored response: new, freshened by a 304, or served. */
  readonly record?: ResponseRecord | undefined;
  /** The body is the stored one. */
  readonly fromStore: boolean;
  /** The origin confirmed the stored response. */
  readonly revalidated: boolean;
  /** Another caller's origin request. */
  readonly joined: boolean;
  /** The response was invalidated while its request was in flight, or that of a later request was stored. */
  readonly isOutdated?: boolean;
  /** The response may be stored, although it was not: the store failed, or it was invalidated. */
  readonly wasStorable?: boolean;
  readonly status: CacheStatusParts;
  readonly history?: readonly Hop[];
  /** Undefined if the request has no key. */
  readonly key: string | undefined;
  /** The adapter's own response or error, if the request bypassed the cache. */
  readonly bypassed?: BypassResponse;
  /** Resolves to the refreshed result of a response that is served stale. */
  readonly refreshed?: Promise<Result>;
}

/** Properties that the cache adds to a response (design: response extras). */
export interface Extras {
  /** The body came from the store, or from another caller's request. */
  readonly fromCache: boolean;
  /** Key of the request as asked; undefined if none was made. */
  readonly cacheKey: string | undefined;
  /** When the response was received or last validated; undefined if it is not stored. */
  readonly createdAt: Date | undefined;
  /** When it becomes stale; `null` for never, undefined if it is not stored. */
  readonly expires: Date | null | undefined;
  readonly isExpired: boolean;
  /** The origin confirmed the stored response for this request. */
  readonly revalidated: boolean;
  /** The redirects that were followed, in order, redacted. */
  readonly history: readonly Hop[];
  /** The tags of the stored response (option `tags`). */
  readonly tags: readonly string[];
  /** RFC 9211 Cache-Status: the outcome and its reason. */
  readonly cacheStatus: string;
}

const NOT_MODIFIED = { status: 304, statusText: 'Not Modified' };
const PARTIAL_CONTENT = { status: 206, statusText: 'Partial Content' };
const NO_HISTORY: readonly Hop[] = [];
const NO_TAGS: readonly string[] = [];
/** RFC 9111 section 5.2.1.7: the response to a request for nothing but a stored response. */
const GATEWAY_TIMEOUT: ServedMessage = {
  status: 504,
  statusText: 'Gateway Timeout',
  headers: Object.freeze(newFields()),
  bodyForm: 'bytes',
  body: NO_BYTES,
  url: '',
};

const NOT_ASKED: Result = {
  message: undefined,
  fromStore: false,
  revalidated: false,
  joined: false,
  status: {},
  key: undefined,
};

/** The result of a request that bypassed the cache. */
export function bypassResult(bypassed: BypassResponse, status: CacheStatusParts): Result {
  return { ...NOT_ASKED, bypassed, status };
}

/** The result of a request for which another process asked the origin and stored the response. */
export function resultOfLease(record: ResponseRecord): Result {
  return { ...NOT_ASKED, record };
}

/** The outcome of storing or freshening a response of the origin. */
interface OriginOutcome {
  readonly record?: ResponseRecord;
  readonly revalidated?: boolean;
  readonly reason?: Reason;
  readonly wasStorable?: boolean;
}

/** The result of a request that the origin answered. A body that is passed on has no bytes to serve to others. */
export function originResult(
  { request }: RequestContext,
  arrived: OriginResponse,
  { record, revalidated = false, reason, wasStorable = false }: OriginOutcome = {},
): Result {
  const response: OriginResponse = request.streamed ? { ...arrived, bodyForm: 'opaque' } : arrived;
  return {
    message: response,
    response,
    requestHeaders: request.headers,
    record,
    fromStore: false,
    revalidated,
    joined: false,
    status: reason === undefined ? {} : { detail: reason },
    key: undefined,
    isOutdated: reason === 'invalidated' || reason === 'superseded',
    wasStorable,
  };
}

/** Why and how a request went to the origin, for Cache-Status. */
export type Forward = Pick<CacheStatusParts, 'fwd' | 'fwdStatus' | 'detail'>;

/** Serves the stored response, fresh or as an option allows. */
export function serveStored(context: RequestContext, record: ResponseRecord, reason: Reason): Result {
  const now = context.now();
  const fresh = isFresh(record, now);
  const message = messageOf(context, record, now);
  context.emitServed(fresh ? 'hit' : 'stale', fromStore(message), reason);
  return {
    message,
    record,
    fromStore: true,
    revalidated: false,
    joined: false,
    status: fresh ? { hit: true } : { hit: true, detail: reason },
    key: context.key,
  };
}

/** Serves the stored response although it is stale, or was not confirmed. */
export function serveStale(context: RequestContext, record: ResponseRecord, forward: Forward): Result {
  const message = messageOf(context, record, context.now());
  context.emitServed('stale', fromStore(message), forward.detail);
  return {
    message,
    record,
    fromStore: true,
    revalidated: false,
    joined: false,
    status: { hit: true, ...forward },
    key: context.key,
  };
}

/** Serves a 504, since the origin may not be asked and no stored response may be served. */
export function serveGatewayTimeout(context: RequestContext, reason: Reason): Result {
  context.emitServed('miss', { size: 0, isSaved: false, isCoalesced: false }, reason);
  const status = { detail: reason };
  return { message: GATEWAY_TIMEOUT, fromStore: false, revalidated: false, joined: false, status, key: context.key };
}

/** Serves the result of an origin request: a response of its own, or the stored one that the origin confirmed. */
export function serveOriginResult(context: RequestContext, result: Result, forward: Forward): Result {
  const { response, record, revalidated, joined } = result;
  if (!response) return record ? serveStored(context, record, 'lease') : result;
  const presented = presentOriginResult(context, result, forward);
  const served = { size: sizeOf(presented.message), isSaved: joined || revalidated, isCoalesced: joined };
  if (record && revalidated) context.emitServed('revalidated', served, undefined);
  else context.emitServed(joined ? 'hit' : 'miss', served, joined ? 'collapsed' : forward.detail);
  return presented;
}

function fromStore(message: ServedMessage): Served {
  return { size: message.body.byteLength, isSaved: true, isCoalesced: false };
}

/** Bytes of a body; undefined if it is passed on as a stream. */
function sizeOf(message: ServedMessage | undefined): number | undefined {
  return message === undefined || message.bodyForm === 'opaque' ? undefined : message.body.byteLength;
}

/** The result of an origin request in the form in which it is served. */
export function presentOriginResult(context: RequestContext, result: Result, forward: Forward): Result {
  const { response, record, revalidated, joined } = result;
  if (!response) return result;
  const status: CacheStatusParts = {
    ...forward,
    fwdStatus: response.status,
    ...(record && result.status.detail === undefined ? { stored: true } : {}),
    ...(joined ? { collapsed: true } : {}),
    detail: context.access.failure ?? result.status.detail ?? forward.detail,
  };
  const { key } = context;
  if (record && revalidated) {
    return { ...result, status, key, message: messageOf(context, record, context.now()), fromStore: true };
  }
  const message = joined ? { ...response, native: undefined } : response;
  if (record) return { ...result, status, key, message, fromStore: false };
  const history = redactHops(response.hops, context.settings);
  return { ...result, status, key, message, fromStore: false, history };
}

/** The extras of a result. */
export function extrasOf(result: Result, now: number): Extras {
  const { record, key, status, joined, fromStore, revalidated } = result;
  const fromCache = fromStore || joined;
  if (!record) {
    return {
      fromCache,
      cacheKey: key,
      createdAt: undefined,
      expires: undefined,
      isExpired: false,
      revalidated: false,
      history: result.history ?? NO_HISTORY,
      tags: NO_TAGS,
      cacheStatus: cacheStatus(status),
    };
  }
  const { staleAt } = record;
  const never = staleAt === Number.POSITIVE_INFINITY;
  return {
    fromCache,
    cacheKey: key,
    createdAt: new Date(record.receivedAt),
    expires: never ? null : new Date(staleAt),
    isExpired: !isFresh(record, now),
    revalidated,
    history: record.history,
    tags: record.tags,
    cacheStatus: cacheStatus(never ? status : { ...status, ttl: Math.floor((staleAt - now) / 1000) }),
  };
}

/**
 * Returns the message of a stored response for a request (RFC 9111 sections 4 and 5.1, RFC 9110 sections 13 and 14).
 */
function messageOf(context: RequestContext, record: ResponseRecord, now: number): ServedMessage {
  const { settings, request } = context;
  if (!settings.cacheControl) return record;
  const age = String(currentAge(record, now));
  if (isNotModified(request, record)) {
    const body = record.body.subarray(0, 0);
    return { ...record, headers: withAge(record.headers, age), ...NOT_MODIFIED, bodyForm: 'bytes', body };
  }
  const range = partialContent(request, record);
  if (!range) return { ...record, headers: withAge(record.headers, age) };
  const body = record.body.subarray(range.from, range.to);
  return { ...record, headers: withAge(range.headers, age), ...PARTIAL_CONTENT, body };
}

function withAge(headers: Fields, age: string): Fields {
  const aged = newFields(headers);
  aged.age = age;
  return aged;
}

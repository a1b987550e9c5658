import {
  AxiosError,
  type AxiosHeaders,
  type AxiosProgressEvent,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { BypassResponse } from '../exchange/origin.js';
import { type Extras, extrasOf, type Result, type ServedMessage } from '../exchange/result.js';
import { chain, type MaybePromise } from '../platform/maybe-promise.js';
import { field } from '../policy/messages.js';
import { parseUrl } from '../policy/parse-url.js';
import { materialize } from './body.js';
import type { AxiosCopy } from './copy.js';
import type { Flavor } from './flavor.js';
import { headersClassOf, toAxiosHeaders } from './headers.js';
import type { ResponseExtras } from './types.js';

/** The caller's part of a request. */
export interface ReplayOptions {
  readonly config: InternalAxiosRequestConfig;
  readonly flavor: Flavor;
  /** The copy of axios that sends the request. */
  readonly copy: AxiosCopy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Settles a request with its result exactly as the caller's adapter would: with the body in the requested form, and by
 * `validateStatus`. axios then runs the caller's transforms. Synchronous unless the body is converted asynchronously.
 *
 * @throws the adapter's error, or an AxiosError for a status that `validateStatus` refuses
 */
export function replay(result: Result, options: ReplayOptions): MaybePromise<AxiosResponse> {
  const { config, flavor, copy, now } = options;
  const { message, bypassed, fromStore } = result;
  if (!message) return settleBypassed(bypassed, extrasOf(result, now));
  if (fromStore && config.onDownloadProgress) reportProgress(message, config.onDownloadProgress);
  const native = message.native as AxiosResponse | undefined;
  const data = message.bodyForm === 'opaque' ? native?.data : dataOf(message, config, flavor, copy);
  return chain(data as MaybePromise<unknown>, (made) => settle(responseOf(result, message, made, options), copy));
}

function settleBypassed({ native, error }: BypassResponse = {}, extras: Extras): AxiosResponse {
  if (native !== undefined) return extend(native as AxiosResponse, extras);
  const { response } = (error ?? {}) as { response?: AxiosResponse };
  if (response) extend(response, extras);
  throw error;
}

function responseOf(result: Result, message: ServedMessage, data: unknown, options: ReplayOptions): AxiosResponse {
  const { config, now } = options;
  const native = message.native as AxiosResponse | undefined;
  const Headers = headersClassOf(config.headers);
  const response: AxiosResponse = {
    data,
    status: message.status,
    statusText: native ? native.statusText : message.statusText,
    headers: native ? Headers.from(native.headers as AxiosHeaders) : toAxiosHeaders(message.headers, Headers),
    config,
    request: native ? native.request : new ReplayedRequest((config.method ?? 'get').toUpperCase(), message.url),
  };
  extend(response, extrasOf(result, now));
  (response as { refreshed?: unknown }).refreshed = result.refreshed && refreshedResponse(result.refreshed, options);
  return response;
}

/** The refreshed response of a caller that was served a stale one; axios's transforms run as they do for the stale one. */
function refreshedResponse(refreshing: Promise<Result>, options: ReplayOptions): Promise<AxiosResponse> {
  const refreshed = refreshing.then(async (result) => {
    const response = await replay(result, options);
    const { transformResponse } = options.config;
    const transforms = Array.isArray(transformResponse)
      ? transformResponse
      : transformResponse
        ? [transformResponse]
        : [];
    for (const transform of transforms) {
      response.data = transform.call(options.config, response.data, response.headers as AxiosHeaders, response.status);
    }
    return response;
  });
  refreshed.catch(() => {});
  return refreshed;
}

/** Reports the whole body at once, in the form of axios's own events. */
function reportProgress({ body }: ServedMessage, listener: (event: AxiosProgressEvent) => void): void {
  const size = body.byteLength;
  if (size === 0) return;
  listener({ loaded: size, total: size, progress: 1, bytes: size, lengthComputable: true, download: true });
}

function dataOf(answer: ServedMessage, config: InternalAxiosRequestConfig, flavor: Flavor, copy: AxiosCopy): unknown {
  checkLength(answer, config, copy);
  const { bodyForm, body } = answer;
  if (bodyForm === 'opaque') return undefined;
  if (flavor === 'fetch' && config.responseType === 'stream' && hasNullBody(answer.status, config)) return null;
  return materialize({ bodyForm, body }, config, flavor, field(answer.headers, 'content-type'));
}

/** Fetch Standard, section 2.2.3: the body of such a response is null, not an empty stream. */
function hasNullBody(status: number, { method }: InternalAxiosRequestConfig): boolean {
  return [101, 103, 204, 205, 304].includes(status) || method?.toUpperCase() === 'HEAD';
}

/** `maxContentLength` limits replayed bodies too. */
function checkLength({ body, native }: ServedMessage, config: InternalAxiosRequestConfig, copy: AxiosCopy): void {
  const limit = config.maxContentLength;
  if (native !== undefined || limit === undefined || limit < 0 || body.byteLength <= limit) return;
  throw new copy.AxiosError(`maxContentLength size of ${limit} exceeded`, AxiosError.ERR_BAD_RESPONSE, config);
}

/** The `request` of a response from the store, with the members of the http adapter that users read. */
class ReplayedRequest {
  readonly method: string;
  readonly responseURL: string;

  constructor(method: string, responseURL: string) {
    this.method = method;
    this.responseURL = responseURL;
  }

  get res(): { readonly responseUrl: string } {
    return { responseUrl: this.responseURL };
  }

  get path(): string {
    const { pathname = '', search = '' } = parseUrl(this.responseURL) ?? {};
    return pathname + search;
  }
}

/** Applies axios's rule for statuses, which its adapters implement. */
function settle(response: AxiosResponse, copy: AxiosCopy): AxiosResponse {
  const { validateStatus } = response.config;
  if (!response.status || !validateStatus || validateStatus(response.status)) return response;
  const code =
    response.status < 500 && response.status >= 400 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  const message = `Request failed with status code ${response.status}`;
  throw withoutFrames(
    () => new copy.AxiosError(message, code, response.config as InternalAxiosRequestConfig, response.request, response),
  );
}

/** Errors of axios's adapters are created in events and have no stack frames; axios adds those of the caller. */
function withoutFrames<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Sets the cache's extras on a response, in place. Single assignments, which are the fastest form on a hit. */
function extend(response: AxiosResponse, extras: Extras): AxiosResponse {
  const target = response as AxiosResponse & ResponseExtras;
  target.fromCache = extras.fromCache;
  target.cacheKey = extras.cacheKey;
  target.createdAt = extras.createdAt;
  target.expires = extras.expires;
  target.isExpired = extras.isExpired;
  target.revalidated = extras.revalidated;
  target.history = extras.history;
  target.tags = extras.tags;
  target.cacheStatus = extras.cacheStatus;
  return response;
}

import {
  AxiosError,
  type AxiosHeaders,
  type AxiosProgressEvent,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Answer, Outcome } from '../exchange/outcome.js';
import { isPromise } from '../platform/maybe-promise.js';
import { field } from '../policy/messages.js';
import { materialize } from './body.js';
import type { AxiosCopy } from './copies.js';
import { extend } from './extras.js';
import type { Flavor } from './flavor.js';
import { headersClassOf, toAxiosHeaders } from './headers.js';

/**
 * Settles a request with what the exchange brought, just as the caller's adapter would have: the body in the form that
 * was asked for, and `validateStatus` to decide. axios runs the caller's transforms on it.
 */
export async function replay(
  outcome: Outcome,
  config: InternalAxiosRequestConfig,
  flavor: Flavor,
  copy: AxiosCopy,
): Promise<AxiosResponse> {
  if ('passed' in outcome) {
    const { native, error } = outcome.passed;
    if (native !== undefined) return extend(native as AxiosResponse, outcome.extras);
    const { response } = (error ?? {}) as { response?: AxiosResponse };
    if (response) extend(response, outcome.extras);
    throw error;
  }
  const { answer, extras, fromStore } = outcome;
  if (fromStore && config.onDownloadProgress) tellProgress(answer, config.onDownloadProgress);
  const native = answer.native as AxiosResponse | undefined;
  const made = answer.bodyForm === 'opaque' ? native?.data : dataOf(answer, config, flavor, copy);
  const Headers = headersClassOf(config.headers);
  const response: AxiosResponse = {
    data: isPromise(made) ? await made : made,
    status: answer.status,
    statusText: native ? native.statusText : answer.statusText,
    headers: native ? Headers.from(native.headers as AxiosHeaders) : toAxiosHeaders(answer.headers, Headers),
    config,
    request: native ? native.request : new ReplayedRequest((config.method ?? 'get').toUpperCase(), answer.url),
  };
  extend(response, extras);
  return settle(response, copy);
}

/** All of the body at once, in the form of axios's own events. */
function tellProgress({ body }: Answer, listener: (event: AxiosProgressEvent) => void): void {
  const size = body.byteLength;
  if (size === 0) return;
  listener({ loaded: size, total: size, progress: 1, bytes: size, lengthComputable: true, download: true });
}

function dataOf(answer: Answer, config: InternalAxiosRequestConfig, flavor: Flavor, copy: AxiosCopy): unknown {
  checkLength(answer, config, copy);
  const { bodyForm, body } = answer;
  if (bodyForm === 'opaque') return undefined;
  return materialize({ bodyForm, body }, config, flavor, field(answer.headers, 'content-type'));
}

/** `maxContentLength` holds for what is replayed too. */
function checkLength({ body, native }: Answer, config: InternalAxiosRequestConfig, copy: AxiosCopy): void {
  const limit = config.maxContentLength;
  if (native !== undefined || limit === undefined || limit < 0 || body.byteLength <= limit) return;
  throw new copy.AxiosError(`maxContentLength size of ${limit} exceeded`, AxiosError.ERR_BAD_RESPONSE, config);
}

/** What a response that comes from the store can say of its request, as far as users of the http adapter look at it. */
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
    if (!URL.canParse(this.responseURL)) return '';
    const { pathname, search } = new URL(this.responseURL);
    return pathname + search;
  }
}

/** axios's own rule for statuses, which it leaves to adapters. */
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

/** An error made by an event, as in axios's own adapters, has no frames but those of the caller, which axios adds. */
function withoutFrames<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { adoptError } from '../conversion/adopt-error.js';
import { readBody } from '../conversion/body.js';
import type { AxiosCopy } from '../conversion/copy.js';
import type { Flavor } from '../conversion/flavor.js';
import { headersClassOf } from '../conversion/headers.js';
import { repeatedQuery } from '../conversion/read-request.js';
import { sentFields } from '../conversion/sent-fields.js';
import { discard, isReset, keepSession, teed } from '../conversion/stream-body.js';
import type { BypassResponse, Origin, OriginResponse, SharedRequest } from '../exchange/origin.js';
import type { Hop } from '../models/record.js';
import { NO_BYTES } from '../platform/bytes.js';
import { EncodedMessages, type HttpTransport } from '../platform/encoded-messages.js';
import { identityOf } from '../platform/identity.js';
import { isPromise } from '../platform/maybe-promise.js';
import { type Fields, fields } from '../policy/messages.js';
import { isSafe } from '../policy/methods.js';
import { comparable } from '../settings/signature.js';
import { finalUrl, RedirectObserver, watchedFetch } from './redirects.js';

/** Members that axios's types lack, or lacked in older versions. */
type FullConfig = InternalAxiosRequestConfig & {
  env?: { fetch?: typeof globalThis.fetch };
  lookup?: unknown;
  httpVersion?: unknown;
  http2Options?: object;
  fetchOptions?: object;
  jar?: unknown;
  transport?: HttpTransport;
};

/** The limits of a shared request, in place of the caller's. */
interface Limits extends Pick<FullConfig, 'onDownloadProgress'> {
  readonly signal: AbortSignal | undefined;
  readonly timeout: 0;
}

/** Members of the config that are not in the key but may change the response. */
const COMPARED = [
  'adapter',
  'beforeRedirect',
  'env',
  'fetchOptions',
  'http2Options',
  'httpAgent',
  'httpVersion',
  'httpsAgent',
  'insecureHTTPParser',
  'jar',
  'lookup',
  'maxBodyLength',
  'maxContentLength',
  'maxRedirects',
  'transport',
] as const;
const NO_HOPS: readonly Hop[] = [];
/** Encoded bytes of a stream that are kept before it is known whether it will be stored. */
const UNDECIDED_STREAM = 2 ** 20;

/** Sends one caller's request through the adapter that would have served it without a cache. */
export class AxiosOrigin implements Origin {
  /** The caller's own, which responses and errors carry. */
  readonly #config: FullConfig;
  /** The config that is sent: the caller's own, or a copy for the background. */
  #sent: FullConfig;
  readonly #flavor: Flavor;
  readonly #url: string;
  readonly #now: () => number;
  readonly #copy: AxiosCopy;

  /**
   * @param config the caller's config, with its own adapter
   * @param url the request URL, used as the final URL if the adapter does not report one
   * @param copy the copy of axios whose adapters and errors serve the request
   */
  constructor(config: InternalAxiosRequestConfig, flavor: Flavor, url: string, now: () => number, copy: AxiosCopy) {
    this.#config = config;
    this.#sent = config;
    this.#flavor = flavor;
    this.#url = url;
    this.#now = now;
    this.#copy = copy;
  }

  async send(conditions: Fields | undefined, shared: SharedRequest): Promise<OriginResponse> {
    // Each caller's limits apply outside of the shared request.
    const limits: Limits = { signal: shared.signal, timeout: 0 };
    if (watchesProgress(this.#sent)) limits.onDownloadProgress = (event) => shared.progress(event);
    const { response, message } = await this.#ask('arraybuffer', conditions, limits);
    const reading = readBody(response.data);
    const { bodyForm, body } = isPromise(reading) ? await reading : reading;
    return { ...message, bodyForm, body, native: response, isTruncated: isReset(response.request) };
  }

  async open(conditions: Fields | undefined): Promise<OriginResponse> {
    const { response, message } = await this.#ask('stream', conditions);
    const { encoded } = message;
    const body = NO_BYTES;
    // The fetch adapter has no stream for an empty body, which it reads as empty for other response types.
    const bodyForm = this.#flavor === 'fetch' ? 'bytes' : 'none';
    if (!response.data) return { ...message, bodyForm, body, native: response };
    return {
      ...message,
      bodyForm: 'bytes',
      body,
      native: response,
      stream: {
        discard: () => discard(response.data),
        collect: async (options) => {
          if (encoded) encoded.limit = options.limit;
          return { ...response, data: teed(response.data, options, () => isReset(response.request)) };
        },
      },
    };
  }

  /** @param limits those of the shared request, in place of the caller's */
  async #ask(responseType: 'arraybuffer' | 'stream', conditions: Fields | undefined, limits?: Limits) {
    const observer = this.#flavor === 'http' ? new RedirectObserver(this.#sent, this.#url) : undefined;
    const messages = this.#observed(limits ? Number.POSITIVE_INFINITY : UNDECIDED_STREAM);
    const config = this.#innerConfig(conditions, observer);
    Object.assign(config, limits, { responseType });
    messages?.observe(config);
    if (limits) delete config.cancelToken;
    const requestTime = this.#now();
    let response: AxiosResponse;
    try {
      response = await this.#copy.dispatch(config);
    } catch (error) {
      throw restoreConfig(this.#asUnwatched(error, config), this.#config);
    }
    const responseTime = this.#now();
    response.config = this.#config;
    keepSession(response.request, response.request);
    // HTTP/2 has no reason phrase.
    const { status, statusText = '' } = response;
    const url = finalUrl(response.request) ?? this.#url;
    const hops = observer?.hops ?? NO_HOPS;
    const laterCredentials = (await observer?.laterCredentials()) ?? false;
    const headers = fieldsOf(response);
    const encoded = messages?.bodyOf(response.request);
    const sent = sentFields(response.request, config.xsrfHeaderName, await observer?.firstCookies());
    const message = {
      status,
      statusText,
      headers,
      url,
      hops,
      laterCredentials,
      sent,
      requestTime,
      responseTime,
      encoded,
    };
    return { response, message };
  }

  async bypass(): Promise<BypassResponse> {
    const isUnsafe = this.#followsUnsafe();
    const observer = this.#flavor === 'http' && isUnsafe ? new RedirectObserver(this.#config, this.#url) : undefined;
    const ownFetch = isUnsafe ? this.#watchedFetch() : undefined;
    const watched = observer ? { beforeRedirect: observer.beforeRedirect } : ownFetch;
    const config = watched ? { ...this.#config, ...watched } : this.#config;
    const bypassed = (response: AxiosResponse): BypassResponse => {
      response.config = this.#config;
      return { ...this.#bypassed(response), hops: observer?.hops ?? NO_HOPS };
    };
    try {
      const response = await this.#copy.dispatch(config);
      return { ...bypassed(response), native: response };
    } catch (error) {
      const own = watched ? restoreConfig(error, this.#config) : error;
      const response = (own as { response?: AxiosResponse } | null)?.response;
      return response ? { ...bypassed(response), error: own } : { error: own };
    }
  }

  detached(): AxiosOrigin {
    const origin = new AxiosOrigin(this.#config, this.#flavor, this.#url, this.#now, this.#copy);
    const { headers } = this.#config;
    origin.#sent = { ...this.#config, headers: new (headersClassOf(headers))(headers) };
    return origin;
  }

  /** Whether a redirect may matter to a request that bypasses the cache: each hop of an unsafe request invalidates. */
  #followsUnsafe(): boolean {
    return !isSafe((this.#config.method ?? 'get').toUpperCase());
  }

  /** The properties that two requests must share to be coalesced (docs/matching.md). */
  get signature(): string {
    let signature = `${watchesProgress(this.#sent)} ${identityOf(this.#copy.AxiosError)}`;
    for (const name of COMPARED) {
      const value = this.#sent[name];
      if (value !== undefined) signature += ` ${name}=${JSON.stringify(comparable(value))}`;
    }
    return signature;
  }

  failed(error: unknown): boolean {
    return !axios.isCancel(error);
  }

  adopt(error: unknown): unknown {
    return adoptError(error, this.#config);
  }

  /** If only the cache watches the progress, the http adapter reports an incomplete response with another error. */
  #asUnwatched(error: unknown, sent: FullConfig): unknown {
    const { onDownloadProgress, maxRate, decompress } = this.#sent;
    if (this.#flavor !== 'http' || !sent.onDownloadProgress || onDownloadProgress || maxRate) return error;
    const { code, request, response } = (error ?? {}) as Partial<AxiosError>;
    const { res } = (request ?? {}) as { res?: { headers?: Record<string, unknown> } };
    const isDecoded = decompress !== false && res?.headers?.['content-encoding'] !== undefined;
    if (code !== 'ECONNRESET' || !response || isDecoded) return error;
    return new this.#copy.AxiosError('stream has been aborted', AxiosError.ERR_BAD_RESPONSE, sent, request, response);
  }

  #bypassed(response: AxiosResponse): BypassResponse {
    return { status: response.status, headers: fieldsOf(response), url: finalUrl(response.request) ?? this.#url };
  }

  /** Returns an observer of the encoded body, if there is a body that axios decodes. */
  #observed(limit: number): EncodedMessages | undefined {
    const { decompress, method } = this.#sent;
    if (decompress === false || method?.toUpperCase() === 'HEAD') return undefined;
    return this.#flavor === 'http' ? new EncodedMessages(limit) : undefined;
  }

  /** Returns a config for which every status resolves and redirects are observed. */
  #innerConfig(conditions: Fields | undefined, observer: RedirectObserver | undefined): FullConfig {
    // A spread, since adapters read own properties only; axios's own merge would copy deeply.
    const config: FullConfig = { ...this.#sent, validateStatus: null };
    if (conditions) {
      config.headers = new (headersClassOf(config.headers))(config.headers);
      for (const name of Object.keys(conditions)) config.headers.set(name, conditions[name] as string);
    }
    if (observer) config.beforeRedirect = observer.beforeRedirect;
    const query = repeatedQuery(config, this.#url);
    if (query) config.paramsSerializer = query;
    return Object.assign(config, this.#watchedFetch());
  }

  /** For the fetch adapter a `fetch` that notes the final URL. */
  #watchedFetch(): Pick<FullConfig, 'env'> | undefined {
    if (this.#flavor !== 'fetch') return undefined;
    const { env } = this.#sent;
    return { env: { ...env, fetch: watchedFetch(env?.fetch ?? globalThis.fetch) } };
  }
}

function fieldsOf(response: AxiosResponse): Fields {
  return fields((response.headers ?? {}) as Record<string, unknown>);
}

/** A timeout limits the time without progress, so it needs progress events as a listener does. */
function watchesProgress({ timeout, onDownloadProgress }: InternalAxiosRequestConfig): boolean {
  return Boolean(timeout) || onDownloadProgress !== undefined;
}

/** Errors carry the caller's own config, which can be sent again, instead of the inner one. */
function restoreConfig(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (typeof error === 'object' && error !== null && 'config' in error) {
    (error as { config: unknown }).config = config;
    const { response } = error as { response?: object };
    if (response) (error as unknown as { response: object }).response = { ...response, config };
  }
  return error;
}

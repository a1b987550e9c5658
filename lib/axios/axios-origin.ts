import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { Passenger } from '../exchange/flights.js';
import type { OpenAnswer, Origin, OriginAnswer, PassedAnswer } from '../exchange/origin.js';
import { comparable } from '../exchange/settings-signature.js';
import type { Hop } from '../models/record.js';
import { type Fields, fields } from '../policy/messages.js';
import { adoptError } from './adopt-error.js';
import { readBody } from './body.js';
import type { AxiosCopy } from './copies.js';
import type { Flavor } from './flavor.js';
import { headersClassOf } from './headers.js';
import { finalUrl, RedirectObserver, watchedFetch } from './redirects.js';
import { discard, keepSession, teed } from './stream-body.js';

/** What axios's types leave out, or left out at first. */
type FullConfig = InternalAxiosRequestConfig & {
  env?: { fetch?: typeof globalThis.fetch };
  lookup?: unknown;
  httpVersion?: unknown;
  http2Options?: object;
  fetchOptions?: object;
  jar?: unknown;
};

/** Settings of the request that are not in the key, and by which requests are not answered alike. */
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

/** Sends one caller's request through the adapter that would have served it without a cache. */
export class AxiosOrigin implements Origin {
  readonly #config: FullConfig;
  readonly #flavor: Flavor;
  readonly #url: string;
  readonly #now: () => number;
  readonly #copy: AxiosCopy;

  /**
   * @param config the caller's, with the caller's own adapter on it
   * @param url what the request asks for, as the final URL where the adapter does not tell one
   * @param copy the copy of axios whose adapters and errors serve the request
   */
  constructor(config: InternalAxiosRequestConfig, flavor: Flavor, url: string, now: () => number, copy: AxiosCopy) {
    this.#config = config;
    this.#flavor = flavor;
    this.#url = url;
    this.#now = now;
    this.#copy = copy;
  }

  async send(conditions: Fields | undefined, signal: AbortSignal, passengers: Passenger): Promise<OriginAnswer> {
    // The limits of each who waits are kept outside of the shared request.
    const limits: Partial<FullConfig> = { signal, timeout: 0 };
    if (watchesProgress(this.#config)) limits.onDownloadProgress = (event) => passengers.progress(event);
    const { response, ...answer } = await this.#ask('arraybuffer', conditions, limits);
    return { ...answer, ...(await readBody(response.data)), native: response };
  }

  async open(conditions: Fields | undefined): Promise<OpenAnswer> {
    const { response, ...answer } = await this.#ask('stream', conditions, {});
    return {
      ...answer,
      bodyForm: response.data ? 'bytes' : 'none',
      discard: () => discard(response.data),
      collect: async (limit, onWhole, onTooLong) => {
        if (response.data) return { ...response, data: teed(response.data, limit, onWhole, onTooLong) };
        await onWhole(new Uint8Array(0));
        return response;
      },
    };
  }

  async #ask(responseType: 'arraybuffer' | 'stream', conditions: Fields | undefined, limits: Partial<FullConfig>) {
    const observer = this.#flavor === 'http' ? new RedirectObserver(this.#config, this.#url) : undefined;
    const config = this.#innerConfig(conditions, observer);
    Object.assign(config, limits, { responseType });
    if (limits.signal) delete config.cancelToken;
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
    // HTTP/2 has no text beside its status.
    const { status, statusText = '' } = response;
    const url = finalUrl(response.request) ?? this.#url;
    const hops = observer?.hops ?? NO_HOPS;
    const laterCredentials = (await observer?.laterCredentials()) ?? false;
    const headers = fieldsOf(response);
    return { response, status, statusText, headers, url, hops, laterCredentials, requestTime, responseTime };
  }

  async pass(): Promise<PassedAnswer> {
    try {
      const response = await this.#copy.dispatch(this.#config);
      return { ...this.#passed(response), native: response };
    } catch (error) {
      const response = (error as { response?: AxiosResponse } | null)?.response;
      return response ? { ...this.#passed(response), error } : { error };
    }
  }

  /** Everything that is compared when coalescing (docs/matching.md): what another caller's request must share. */
  get signature(): string {
    const parts = COMPARED.map((name) => this.#config[name]);
    return JSON.stringify([...parts, watchesProgress(this.#config), this.#copy.AxiosError].map(comparable));
  }

  failed(error: unknown): boolean {
    return !axios.isCancel(error);
  }

  adopt(error: unknown): unknown {
    return adoptError(error, this.#config);
  }

  /**
   * Where progress is watched for us alone, the http adapter has a stream more, and tells of an answer that was cut off in
   * other words than the caller would hear.
   */
  #asUnwatched(error: unknown, sent: FullConfig): unknown {
    const { onDownloadProgress, maxRate, decompress } = this.#config;
    if (this.#flavor !== 'http' || !sent.onDownloadProgress || onDownloadProgress || maxRate) return error;
    const { code, request, response } = (error ?? {}) as Partial<AxiosError>;
    const { res } = (request ?? {}) as { res?: { headers?: Record<string, unknown> } };
    const isDecoded = decompress !== false && res?.headers?.['content-encoding'] !== undefined;
    if (code !== 'ECONNRESET' || !response || isDecoded) return error;
    return new this.#copy.AxiosError('stream has been aborted', AxiosError.ERR_BAD_RESPONSE, sent, request, response);
  }

  #passed(response: AxiosResponse): PassedAnswer {
    return { status: response.status, headers: fieldsOf(response), url: finalUrl(response.request) ?? this.#url };
  }

  /** The request in a form that any status answers, with what the cache wants to know of redirects. */
  #innerConfig(conditions: Fields | undefined, observer: RedirectObserver | undefined): FullConfig {
    // A spread, since adapters read own properties only; axios's own merge would copy deeply.
    const config: FullConfig = { ...this.#config, validateStatus: null };
    if (conditions) {
      config.headers = new (headersClassOf(config.headers))(config.headers);
      for (const name of Object.keys(conditions)) config.headers.set(name, conditions[name] as string);
    }
    if (observer) config.beforeRedirect = observer.beforeRedirect;
    if (this.#flavor === 'fetch') {
      config.env = { ...config.env, fetch: watchedFetch(config.env?.fetch ?? globalThis.fetch) };
    }
    return config;
  }
}

function fieldsOf(response: AxiosResponse): Fields {
  return fields((response.headers ?? {}) as Record<string, unknown>);
}

/** Timeouts are of silence, so both need to know that something came. */
function watchesProgress({ timeout, onDownloadProgress }: InternalAxiosRequestConfig): boolean {
  return Boolean(timeout) || onDownloadProgress !== undefined;
}

/** The caller knows nothing of the inner configuration: its errors carry the caller's own, which can be sent again. */
function restoreConfig(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (typeof error === 'object' && error !== null && 'config' in error) {
    (error as { config: unknown }).config = config;
    const { response } = error as { response?: object };
    if (response) (error as unknown as { response: object }).response = { ...response, config };
  }
  return error;
}

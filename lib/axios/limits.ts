import { AxiosError, type CanceledError, type CancelToken, type InternalAxiosRequestConfig } from 'axios';
import type { AxiosCopy } from '../conversion/copy.js';
import type { Flavor } from '../conversion/flavor.js';
import type { CallerLimits as Limits } from '../exchange/request-context.js';

type Listener = (reason?: unknown) => void;

/** A CancelToken with the members that the types of older versions of axios lack. */
type SubscribableToken = Partial<Pick<CancelToken, 'subscribe' | 'unsubscribe'>>;

/**
 * One caller's `signal`, `cancelToken` and `timeout` while the cache waits on its behalf: for a look-up, a shared
 * origin request or a replay. The errors are those of axios.
 */
export class CallerLimits implements Limits {
  readonly #broken: Promise<never>;
  readonly #release: () => void;
  readonly #onProgress: ((event: unknown) => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(config: InternalAxiosRequestConfig, flavor: Flavor, copy: AxiosCopy) {
    const { signal } = config;
    const timeout = timeoutOf(config, flavor);
    const token = config.cancelToken as SubscribableToken | undefined;
    let reject: (error: unknown) => void = () => {};
    this.#broken = new Promise<never>((_, fail) => {
      reject = fail;
    });
    // If another promise settles first, nothing handles the rejection of this one.
    this.#broken.catch(() => {});

    const onAbort = () => reject(abortError(config, flavor, copy));
    const onCancel: Listener = (reason) => reject(reason);
    if (Number.isNaN(timeout)) reject(badTimeout(config, copy));
    if (signal?.aborted) onAbort();
    signal?.addEventListener?.('abort', onAbort);
    token?.subscribe?.(onCancel);
    this.#timer = timeout ? setTimeout(() => reject(timeoutError(config, flavor, copy)), timeout) : undefined;
    this.#onProgress = config.onDownloadProgress as ((event: unknown) => void) | undefined;

    this.#release = () => {
      clearTimeout(this.#timer);
      signal?.removeEventListener?.('abort', onAbort);
      token?.unsubscribe?.(onCancel);
    };
  }

  /** Settles as `work` does, or rejects as soon as the caller's limit is reached. */
  race<T>(work: T | PromiseLike<T>): Promise<T> {
    return Promise.race([work, this.#broken]);
  }

  /** A timeout limits the time without progress, as in axios's own adapters. */
  progress(event: unknown): void {
    this.#timer?.refresh();
    this.#onProgress?.(event);
  }

  responseArrived(): void {
    clearTimeout(this.#timer);
  }

  /** Releases signal, token and timer. */
  end(): void {
    this.#release();
  }
}

function abortError(config: InternalAxiosRequestConfig, flavor: Flavor, copy: AxiosCopy): CanceledError<unknown> {
  const reason: unknown = (config.signal as { reason?: unknown } | undefined)?.reason;
  // Only the fetch adapter reports the signal's reason.
  const { message: said } = (reason ?? {}) as { message?: unknown };
  const message = flavor === 'fetch' && typeof said === 'string' ? said : undefined;
  const error = new copy.CanceledError<unknown>(message);
  error.config = config;
  return error;
}

/** Returns milliseconds; the http adapter accepts text too, and refuses NaN. */
function timeoutOf({ timeout = 0 }: InternalAxiosRequestConfig, flavor: Flavor): number {
  return flavor === 'http' ? Number.parseInt(String(timeout), 10) : timeout;
}

/** Returns the message of the http adapter. */
function badTimeout(config: InternalAxiosRequestConfig, copy: AxiosCopy): AxiosError {
  return new copy.AxiosError('error trying to parse `config.timeout` to int', AxiosError.ERR_BAD_OPTION_VALUE, config);
}

function timeoutError(config: InternalAxiosRequestConfig, flavor: Flavor, copy: AxiosCopy): AxiosError {
  const message = config.timeoutErrorMessage ?? `timeout of ${config.timeout}ms exceeded`;
  const clarify = config.transitional?.clarifyTimeoutError || flavor === 'fetch';
  return new copy.AxiosError(message, clarify ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED, config);
}

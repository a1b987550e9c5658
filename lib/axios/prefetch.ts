import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { optionError, refuseUnknownMembers } from '../errors.js';

/** Progress of `instance.prefetch()`: the argument of `onProgress`. */
export interface PrefetchProgress {
  /** Requests that are settled so far. */
  readonly done: number;
  /** Of them: requests whose response was stored already. */
  readonly stored: number;
  /** Of them: requests whose response came from the origin. */
  readonly fetched: number;
  /** Of them: requests that failed. */
  readonly failed: number;
  /** The request that was settled last, as given. */
  readonly request: string | AxiosRequestConfig;
  /** The error of that request; absent if it succeeded. */
  readonly error?: unknown;
}

export interface PrefetchOptions {
  /**
   * The largest number of requests at a time. Default: 4.
   *
   * @example
   * await api.prefetch(['https://example.org/1', 'https://example.org/2'], { concurrency: 2 });
   */
  readonly concurrency?: number | undefined;
  /**
   * A function that is called after each request. If it throws, `prefetch` rejects with that error. Default: none.
   *
   * @example
   * await api.prefetch(['https://example.org/1'], { onProgress: ({ done, failed }) => console.log(done, failed) });
   */
  readonly onProgress?: ((progress: PrefetchProgress) => void) | undefined;
}

/** The counts of {@link PrefetchProgress} at the end. */
export type PrefetchResult = Pick<PrefetchProgress, 'done' | 'stored' | 'fetched' | 'failed'>;

/** URLs, or configurations of axios; also as an async iterable, which is read as slowly as requests are sent. */
export type PrefetchRequests = Iterable<string | AxiosRequestConfig> | AsyncIterable<string | AxiosRequestConfig>;

const DEFAULT_CONCURRENCY = 4;

/**
 * Sends the requests whose responses are not stored, a few at a time. A request that fails is counted and does not end
 * the others.
 *
 * @throws TypeError for a wrong option
 */
export async function prefetch(
  send: (config: AxiosRequestConfig) => Promise<AxiosResponse>,
  requests: PrefetchRequests,
  options: PrefetchOptions = {},
): Promise<PrefetchResult> {
  const { concurrency, onProgress } = readOptions(requests, options);
  const counts = { done: 0, stored: 0, fetched: 0, failed: 0 };
  const queue = iteratorOf(requests);
  let stopped = false;
  const work = async () => {
    for (let next = await queue.next(); !next.done && !stopped; next = await queue.next()) {
      const request = next.value;
      const { outcome, error } = await sendOne(send, request);
      counts.done += 1;
      counts[outcome] += 1;
      onProgress?.({ ...counts, request, ...(outcome === 'failed' ? { error } : {}) });
    }
  };
  const workers = Array.from({ length: concurrency }, work);
  try {
    await Promise.all(workers);
  } finally {
    stopped = true;
    await Promise.allSettled(workers);
    await queue.return(undefined);
  }
  return counts;
}

async function sendOne(
  send: (config: AxiosRequestConfig) => Promise<AxiosResponse>,
  request: string | AxiosRequestConfig,
): Promise<{ readonly outcome: 'stored' | 'fetched' | 'failed'; readonly error?: unknown }> {
  try {
    if (typeof request !== 'string' && (typeof request !== 'object' || request === null)) {
      throw optionError('request', request, 'a URL or a request configuration');
    }
    const { fromCache } = await send(typeof request === 'string' ? { url: request } : request);
    return { outcome: fromCache ? 'stored' : 'fetched' };
  } catch (error) {
    return { outcome: 'failed', error };
  }
}

/** Several workers call `next` at once, and only a generator queues these calls reliably. */
function iteratorOf(requests: PrefetchRequests): AsyncGenerator<string | AxiosRequestConfig, undefined> {
  return (async function* () {
    yield* requests;
    return undefined;
  })();
}

function readOptions(requests: unknown, options: PrefetchOptions) {
  const { [Symbol.iterator]: iterate, [Symbol.asyncIterator]: iterateLater } = Object(requests) as {
    [Symbol.iterator]?: unknown;
    [Symbol.asyncIterator]?: unknown;
  };
  if (typeof requests === 'string' || !(iterate ?? iterateLater)) {
    throw optionError('requests', requests, 'a list or an iterable of URLs or request configurations');
  }
  if (typeof options !== 'object' || options === null) throw optionError('options', options, 'an object');
  refuseUnknownMembers('prefetch', options, ['concurrency', 'onProgress']);
  const { concurrency = DEFAULT_CONCURRENCY, onProgress } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw optionError('concurrency', concurrency, 'a whole number, 1 or more');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw optionError('onProgress', onProgress, 'a function');
  }
  return { concurrency, onProgress };
}

import type { InternalAxiosRequestConfig } from 'axios';
import type { Hop } from '../models/record.js';
import { fields } from '../policy/messages.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;
/** axios hands over a third argument that its older types lack. */
type FullBeforeRedirect = (
  options: Record<string, unknown>,
  response: { headers: Record<string, string>; statusCode: number },
  request?: { url?: string },
) => void;

/** Notes each hop that the http adapter follows, and calls the user's own `beforeRedirect`. */
export function recordHops(own: BeforeRedirect | undefined, hops: Hop[]): BeforeRedirect {
  const record: FullBeforeRedirect = (options, response, request) => {
    hops.push({ url: request?.url ?? '', status: response.statusCode, headers: fields(response.headers) });
    (own as FullBeforeRedirect | undefined)?.(options, response, request);
  };
  return record as BeforeRedirect;
}

type Fetch = typeof globalThis.fetch;

const finalUrls = new WeakMap<object, string>();
/** One wrapper for each fetch function, since axios builds and keeps an adapter for every function it is given. */
const wrappers = new WeakMap<Fetch, Fetch>();

/** A `fetch` that notes the final URL of each request, which axios's fetch adapter does not tell. */
export function watchedFetch(fetch: Fetch): Fetch {
  let wrapper = wrappers.get(fetch);
  if (!wrapper) {
    wrapper = async (input, init) => {
      const response = await fetch(input, init);
      if (typeof input === 'object' && response.url) finalUrls.set(input, response.url);
      return response;
    };
    wrappers.set(fetch, wrapper);
  }
  return wrapper;
}

/**
 * The URL that answered: the http adapter's `res.responseUrl`, what {@link watchedFetch} saw, or XHR's `responseURL`.
 * Undefined where it is told as it was asked, without a host, as mock adapters do.
 */
export function finalUrl(request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { res, responseURL } = request as { res?: { responseUrl?: unknown }; responseURL?: unknown };
  const url = finalUrls.get(request) ?? res?.responseUrl ?? responseURL;
  return typeof url === 'string' && URL.canParse(url) ? url : undefined;
}

import type { InternalAxiosRequestConfig } from 'axios';
import { cookiesFor, hasMore } from '../conversion/cookie-jar.js';
import type { Hop } from '../models/record.js';
import { identityOf } from '../platform/identity.js';
import { shared } from '../platform/shared-state.js';
import { fields } from '../policy/messages.js';
import { canParseUrl } from '../policy/parse-url.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;
type RedirectOptions = Record<string, unknown> & { href?: unknown; headers?: unknown; agents?: unknown };
/** axios passes a third argument since 1.9. */
type FullBeforeRedirect = (
  options: RedirectOptions,
  response: { headers: Record<string, string>; statusCode: number },
  request?: { url?: string },
) => void;

/** Observes the redirects that the http adapter follows for one request. */
export class RedirectObserver {
  /** The redirects that were followed, in order. */
  readonly hops: Hop[] = [];
  readonly #config: InternalAxiosRequestConfig;
  readonly #first: Promise<readonly string[] | undefined>;
  readonly #later: Promise<readonly string[] | undefined>[] = [];
  #current: string;
  #changed = false;

  constructor(config: InternalAxiosRequestConfig, url: string) {
    this.#config = config;
    this.#current = url;
    // Read now, since responses change the jar.
    this.#first = settled(cookiesFor(config, url));
  }

  /** Replaces `config.beforeRedirect`, and calls it. */
  get beforeRedirect(): BeforeRedirect {
    const own = this.#config.beforeRedirect as FullBeforeRedirect | undefined;
    const observe: FullBeforeRedirect = (options, response, request) => {
      const url = request?.url ?? this.#current;
      this.hops.push({ url, status: response.statusCode, headers: fields(response.headers) });
      if (own) {
        const before = snapshot(options);
        own(options, response, request);
        this.#changed ||= snapshot(options) !== before;
      }
      if (typeof options.href !== 'string') return;
      this.#current = options.href;
      this.#later.push(settled(cookiesFor(this.#config, options.href)));
    };
    return observe as BeforeRedirect;
  }

  /** Returns the cookies of the jar when the request was sent; undefined if the jar failed. */
  firstCookies(): Promise<readonly string[] | undefined> {
    return this.#first;
  }

  /**
   * Returns whether a later request of the chain carried credentials that the first did not, or was changed by the
   * caller's `beforeRedirect`. Headers that the http adapter removes do not count.
   */
  async laterCredentials(): Promise<boolean> {
    if (this.#changed || this.#later.length === 0) return this.#changed;
    const [first, ...later] = await Promise.all([this.#first, ...this.#later]);
    return later.some((cookies) => !first || !cookies || hasMore(cookies, first));
  }
}

/** Returns undefined if the jar fails, so that its cookies are unknown. */
function settled(cookies: Promise<readonly string[]>): Promise<readonly string[] | undefined> {
  return cookies.catch(() => undefined);
}

/** Returns a text that changes with any part of the next request. */
function snapshot(options: RedirectOptions): string {
  const members = Object.keys(options).map((name) => {
    const value = options[name];
    const isGroup = (name === 'headers' || name === 'agents') && typeof value === 'object' && value !== null;
    return [name, isGroup ? Object.entries(value).map(([key, one]) => [key, comparable(one)]) : comparable(value)];
  });
  return JSON.stringify(members);
}

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject ? identityOf(value) : String(value);
}

type Fetch = typeof globalThis.fetch;

const finalUrls = /* @__PURE__ */ shared('finalUrls', () => new WeakMap<object, string>());
/** One wrapper for each fetch function, since axios creates and keeps an adapter for every distinct function. */
const wrappers = new WeakMap<Fetch, Fetch>();

/** Returns a `fetch` that notes the final URL of each request, which axios's fetch adapter does not expose. */
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
 * Returns the URL that answered: `res.responseUrl` of the http adapter, the one that {@link watchedFetch} noted, or
 * `responseURL` of XHR. Undefined if it has no host, as with mock adapters.
 */
export function finalUrl(request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { res, responseURL } = request as { res?: { responseUrl?: unknown }; responseURL?: unknown };
  const url = finalUrls.get(request) ?? res?.responseUrl ?? responseURL;
  return typeof url === 'string' && canParseUrl(url) ? url : undefined;
}

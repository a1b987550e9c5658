import axios, { type InternalAxiosRequestConfig } from 'axios';
import type { CacheRequest } from '../models/cache-request.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { memoize } from '../platform/memo.js';
import { type Fields, field, fields, newFields } from '../policy/messages.js';
import type { Credentials } from '../request/cache-key.js';
import { normalizeUrl, userinfoOf } from '../request/normalize-url.js';
import { carriesMoreCookies, cookieJarFor } from './cookie-jar.js';
import { inBrowser } from './flavor.js';
import { readRequestData } from './request-data.js';
import { readTransport } from './transport.js';

/** Instance defaults are in the config already; a bare instance does not add them again. */
const bare = new axios.Axios({});
/** Base URLs, and URLs of each, whose results are kept. */
const MAX_BASES = 20;
const URLS_OF_BASE = 1_000;
const NO_BODY: CacheRequest['body'] = { kind: 'none' };

/** A request that is being read. */
type Writable = { -readonly [Name in keyof CacheRequest]: CacheRequest[Name] };

/**
 * Returns the absolute URL that axios would send, without its fragment. Undefined for other schemes than http and https,
 * and for a URL that axios itself refuses: such requests bypass the cache.
 */
export function requestUrl(config: InternalAxiosRequestConfig): string | undefined {
  const { baseURL, url, params, allowAbsoluteUrls } = config;
  // The location of a page may change, and a user's serializer may return something else each time.
  const isPure = !params && !inBrowser && allowAbsoluteUrls !== false && typeof url === 'string';
  if (!isPure) return sentUrl(() => bare.getUri(withoutHeaders(config)));
  if (!baseURL) return withoutBase(url) || undefined;
  return typeof baseURL === 'string' ? withBase(baseURL)(url) || undefined : undefined;
}

/** Returns the URL of a request, without its fragment; an empty text as undefined, since memos keep no undefined. */
const withoutBase: (url: string) => string = /* @__PURE__ */ memoize((url) => sentUrl(() => url) ?? '');
const withBase: (baseURL: string) => typeof withoutBase = /* @__PURE__ */ memoize(
  (baseURL) => memoize((url) => sentUrl(() => bare.getUri({ baseURL, url })) ?? '', URLS_OF_BASE),
  MAX_BASES,
);

function sentUrl(join: () => string): string | undefined {
  try {
    const sent = join();
    const absolute = inBrowser ? new URL(sent, globalThis.location?.href).href : sent;
    if (!/^https?:\/\//i.test(absolute)) return undefined;
    // Throws for an invalid URL. Every request needs the normalized URL later.
    normalizeUrl(absolute);
    const hash = absolute.indexOf('#');
    return hash === -1 ? absolute : absolute.slice(0, hash);
  } catch {
    return undefined;
  }
}

/**
 * Returns a serializer that repeats the query of the URL that was read. The caller's parameters may change before the
 * request is sent, and so may the result of a serializer. Undefined if neither is possible.
 *
 * @param url as {@link requestUrl} returned it
 */
export function repeatedQuery(
  config: InternalAxiosRequestConfig,
  url: string,
): { serialize: () => string } | undefined {
  const { params, paramsSerializer } = config;
  // axios copies plain objects.
  if (!params || (!paramsSerializer && isPlainObject(params))) return undefined;
  const [base = ''] = bare.getUri(withoutHeaders({ ...config, params: undefined })).split('#');
  if (!url.startsWith(base)) return undefined;
  // The character between is `?` or `&`.
  const query = url.slice(base.length + 1);
  return { serialize: () => query };
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function withoutHeaders({ baseURL, url, params, paramsSerializer, allowAbsoluteUrls }: InternalAxiosRequestConfig) {
  const parts: Record<string, unknown> = { baseURL, url, params, paramsSerializer, allowAbsoluteUrls };
  return parts as Parameters<typeof bare.getUri>[0];
}

/**
 * Reads the request that an adapter is about to send. It is read before the adapter runs, since the http adapter adds to
 * the headers while sending.
 *
 * @throws the error of the user's `credentials` function or cookie jar; a TypeError if the function returns anything
 *   but a text, nothing, or a promise of one
 */
export function readRequest(
  config: InternalAxiosRequestConfig,
  url: string,
  credentials: Credentials,
): MaybePromise<CacheRequest> {
  const { transport, hiddenTransport, hiddenCredentials } = readTransport(config);
  const request: Writable = {
    method: (config.method ?? 'get').toUpperCase(),
    url,
    headers: fields(config.headers as unknown as Record<string, unknown>),
    body: NO_BODY,
    transport,
  };
  if (config.responseType === 'stream') request.streamed = true;
  if (config.auth) request.auth = { username: config.auth.username ?? '', password: config.auth.password ?? '' };
  const user = request.auth ?? userinfoOf(url);
  if (user) request.headers = withField(request.headers, 'authorization', basic(user));
  if (hiddenCredentials || (inBrowser && sendsHiddenCookies(config))) request.hiddenCredentials = true;
  if (hiddenTransport !== undefined) request.hiddenTransport = hiddenTransport;
  const hops = hopCredentials(config, url);
  if (hops) request.carriesMoreTo = hops;
  const { data } = config as { data?: unknown };
  if (typeof credentials !== 'function' && !hops && (data === undefined || data === null)) return request;
  return withSlowParts(request, config, credentials, data);
}

function withSlowParts(
  request: Writable,
  config: InternalAxiosRequestConfig,
  credentials: Credentials,
  data: unknown,
): MaybePromise<CacheRequest> {
  const body = readRequestData(data);
  const principal = typeof credentials === 'function' ? credentials(config) : undefined;
  const cookies = cookieJarFor(config, request.url)?.getCookieString(request.url);
  if (typeof credentials === 'function' && !isPromise(principal)) request.principal = principalOf(principal);
  if (!isPromise(body)) request.body = body;
  if (!isPromise(body) && !isPromise(principal) && cookies === undefined) return request;
  return awaitParts(request, body, principal, cookies);
}

async function awaitParts(
  request: Writable,
  body: MaybePromise<CacheRequest['body']>,
  principal: MaybePromise<string | undefined>,
  cookies: Promise<string> | undefined,
): Promise<CacheRequest> {
  const [readBody, name, jarCookies] = await Promise.all([body, principal, cookies]);
  request.body = readBody;
  if (isPromise(principal)) request.principal = principalOf(name);
  if (jarCookies) {
    request.jarCookies = jarCookies;
    const own = field(request.headers, 'cookie');
    request.headers = withField(request.headers, 'cookie', own ? `${own}; ${jarCookies}` : jarCookies);
  }
  return request;
}

/** Fields that the HTTP client adds count in matched headers, Vary and RFC 9111 section 3.5 as if the caller had written them. */
function withField(headers: Fields, name: string, value: string): Fields {
  const all = newFields(headers);
  all[name] = value;
  return all;
}

/** RFC 7617. */
function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** @throws TypeError for anything but a text or nothing; the value is not shown, since it may be a credential */
function principalOf(result: unknown): string {
  if (result === undefined) return '';
  if (typeof result === 'string') return result;
  const kind = result === null ? 'null' : Array.isArray(result) ? 'an array' : `a value of type ${typeof result}`;
  throw new TypeError(
    `credentials: the function returned ${kind}, which is not accepted; expected a string, undefined, or a promise of one`,
  );
}

function sendsHiddenCookies({ withCredentials, fetchOptions }: InternalAxiosRequestConfig): boolean {
  const { credentials } = (fetchOptions ?? {}) as { credentials?: unknown };
  return Boolean(withCredentials) || credentials === 'include';
}

/** See {@link CacheRequest.carriesMoreTo}. The effect of `beforeRedirect` is unknown before the call. */
function hopCredentials(config: InternalAxiosRequestConfig, url: string): CacheRequest['carriesMoreTo'] {
  if (config.beforeRedirect) return () => true;
  const { jar, httpAgent, httpsAgent } = config as { jar?: unknown; httpAgent?: unknown; httpsAgent?: unknown };
  if (!jar && !httpAgent && !httpsAgent) return undefined;
  if (!cookieJarFor(config, url) && !cookieJarFor(config, otherScheme(url))) return undefined;
  return (urls) => carriesMoreCookies(config, url, urls);
}

function otherScheme(url: string): string {
  return /^https:/i.test(url) ? 'http:' : 'https:';
}

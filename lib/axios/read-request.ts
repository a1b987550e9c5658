import axios, { type InternalAxiosRequestConfig } from 'axios';
import type { CacheRequest, FormEntry, RequestBody } from '../models/cache-request.js';
import { fields } from '../policy/messages.js';
import type { Credentials } from '../request/cache-key.js';
import { inBrowser } from './flavor.js';

/** What companions add to a config, and what axios's types left out at first. */
type ExtendedConfig = Omit<InternalAxiosRequestConfig, 'jar' | 'http2Options'> & {
  jar?: { getCookieString?(url: string): Promise<string> };
  httpVersion?: unknown;
  http2Options?: Record<string, unknown>;
};

/** Instance defaults are in the config already; a bare instance does not add them again. */
const bare = new axios.Axios({});
const NO_BODY: RequestBody = { kind: 'none' };
const NO_TRANSPORT: CacheRequest['transport'] = [];

/**
 * The absolute URL that axios would send, without its fragment. Undefined where the cache has no business: other schemes
 * than http and https, or a URL that axios will itself complain about.
 */
export function requestUrl(config: InternalAxiosRequestConfig): string | undefined {
  const { baseURL, url } = config;
  try {
    const sent = !config.params && !baseURL && url !== undefined ? url : bare.getUri(withoutHeaders(config));
    const absolute = inBrowser ? new URL(sent, globalThis.location?.href).href : sent;
    if (!/^https?:\/\//i.test(absolute)) return undefined;
    const hash = absolute.indexOf('#');
    return hash === -1 ? absolute : absolute.slice(0, hash);
  } catch {
    return undefined;
  }
}

function withoutHeaders({ baseURL, url, params, paramsSerializer, allowAbsoluteUrls }: InternalAxiosRequestConfig) {
  const parts: Record<string, unknown> = { baseURL, url, params, paramsSerializer, allowAbsoluteUrls };
  return parts as Parameters<typeof bare.getUri>[0];
}

/**
 * Reads the request that an adapter is about to send. Taken before the adapter runs, since the http adapter adds to the
 * headers while sending.
 *
 * @throws what the user's `credentials` function or cookie jar throws
 */
export function readRequest(
  config: InternalAxiosRequestConfig,
  url: string,
  credentials: Credentials,
): CacheRequest | Promise<CacheRequest> {
  const request: CacheRequest = {
    method: (config.method ?? 'get').toUpperCase(),
    url,
    headers: fields(config.headers as unknown as Record<string, unknown>),
    body: NO_BODY,
    transport: transportOf(config),
    ...(config.responseType === 'stream' ? { streamed: true } : {}),
    ...(config.auth ? { auth: config.auth } : {}),
    ...(inBrowser && config.withCredentials ? { hiddenCredentials: true } : {}),
    ...(typeof credentials === 'function' ? { principal: credentials(config) ?? '' } : {}),
  };
  const { jar } = config as ExtendedConfig;
  const needsJar = jar?.getCookieString !== undefined;
  const { data } = config as { data?: unknown };
  if (!needsJar && (data === undefined || data === null)) return request;
  return withSlowParts(request, data, needsJar ? jar : undefined);
}

async function withSlowParts(request: CacheRequest, data: unknown, jar: ExtendedConfig['jar']): Promise<CacheRequest> {
  const jarCookies = await jar?.getCookieString?.(request.url);
  return { ...request, body: await readRequestBody(data), ...(jarCookies ? { jarCookies } : {}) };
}

/** Whatever besides URL, headers and body changes what a server, or the adapter, answers. */
function transportOf(config: InternalAxiosRequestConfig): CacheRequest['transport'] {
  const { socketPath, proxy, decompress, maxRedirects } = config;
  const tls = tlsOptions(config);
  if (!socketPath && !proxy && decompress !== false && maxRedirects !== 0 && !tls) return NO_TRANSPORT;
  const pairs: [string, string][] = [];
  if (tls) pairs.push(...tlsPairs(tls));
  if (decompress === false) pairs.push(['decompress', 'false']);
  if (maxRedirects === 0) pairs.push(['maxRedirects', '0']);
  if (proxy)
    pairs.push(['proxy', JSON.stringify([proxy.protocol ?? 'http', proxy.host, proxy.port, proxy.auth ?? null])]);
  if (socketPath) pairs.push(['socketPath', String(socketPath)]);
  return pairs;
}

/** HTTP/2 goes without agents. */
function tlsOptions(config: ExtendedConfig): Record<string, unknown> | undefined {
  const { httpVersion, http2Options, httpsAgent } = config;
  return Number(httpVersion) === 2 ? http2Options : (httpsAgent as { options?: Record<string, unknown> })?.options;
}

/** A client's certificate is a credential, and an unverified server's answer must not serve who asks for verification. */
function tlsPairs(options: Record<string, unknown>): [string, string][] {
  return ['ca', 'cert', 'key', 'pfx', 'rejectUnauthorized', 'servername']
    .filter((name) => options[name] !== undefined)
    .map((name) => [name, asText(options[name])]);
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.map(asText));
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
}

/** The body after `transformRequest`, which is what the adapter sends. */
async function readRequestBody(data: unknown): Promise<RequestBody> {
  if (data === undefined || data === null) return NO_BODY;
  if (typeof data === 'string') return { kind: 'text', text: data };
  if (data instanceof URLSearchParams) return { kind: 'text', text: data.toString() };
  if (data instanceof ArrayBuffer) return { kind: 'bytes', bytes: new Uint8Array(data) };
  if (ArrayBuffer.isView(data))
    return { kind: 'bytes', bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  if (data instanceof Blob) return { kind: 'bytes', bytes: new Uint8Array(await data.arrayBuffer()) };
  if (data instanceof FormData) return { kind: 'form', entries: await readForm(data) };
  return { kind: 'stream' };
}

async function readForm(form: FormData): Promise<FormEntry[]> {
  const entries: FormEntry[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') entries.push([name, value]);
    else {
      const bytes = new Uint8Array(await value.arrayBuffer());
      entries.push([name, { name: value.name, type: value.type, bytes }]);
    }
  }
  return entries;
}

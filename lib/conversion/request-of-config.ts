import axios, { AxiosHeaders, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import { optionError } from '../errors.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { KeyRules } from '../request/cache-key.js';
import { headersClassOf } from './headers.js';
import { readRequest, requestUrl } from './read-request.js';

type Transform = (this: unknown, data: unknown, headers: AxiosHeaders) => unknown;
type RawHeaders = Record<string, unknown>;

/** Groups of default headers: for all methods, and for each. */
const HEADER_GROUPS = [
  'common',
  'delete',
  'get',
  'head',
  'options',
  'patch',
  'post',
  'purge',
  'put',
  'link',
  'unlink',
  'query',
];
/** Methods for whose body axios sets a Content-Type if nothing else did. */
const FORM_METHODS: ReadonlySet<string> = new Set(['post', 'put', 'patch']);
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** Header fields that the http adapter adds to those of the config while it sends. */
const ADDED_BY_ADAPTER: Readonly<Record<string, RegExp>> = {
  'user-agent': /^axios\//,
  'accept-encoding': /^gzip, compress, deflate(, br)?(, zstd)?$/,
  'content-length': /^\d+$/,
};

/**
 * Returns the request that an axios instance would send for a config: with the instance's defaults, headers for the
 * method, and after `transformRequest`. Interceptors do not run: their additions must be in the config.
 *
 * @throws TypeError if it is no request for an http or https URL; the error of `transformRequest`, the `credentials`
 *   function or a cookie jar
 */
export async function requestOfConfig(config: object, defaults: object, rules: KeyRules): Promise<CacheRequest> {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw optionError('request', config, 'an axios config or a stored request');
  return readFinal(finalConfig(config, defaults as AxiosRequestConfig), rules);
}

/** Returns the request that was sent with a final config, such as that of a response. */
export async function requestOfSent(config: InternalAxiosRequestConfig, rules: KeyRules): Promise<CacheRequest> {
  const asGiven = new (headersClassOf(config.headers))(config.headers);
  for (const [name, added] of Object.entries(ADDED_BY_ADAPTER)) {
    if (added.test(String(asGiven.get(name) ?? ''))) asGiven.delete(name);
  }
  return readFinal({ ...config, headers: asGiven }, rules);
}

async function readFinal(config: InternalAxiosRequestConfig, rules: KeyRules): Promise<CacheRequest> {
  const url = requestUrl(config);
  if (url === undefined) throw optionError('request', config.url, 'a request for an http or https URL');
  return readRequest(config, url, rules.credentials);
}

/** The config that axios gives to the adapter. */
function finalConfig(given: AxiosRequestConfig, defaults: AxiosRequestConfig): InternalAxiosRequestConfig {
  const merged = axios.mergeConfig(defaults, given) as InternalAxiosRequestConfig;
  const config = { ...merged, method: (merged.method || 'get').toLowerCase() } as InternalAxiosRequestConfig;
  config.allowAbsoluteUrls ??= true;
  if (typeof config.paramsSerializer === 'function') config.paramsSerializer = { serialize: config.paramsSerializer };
  config.headers = headersFor(config.method ?? 'get', (merged.headers ?? {}) as unknown as RawHeaders);
  config.data = transformed(config);
  if (FORM_METHODS.has(config.method ?? '')) config.headers.setContentType(FORM_TYPE, false);
  return config;
}

function headersFor(method: string, merged: RawHeaders): AxiosHeaders {
  const groups = [merged.common, merged[method]].filter(isHeaderGroup);
  const own = Object.entries(merged).filter(([name, value]) => !(HEADER_GROUPS.includes(name) && isHeaderGroup(value)));
  return AxiosHeaders.concat(...(groups as RawHeaders[] as never[]), Object.fromEntries(own) as never);
}

function isHeaderGroup(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function transformed(config: InternalAxiosRequestConfig): unknown {
  const transforms = [config.transformRequest ?? []].flat() as Transform[];
  let data: unknown = config.data;
  for (const transform of transforms) data = transform.call(config, data, config.headers.normalize(false));
  return data;
}

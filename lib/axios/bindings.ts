import axios, { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { ClientBindings, FoundRecord } from '../cache/bindings.js';
import { readBody } from '../conversion/body.js';
import { toAxiosHeaders } from '../conversion/headers.js';
import { requestOfConfig, requestOfSent } from '../conversion/request-of-config.js';
import { optionError } from '../errors.js';
import { CachedRequest } from '../models/cached-response.js';
import type { ResponseRecord } from '../models/record.js';
import { randomHex16 } from '../platform/random.js';
import { expiresAt } from '../policy/expiration.js';
import { fields } from '../policy/messages.js';
import { variantOf, varyNames } from '../policy/vary.js';
import { countsInVary, keyOf } from '../request/cache-key.js';
import { urlIndexNames } from '../request/index-names.js';
import { redactRequest, redactUrl, secretInHeader, storedHeaders } from '../request/redaction.js';
import { finalUrl } from './redirects.js';

/** The functions of a cache that convert axios's requests and responses outside of a request. */
export const axiosBindings: ClientBindings = {
  async requestOf(config, rules, defaults = axios.defaults) {
    return requestOfConfig(config, defaults, rules);
  },

  async keyOf(config, rules, defaults = axios.defaults) {
    if (config instanceof CachedRequest) return config.cacheKey;
    return keyOf(await requestOfConfig(config, defaults, rules), rules);
  },

  async recordOf(given, rules, expireAfter, now, { encrypts } = { encrypts: false }): Promise<FoundRecord> {
    const response = given as AxiosResponse;
    if (typeof response?.status !== 'number' || !response.config)
      throw optionError('response', given, 'an axios response');
    const request = await requestOfSent(response.config, rules);
    const headers = fields((response.headers ?? {}) as Record<string, unknown>);
    if (!encrypts && secretInHeader(headers, rules))
      throw new TypeError(
        'response.headers: a URL with a credential is not accepted; expected none, or a cache with encryptionKey',
      );
    const { bodyForm, body } = await readBody(response.data);
    if (bodyForm === 'opaque') throw optionError('response.data', response.data, 'text, bytes or plain data');
    const vary = varyNames(headers, countsInVary(rules));
    if (vary === '*') throw optionError('response.headers.vary', '*', 'a Vary that a request can match');
    const url = finalUrl(response.request) ?? request.url;
    const record: ResponseRecord = {
      kind: 'response',
      key: keyOf(request, rules),
      receivedAt: now,
      staleAt: expiresAt(expireAfter, now),
      indexes: [],
      order: 0,
      stamp: randomHex16(),
      initialAge: 0,
      status: response.status,
      statusText: response.statusText ?? '',
      headers: storedHeaders(headers, rules),
      url: redactUrl(url, rules),
      request: redactRequest(request, rules),
      history: [],
      vary,
      variant: vary.length === 0 ? '' : variantOf(vary, request.headers),
      tags: [],
      bodyForm,
      body,
    };
    return { record, indexNames: urlIndexNames(request.method, [request.url, url], rules) };
  },

  headersOf: (fields) => toAxiosHeaders(fields),

  async responseOf(record, data): Promise<AxiosResponse> {
    const config = {
      ...axios.defaults,
      method: record.request.method.toLowerCase(),
      url: record.request.url,
      headers: new AxiosHeaders(),
    };
    return {
      data,
      status: record.status,
      statusText: record.statusText,
      headers: toAxiosHeaders(record.headers),
      config: config as InternalAxiosRequestConfig,
    };
  },
};

import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig } from 'axios';
import { requestOfConfig } from '../../lib/conversion/request-of-config.js';
import { keyOf } from '../../lib/request/cache-key.js';
import { DEFAULTS } from '../../lib/settings/schema.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench } from '../support/api.js';

const formOf = (value: string) => {
  const form = new FormData();
  form.append('a', value);
  form.append('file', new Blob([value]), 'f.txt');
  return form;
};

/** Configs that axios completes before it sends them. */
const CONFIGS: readonly (readonly [string, AxiosRequestConfig])[] = [
  ['a URL', { url: '/a' }],
  ['params', { url: '/a', params: { b: [1, 2], a: 'x y', n: null } }],
  ['an absolute URL', { url: 'http://127.0.0.1:1/a', adapter: async (config) => answer(config) }],
  [
    'a serializer of params',
    { url: '/a', params: { b: [1, 2] }, paramsSerializer: (params) => JSON.stringify(params) },
  ],
  ['auth', { url: '/a', auth: { username: 'u', password: 'p' } }],
  ['headers in any case', { url: '/a', headers: { AUTHORIZATION: 'x', Accept: null, 'X-A': 'b' } }],
  ['an object', { url: '/a', method: 'POST', data: { b: 1, a: [2] } }],
  ['an object for PUT', { url: '/a', method: 'put', data: { b: 1 } }],
  ['text', { url: '/a', method: 'post', data: 'a=1' }],
  ['JSON as text', { url: '/a', method: 'post', data: '{"a":1}', headers: { 'Content-Type': 'application/json' } }],
  ['a Buffer', { url: '/a', method: 'post', data: Buffer.from('abc') }],
  ['a typed array', { url: '/a', method: 'post', data: Uint8Array.of(1, 2, 3) }],
  ['an ArrayBuffer', { url: '/a', method: 'post', data: Uint8Array.of(1, 2, 3).buffer }],
  ['a Blob', { url: '/a', method: 'post', data: new Blob(['abc'], { type: 'text/x-a' }) }],
  ['URLSearchParams', { url: '/a', method: 'post', data: new URLSearchParams({ a: '1' }) }],
  ['FormData', { url: '/a', method: 'post', data: formOf('x') }],
  [
    'an object as a form',
    {
      url: '/a',
      method: 'post',
      data: { a: { b: 1 } },
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
  ],
  [
    'transforms',
    {
      url: '/a',
      method: 'post',
      data: 1,
      transformRequest: [
        (data, headers) => {
          headers.set('Content-Type', 'text/plain');
          return `<${data}>`;
        },
      ],
    },
  ],
  ['GET with a body', { url: '/a', data: { a: 1 } }],
  ['QUERY with a body', { url: '/a', method: 'QUERY', data: { a: 1 } }],
];

const SETTINGS: readonly (readonly [string, CacheOptions])[] = [
  ['plain', {}],
  ['all headers matched', { matchHeaders: true }],
  ['named headers matched', { matchHeaders: ['accept', 'x-a', 'user-agent'] }],
];

async function answer(config: object) {
  return { data: 'x', status: 200, statusText: 'OK', headers: {}, config: config as never };
}

describe.each(SETTINGS)('with %s', (_, settings) => {
  const options: CacheOptions = { ...settings, allowableMethods: ['GET', 'POST', 'PUT', 'QUERY'] };

  test.each(CONFIGS)('%s: the key is that of the request that axios sends', async (_, config) => {
    await using bench = await startBench(options);
    const { api } = bench;
    const { cacheKey } = await api.request(config);
    const rules = { ...DEFAULTS, ...(settings.matchHeaders ? { matchHeaders: namesOf(settings.matchHeaders) } : {}) };
    const request = await requestOfConfig(config, api.defaults, rules);
    expect(keyOf(request, rules)).toBe(cacheKey);
  });

  test.each(CONFIGS.filter(([name]) => name !== 'a Blob'))(
    '%s: a response of plain axios is saved under it',
    async (_, config) => {
      await using bench = await startBench(options);
      const { api } = bench;
      const plain = axios.create({ baseURL: bench.origin.url });
      const key = await api.cache.saveResponse(
        await plain.request({ ...config, ...(config.data instanceof FormData ? { data: formOf('x') } : {}) }),
      );
      const { cacheKey, fromCache } = await api.request(config);
      expect([cacheKey, fromCache]).toEqual([key, true]);
    },
  );
});

function namesOf(names: NonNullable<CacheOptions['matchHeaders']>): boolean | readonly string[] {
  return typeof names === 'boolean' ? names : [names].flat().sort();
}

test('the config and the response that are given stay as they are', async () => {
  await using bench = await startBench({ allowableMethods: ['POST'] });
  const config = Object.freeze({
    url: `${bench.origin.url}/a`,
    method: 'post',
    data: Object.freeze({ a: 1 }),
    headers: Object.freeze({ 'x-a': 'b' }),
  });
  await bench.api.cache.createKey(config);
  const response = await axios.post(config.url, { a: 1 });
  const before = JSON.stringify(response.config);
  await bench.api.cache.saveResponse(response);
  expect(JSON.stringify(response.config)).toBe(before);
});

test('a stored request is accepted, redacted as it is', async () => {
  await using bench = await startBench();
  const { cacheKey = '' } = await bench.api.get('/?api_key=s3cret', { headers: { Authorization: 'x' } });
  const stored = await bench.api.cache.getResponse(cacheKey);
  if (!stored) throw new Error('nothing is stored');
  expect(stored.request.url).toContain('REDACTED');
  expect(await bench.api.cache.createKey(stored.request)).toBe(cacheKey);
  expect(await bench.api.cache.contains({ request: stored.request })).toBe(true);
  expect(await bench.api.cache.delete({ requests: [stored.request] })).toBe(1);
});

test('a response with a secret in a URL is saved only encrypted', async () => {
  await using bench = await startBench();
  const response = { ...(await axios.get(bench.origin.url)), headers: { location: '/?password=p' } };
  await expect(bench.api.cache.saveResponse(response)).rejects.toThrow(/^response\.headers: .*encryptionKey$/);
});

test.each([[null], [undefined], ['http://a.test/'], [[]], [{}], [{ url: '/relative' }], [{ url: 'ftp://a.test/' }]])(
  '%p is refused',
  async (wrong) => {
    await expect(requestOfConfig(wrong as object, {}, DEFAULTS)).rejects.toThrow(/^request: /);
  },
);

test('a stream has no key to share', async () => {
  const request = await requestOfConfig(
    { url: 'http://a.test/', method: 'post', data: Readable.from(['a']) },
    axios.defaults,
    DEFAULTS,
  );
  expect(request.body).toEqual({ kind: 'stream' });
});

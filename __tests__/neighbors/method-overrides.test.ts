import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { startBench } from '../support/api.js';

/** Fields and parameters that make a request another one than its method says, in every spelling. */

const JSON_TYPE = { 'Content-Type': 'application/json' };

function formOf(name: string, value: string): FormData {
  const form = new FormData();
  form.set(name, value);
  return form;
}

describe('a method override', () => {
  test.each<[string, AxiosRequestConfig]>([
    ['X-Method', { headers: { 'X-Method': 'DELETE' } }],
    ['X_HTTP_METHOD_OVERRIDE', { headers: { X_HTTP_METHOD_OVERRIDE: 'PUT' } }],
    ['x-original-method', { headers: { 'x-original-method': 'PATCH' } }],
    ['X.Http.Method', { headers: { 'X.Http.Method': 'PUT' } }],
    ['_method in the query', { params: { _method: 'DELETE' } }],
    ['an encoded name', { url: '/a?%5FmEthod=put' }],
    ['a field name in the query', { params: { 'X-HTTP-Method-Override': 'PUT' } }],
    ['a form', { method: 'POST', data: new URLSearchParams({ _method: 'PUT' }) }],
    ['FormData', { method: 'POST', data: formOf('_METHOD', 'PUT') }],
    ['JSON', { method: 'POST', data: { _method: 'DELETE' } }],
    ['bytes of JSON', { method: 'POST', data: Buffer.from('{"_method":"DELETE"}'), headers: JSON_TYPE }],
  ])('%s: neither served from the cache nor stored', async (_, config) => {
    await using bench = await startBench({ allowableMethods: ['GET', 'POST'] });
    const ask = () => bench.api.request({ url: '/a', ...config });
    await ask();
    const { fromCache, cacheStatus } = await ask();
    expect([fromCache, cacheStatus]).toEqual([false, expect.stringContaining('detail=method-override')]);
    expect(await bench.api.cache.responseCount()).toBe(0);
  });

  test.each<[string, AxiosRequestConfig]>([
    ['the same method as a parameter', { params: { _method: 'get' } }],
    ['another parameter', { params: { method: 'flickr.photos.search', methods: 'DELETE' } }],
    ['a member of another name', { method: 'POST', data: { paymentmethod: 'card' } }],
    ['another header', { headers: { 'Access-Control-Request-Method': 'PUT' } }],
  ])('not %s', async (_, config) => {
    await using bench = await startBench({ allowableMethods: ['GET', 'POST'] });
    await bench.api.request({ url: '/a', ...config });
    expect((await bench.api.request({ url: '/a', ...config })).fromCache).toBe(true);
  });

  test('invalidates the URL without the parameter', async () => {
    await using bench = await startBench({ cacheControl: true }, (_, response) => {
      response.setHeader('cache-control', 'max-age=60').end('x');
    });
    await bench.api.get('/a');
    await bench.api.post('/a?_method=DELETE');
    expect((await bench.api.get('/a')).fromCache).toBe(false);
    await bench.api.get('/a?_method=DELETE');
    expect((await bench.api.get('/a')).fromCache).toBe(false);
  });
});

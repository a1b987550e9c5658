import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { startBench } from '../support/api.js';
import type { Handler } from '../support/origin.js';

/** The bodies of hits, besides the comparison with plain axios in `matrix.test.ts`. */

const BODIES: Readonly<Record<string, { headers: Record<string, string>; body: Buffer | string }>> = {
  json: { headers: { 'content-type': 'application/json' }, body: '{"a":[1,2,{"b":null}]}' },
  text: { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'grüße' },
  bytes: {
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  },
};

const handler: Handler = ({ url }, response) => {
  const [, name = '', status = '200'] = decodeURIComponent(url).split('/');
  const { headers, body } = BODIES[name] ?? { headers: {}, body: '' };
  response.writeHead(Number(status), headers);
  response.end(body);
};

describe('a hit', () => {
  test('is a fresh object for each caller', async () => {
    await using bench = await startBench({}, handler);
    const first = await bench.api.get('/json');
    first.data.a.push('changed');
    first.headers['content-type'] = 'changed';
    const second = await bench.api.get('/json');
    second.data.a.length = 0;
    const third = await bench.api.get('/json');
    expect([third.data, third.headers['content-type']]).toEqual([{ a: [1, 2, { b: null }] }, 'application/json']);
  });

  test('hands out bytes that may be written to', async () => {
    await using bench = await startBench({}, handler);
    const config = { responseType: 'arraybuffer' } as const;
    (await bench.api.get('/bytes', config)).data.fill(0);
    (await bench.api.get('/bytes', config)).data.fill(0);
    expect((await bench.api.get('/bytes', config)).data).toEqual(BODIES.bytes?.body);
  });

  test('goes through the transforms of its own call', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/text');
    const shout = await bench.api.get('/text', { transformResponse: (data: string) => data.toUpperCase() });
    expect([shout.data, shout.fromCache]).toEqual(['GRÜSSE', true]);
    expect((await bench.api.get('/text', { responseEncoding: 'latin1' })).data).toBe('grÃ¼Ã\u009fe');
  });

  test('serves every responseType from one entry', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/json', { responseType: 'arraybuffer' });
    expect((await bench.api.get('/json')).data).toEqual({ a: [1, 2, { b: null }] });
    expect((await bench.api.get('/json', { responseType: 'text', transformResponse: [] })).data).toBe(
      '{"a":[1,2,{"b":null}]}',
    );
    expect(bench.origin.asked).toHaveLength(1);
  });

  test('is a response whose config can be sent again', async () => {
    await using bench = await startBench({}, handler);
    const { config } = await bench.api.get('/json');
    const again = await axios.request(config);
    expect([again.data, again.fromCache]).toEqual([{ a: [1, 2, { b: null }] }, undefined]);
    expect((await bench.api.request((await bench.api.get('/json')).config)).fromCache).toBe(true);
    expect(bench.origin.asked).toHaveLength(2);
  });

  test('has a request as that of the http adapter', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/json?x=1');
    const { request } = await bench.api.get('/json?x=1');
    expect([request.method, request.path, request.res.responseUrl]).toEqual([
      'GET',
      '/json?x=1',
      `${bench.origin.url}/json?x=1`,
    ]);
  });

  test('calls onDownloadProgress for the whole body', async () => {
    await using bench = await startBench();
    await bench.api.get('/a');
    const reported: unknown[] = [];
    const { fromCache } = await bench.api.get('/a', { onDownloadProgress: (event) => reported.push(event) });
    const size = JSON.stringify({ url: '/a', count: 1 }).length;
    expect([fromCache, reported]).toEqual([
      true,
      [{ loaded: size, total: size, progress: 1, bytes: size, lengthComputable: true, download: true }],
    ]);
  });

  test('keeps to maxContentLength', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/json');
    await expect(bench.api.get('/json', { maxContentLength: 5 })).rejects.toMatchObject({ code: 'ERR_BAD_RESPONSE' });
  });

  test('keeps to an abort', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/json');
    const signal = AbortSignal.abort();
    const error = await bench.api.get('/json', { signal }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_CANCELED' });
    const { config } = error as { config: object };
    expect((await axios.request({ ...config, signal: undefined } as object)).status).toBe(200);
  });
});

test('a response interceptor that unwraps data, registered before the cache, does no harm', async () => {
  await using bench = await startBench({}, handler);
  const instance = axios.create({ baseURL: bench.origin.url });
  instance.interceptors.response.use((response) => response.data as never);
  const { setupCache } = await import('../../lib/setup-cache.js');
  const api = setupCache(instance, { backend: 'memory' });
  expect([await api.get('/json'), await api.get('/json')]).toEqual([
    { a: [1, 2, { b: null }] },
    { a: [1, 2, { b: null }] },
  ]);
  expect(bench.origin.asked).toHaveLength(1);
  await api.detachCache();
});

test('an adapter that returns objects is taken as it is', async () => {
  await using bench = await startBench();
  const given = { nested: { value: 1 } };
  const adapter = async (config: object) => ({
    data: given,
    status: 200,
    statusText: 'OK',
    headers: {},
    config: config as never,
  });
  const first = await bench.api.get('/', { adapter });
  first.data.nested.value = 2;
  const second = await bench.api.get('/', { adapter });
  expect([second.data, second.fromCache]).toEqual([{ nested: { value: 1 } }, true]);
});

test('a body that is cut off is an error and is not stored', async () => {
  await using bench = await startBench({}, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('short');
    setTimeout(() => response.destroy(), 10);
  });
  await expect(bench.api.get('/')).rejects.toMatchObject({
    code: expect.stringMatching(/ECONNRESET|ERR_BAD_RESPONSE/),
  });
  expect(await bench.api.cache.responseCount()).toBe(0);
});

test('data: URLs go straight through', async () => {
  await using bench = await startBench();
  const response = await bench.api.get('data:text/plain,hello', { baseURL: '' });
  const plain = await axios.get('data:text/plain,hello');
  expect([response.data, response.cacheStatus]).toEqual([plain.data, 'axios-keyv-cache; fwd=bypass; detail=url']);
});

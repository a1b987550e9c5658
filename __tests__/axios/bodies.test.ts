import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axios, { type AxiosResponse } from 'axios';
import type { CacheOptions } from '../../lib/options.js';
import { startBench, temporaryFolder } from '../support/api.js';
import type { Handler } from '../support/origin.js';

/** What plain axios gives is given on a miss and on a hit. */

const BODIES: Readonly<Record<string, { headers: Record<string, string>; body: Buffer | string }>> = {
  json: { headers: { 'content-type': 'application/json' }, body: '{"a":[1,2,{"b":null}]}' },
  'json with a byte order mark': { headers: { 'content-type': 'application/json' }, body: '\uFEFF{"a":1}' },
  text: { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'grüße' },
  latin1: { headers: { 'content-type': 'text/plain; charset=latin1' }, body: Buffer.from('grüße', 'latin1') },
  bytes: {
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  },
  empty: { headers: { 'content-type': 'text/plain' }, body: '' },
  gzip: {
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync('{"zipped":true}'),
  },
};

const handler: Handler = ({ url }, response) => {
  const [, name = '', status = '200'] = decodeURIComponent(url).split('/');
  const { headers, body } = BODIES[name] ?? { headers: {}, body: '' };
  response.writeHead(Number(status), headers);
  response.end(body);
};

async function comparable({ data, status, statusText, headers }: AxiosResponse) {
  // Fields of one connection are not stored (RFC 9111 section 3.1).
  const {
    date: _,
    connection: __,
    'keep-alive': ___,
    'transfer-encoding': ____,
    ...rest
  } = headers as Record<string, string>;
  const value: unknown = data instanceof Blob ? [data.type, Buffer.from(await data.arrayBuffer())] : data;
  return { type: Object.prototype.toString.call(data), value, status, statusText, headers: { ...rest } };
}

const matrix = (['http', 'fetch'] as const).flatMap((adapter) =>
  (['json', 'text', 'arraybuffer', 'blob'] as const).flatMap((responseType) =>
    Object.keys(BODIES).flatMap((body) => [200, 404].map((status) => ({ adapter, responseType, body, status }))),
  ),
);

/** Memory hands out what it was given, SQLite a view of its row, and encryption what it opened. */
const STORES: Readonly<Record<string, CacheOptions>> = {
  memory: { backend: 'memory' },
  SQLite: { backend: 'sqlite' },
  'encrypted memory': { backend: 'memory', encryptionKey: 'k'.repeat(32) },
};

describe.each(Object.entries(STORES))('%s', (_, store) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  test.each(matrix)('$adapter, $responseType, $body, $status', async ({ adapter, responseType, body, status }) => {
    const cacheName = path.join(folder.path, [adapter, responseType, body, status].join('-'));
    await using bench = await startBench({ ...store, cacheName, allowableCodes: [200, 404] }, handler);
    const config = { adapter, responseType, validateStatus: null };
    const url = `/${encodeURIComponent(body)}/${status}`;
    const plain = await comparable(await axios.get(bench.origin.url + url, config));
    const miss = await bench.api.get(url, config);
    const hit = await bench.api.get(url, config);
    expect([miss.fromCache, hit.fromCache]).toEqual([false, true]);
    expect(await comparable(miss)).toEqual(plain);
    expect(await comparable(hit)).toEqual(plain);
  });

  test.each(['http', 'fetch'] as const)('a part of the body, by %s', async (adapter) => {
    const cacheName = path.join(folder.path, `part-${adapter}`);
    await using bench = await startBench({ ...store, cacheName, cacheControl: true, expireAfter: 60 }, handler);
    const config = { adapter, responseType: 'arraybuffer' } as const;
    await bench.api.get('/bytes', config);
    const { status, data } = await bench.api.get('/bytes', { ...config, headers: { range: 'bytes=10-13' } });
    expect([status, [...new Uint8Array(data)]]).toEqual([206, [10, 11, 12, 13]]);
  });
});

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

  test('tells its request as the http adapter does', async () => {
    await using bench = await startBench({}, handler);
    await bench.api.get('/json?x=1');
    const { request } = await bench.api.get('/json?x=1');
    expect([request.method, request.path, request.res.responseUrl]).toEqual([
      'GET',
      '/json?x=1',
      `${bench.origin.url}/json?x=1`,
    ]);
  });

  test('tells onDownloadProgress of the whole body', async () => {
    await using bench = await startBench();
    await bench.api.get('/a');
    const told: unknown[] = [];
    const { fromCache } = await bench.api.get('/a', { onDownloadProgress: (event) => told.push(event) });
    const size = JSON.stringify({ url: '/a', count: 1 }).length;
    expect([fromCache, told]).toEqual([
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

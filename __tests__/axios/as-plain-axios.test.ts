import { readFileSync } from 'node:fs';
import { createSecureServer, createServer, type Http2SecureServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { selfSigned } from '../../scripts/services/certificate.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import type { Handler } from '../support/origin.js';

/** Compares requests through a cache with plain axios, where a difference would be visible. */

/** HTTP/2 came to axios with 1.13, and its types later. */
const overHttp2 = (http2Options: object = {}) => ({ httpVersion: 2, http2Options }) as AxiosRequestConfig;

async function listening<T extends Http2Server | Http2SecureServer>(server: T) {
  const asked: string[] = [];
  server.on('stream', (stream, headers) => {
    asked.push(String(headers[':path']));
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end('{"a":1}');
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session: { destroy(): void }) => sessions.add(session));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('HTTP/2', () => {
  test.each<CacheOptions>([{ backend: 'memory' }, { backend: 'sqlite' }])('%j', async (options) => {
    await using folder = await temporaryFolder();
    await using server = await listening(createServer());
    await using bench = await startBench({ ...options, cacheName: path.join(folder.path, 'http2') });
    const url = `http://127.0.0.1:${server.port}/`;
    const plain = await axios.get(url, overHttp2());
    const [miss, hit] = [await bench.api.get(url, overHttp2()), await bench.api.get(url, overHttp2())];
    expect([miss.status, miss.statusText, miss.data]).toEqual([plain.status, plain.statusText, plain.data]);
    expect(typeof miss.request.session.destroy).toBe('function');
    expect([hit.fromCache, hit.status, hit.data, server.asked.length]).toEqual([true, 200, { a: 1 }, 2]);
  });

  test('a request that verifies the server does not get a response that was fetched without', async () => {
    await using folder = await temporaryFolder();
    const files = selfSigned(folder.path);
    const ca = readFileSync(files.cert);
    await using server = await listening(createSecureServer({ key: readFileSync(files.key), cert: ca }));
    await using bench = await startBench();
    const url = `https://localhost:${server.port}/`;
    const ask = (http2Options: object) => bench.api.get(url, overHttp2(http2Options));
    expect((await ask({ rejectUnauthorized: false })).data).toEqual({ a: 1 });
    await expect(ask({})).rejects.toThrow('self-signed certificate');
    expect((await ask({ ca })).fromCache).toBe(false);
    expect((await ask({ ca })).fromCache).toBe(true);
  });
});

describe('errors', () => {
  const errorOf = async (api: AxiosInstance, url: string, config: AxiosRequestConfig) => {
    const { name, message, code } = (await api.get(url, config).catch((error: unknown) => error)) as AxiosErrorLike;
    return { name, message, code };
  };
  interface AxiosErrorLike extends Error {
    readonly code?: string;
  }

  const silent: Handler = () => {};
  const cutOff: Handler = (_, response) => {
    response.write('some of it');
    setTimeout(() => response.destroy(), 100);
  };

  test.each<[string, Handler, AxiosRequestConfig]>([
    ['a timeout that is no number', silent, { timeout: 'soon' as never }],
    ['a timeout in text', silent, { timeout: '30ms' as never }],
    ['an answer that is cut off', cutOff, {}],
    ['an answer that is cut off, within a timeout', cutOff, { timeout: 5_000 }],
    ['an answer that is cut off, whose progress is watched', cutOff, { onDownloadProgress: () => {} }],
  ])('%s', async (_, handler, config) => {
    await using bench = await startBench({}, handler);
    const plain = await errorOf(axios.create(), bench.origin.url, config);
    expect(await errorOf(bench.api, '/', config)).toEqual(plain);
  });

  test('have the frames of their caller once', async () => {
    await using bench = await startBench({ allowableCodes: [404] }, (_, response) => {
      response.statusCode = 404;
      response.end();
    });
    async function aCallerOfItsOwn() {
      await bench.api.get('/');
    }
    for (const _ of ['miss', 'hit']) {
      const { stack = '' } = (await aCallerOfItsOwn().catch((error: unknown) => error)) as Error;
      expect(stack.match(/aCallerOfItsOwn/g)).toHaveLength(1);
    }
  });
});

describe('streams', () => {
  test('have the members of an IncomingMessage', async () => {
    await using bench = await startBench();
    const { data } = await bench.api.get('/', { responseType: 'stream' });
    for await (const _ of data) expect(data.headers['content-type']).toBe('application/json');
    expect([data.statusCode, data.httpVersion, data.complete]).toEqual([200, '1.1', true]);
  });

  test('of a POST come as they arrive, whether or not it might serve later GETs', async () => {
    let end: () => void = () => {};
    await using bench = await startBench({ cacheControl: true }, (_, response) => {
      response.write('first');
      end = () => response.end('last');
    });
    const { data } = await bench.api.post('/', 'x', { responseType: 'stream' });
    const chunks: string[] = [];
    for await (const chunk of data) {
      chunks.push(String(chunk));
      end();
    }
    expect(chunks).toEqual(['first', 'last']);
  });
});

test.each([false, true])('a request that bypasses the cache needs no key, cacheControl %p', async (cacheControl) => {
  let keys = 0;
  const keyFn = () => {
    keys += 1;
    return 'key';
  };
  await using bench = await startBench({ keyFn, cacheControl });
  await bench.api.post('/', 'x');
  expect([keys, bench.events.map(({ type, key, reason }) => ({ type, key, reason }))]).toEqual([
    0,
    [{ type: 'skipped', key: undefined, reason: 'method' }],
  ]);
  await bench.api.get('/');
  expect(keys).toBe(1);
});

import * as http from 'node:http';
import * as zlib from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig, type AxiosResponse, type AxiosStatic } from 'axios';
import axiosOldest from 'axios-oldest';
import { setupCache } from '../../lib/index.js';
import { startBench } from '../support/api.js';
import { type Handler, startOrigin } from '../support/origin.js';

/** A body in a content coding without its end, in a complete HTTP message: axios decodes it without an error. */

const BODY = Buffer.from(JSON.stringify(Array.from({ length: 3000 }, (_, id) => ({ id, name: `item ${id * 7}` }))));
const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (body: Buffer) => Buffer };
const CODINGS: Readonly<Record<string, Buffer>> = {
  gzip: zlib.gzipSync(BODY),
  'x-gzip': zlib.gzipSync(BODY),
  deflate: zlib.deflateSync(BODY),
  'deflate without header': zlib.deflateRawSync(BODY),
  br: zlib.brotliCompressSync(BODY),
  ...(zstdCompressSync ? { zstd: zstdCompressSync(BODY) } : {}),
};
const COPIES: Readonly<Record<string, AxiosStatic>> = {
  'the oldest axios': axiosOldest as unknown as AxiosStatic,
  'the latest axios': axios,
};
const CONFIGS: Readonly<Record<string, AxiosRequestConfig>> = {
  text: {},
  stream: { responseType: 'stream' },
  'text, maxRedirects: 0': { maxRedirects: 0 },
  'stream, maxRedirects: 0': { maxRedirects: 0, responseType: 'stream' },
  'text, a transport': { transport: http },
  'stream, a transport': { transport: http, responseType: 'stream' },
  'text, a limit': { maxContentLength: 1_000_000, timeout: 10_000 },
};

/** `/COUNT/CODING`: the bytes that are missing at the end. */
const handler: Handler = ({ url }, response) => {
  const [, missing = '', coding = ''] = decodeURIComponent(url).split('/');
  if (missing === 'redirect') return void response.writeHead(302, { location: url.slice('/redirect'.length) }).end();
  const whole = CODINGS[coding] ?? BODY;
  const body = whole.subarray(0, missing === 'half' ? whole.length >> 1 : whole.length - Number(missing));
  response.writeHead(200, { 'content-encoding': coding.split(' ')[0], 'content-length': body.length });
  response.end(body);
};

async function textOf({ data }: { data: unknown }): Promise<string> {
  if (typeof data === 'string') return data;
  const chunks = [];
  for await (const chunk of data as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** zstd reports a missing end by itself. */
async function settled(get: () => Promise<AxiosResponse>) {
  try {
    const response = await get();
    return { response, text: await textOf(response) };
  } catch (error) {
    return { text: String(error) };
  }
}

const rows = Object.keys(COPIES).flatMap((copy) => Object.keys(CONFIGS).map((config) => [copy, config] as const));

describe.each(rows)('%s, %s', (copy, config) => {
  const instance = COPIES[copy] as AxiosStatic;
  const options = { transformResponse: [], ...CONFIGS[config] } as AxiosRequestConfig;
  // The oldest axios returns a coding that it does not know as it came.
  const knows = (coding: string) => coding !== 'zstd' || copy !== 'the oldest axios';

  test.each(['half', '1'])(
    'a body without its end is passed on as without a cache, and not stored (%s)',
    async (cut) => {
      await using origin = await startOrigin(handler);
      const api = setupCache(instance.create(), { backend: 'memory' });
      for (const coding of Object.keys(CODINGS)) {
        const url = `${origin.url}/${cut}/${coding}`;
        const plain = await settled(() => instance.get(url, options));
        const first = await settled(() => api.get(url, options));
        const second = await settled(() => api.get(url, options));
        expect([first.text, second.text]).toEqual([plain.text, plain.text]);
        expect([coding, second.response?.fromCache ?? false]).toEqual([coding, !knows(coding)]);
        // The end of a stream is not known yet.
        if (plain.response && options.responseType !== 'stream' && knows(coding)) {
          expect(first.response?.cacheStatus).toContain('detail=incomplete-body');
        }
      }
      await api.detachCache();
    },
  );

  test.each(['0', 'redirect/0'])('a whole body is stored (%s)', async (path) => {
    // Neither follows redirects.
    if (path !== '0' && (options.maxRedirects === 0 || options.transport)) return;
    await using origin = await startOrigin(handler);
    const api = setupCache(instance.create(), { backend: 'memory' });
    for (const coding of Object.keys(CODINGS)) {
      const url = `${origin.url}/${path}/${coding}`;
      const first = await textOf(await api.get(url, options));
      if (knows(coding)) expect(first).toBe(BODY.toString());
      const second = await api.get(url, options);
      expect([coding, await textOf(second), second.fromCache]).toEqual([coding, first, true]);
    }
    await api.detachCache();
  });
});

describe.each([
  ['an empty body', Buffer.alloc(0), ''],
  ['several members', Buffer.concat([zlib.gzipSync('one '), zlib.gzipSync('two')]), 'one two'],
  ['padding after its end', Buffer.concat([zlib.gzipSync('one'), Buffer.alloc(3)]), 'one'],
])('a gzip body with %s', (_, body, text) => {
  test.each(['text', 'stream'] as const)('is stored (%s)', async (responseType) => {
    await using bench = await startBench({}, (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    expect(await textOf(await bench.api.get('/', { responseType }))).toBe(text);
    const second = await bench.api.get('/', { responseType });
    expect([await textOf(second), second.fromCache]).toEqual([text, true]);
  });
});

test.each([['two members', Buffer.concat([zlib.gzipSync('one '), zlib.gzipSync('two').subarray(0, -6)])]])(
  'a gzip body whose last of %s is cut is not stored',
  async (_, body) => {
    await using bench = await startBench({}, (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    expect((await bench.api.get('/')).cacheStatus).toContain('incomplete-body');
    expect(await bench.api.cache.responseCount()).toBe(0);
  },
);

test.each(['text', 'stream'] as const)(
  'with decompress: false the bytes are stored as they came (%s)',
  async (type) => {
    await using bench = await startBench({}, handler);
    const config = { decompress: false, responseType: type, transformResponse: [] };
    const first = await textOf(await bench.api.get('/half/gzip', config));
    const second = await bench.api.get('/half/gzip', config);
    expect([await textOf(second), second.fromCache]).toEqual([first, true]);
  },
);

test.each(['text', 'stream'] as const)(
  'the headers of a compressed body do not end it early (%s)',
  async (responseType) => {
    await using bench = await startBench({ allowableCodes: [204, 200] }, ({ url }, response) => {
      response.writeHead(url === '/204' ? 204 : 200, { 'content-encoding': 'gzip' }).end();
    });
    for (const url of ['/204', '/200']) {
      const response = await bench.api.get(url, { responseType });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await textOf(response)).toBe('');
    }
  },
);

test('a stream that exceeds maxBodySize keeps no more of its encoded bytes', async () => {
  await using bench = await startBench({ maxBodySize: 1000 }, handler);
  expect(await textOf(await bench.api.get('/0/gzip', { responseType: 'stream' }))).toBe(BODY.toString());
  expect(bench.events.map(({ reason }) => reason)).toContain('body-too-large');
});

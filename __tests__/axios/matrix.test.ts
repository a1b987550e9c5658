import * as path from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse, type ResponseType } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import type { Handler } from '../support/origin.js';

/**
 * Adapter x responseType x status x encoding x kind of body x option: a miss and a hit return the same as plain axios.
 */

const FORM = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';
const BODIES: Readonly<Record<string, readonly [type: string, body: Buffer]>> = {
  json: ['application/json', Buffer.from('{"a":[1,2,{"b":null}],"ü":"€"}')],
  'broken json': ['application/json', Buffer.from('{"a":')],
  text: ['text/plain; charset=utf-8', Buffer.from('\uFEFFgrüße')],
  bytes: ['application/octet-stream', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
  empty: ['text/plain', Buffer.alloc(0)],
  form: ['multipart/form-data; boundary=x', Buffer.from(FORM)],
};
const ENCODINGS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  identity: (body) => body,
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
const STATUSES = [200, 201, 204, 404, 500];
const TYPES: readonly (ResponseType | undefined)[] = [
  undefined,
  'json',
  'text',
  'arraybuffer',
  'blob',
  'document',
  'formdata',
  'stream',
];
const OPTIONS: Readonly<Record<string, AxiosRequestConfig>> = {
  plain: {},
  'decompress: false': { decompress: false },
  'responseEncoding: latin1': { responseEncoding: 'latin1' },
  'silent JSON parsing off': { transitional: { silentJSONParsing: false } },
};

const handler: Handler = ({ url }, response) => {
  const [, kind = '', status = '', encoding = ''] = decodeURIComponent(new URL(url, 'http://x').pathname).split('/');
  const [type, body] = BODIES[kind] ?? ['text/plain', Buffer.alloc(0)];
  const headers = encoding === 'identity' ? {} : { 'content-encoding': encoding };
  response.writeHead(Number(status), { 'content-type': type, ...headers });
  response.end(ENCODINGS[encoding]?.(body));
};

/**
 * Everything that a caller can see of a response or an error, without the fields of the connection (RFC 9111 section
 * 3.1).
 */
async function seen(api: AxiosInstance, url: string, config: AxiosRequestConfig): Promise<unknown> {
  try {
    return await visible(await api.get(url, config));
  } catch (error) {
    const { name, message, code, response } = error as Error & { code?: string; response?: AxiosResponse };
    return { name, message, code, response: response && (await visible(response)) };
  }
}

async function visible({ data, status, statusText, headers }: AxiosResponse): Promise<unknown> {
  const { date, connection, 'keep-alive': keepAlive, 'transfer-encoding': framing, ...rest } = { ...headers };
  return {
    type: Object.prototype.toString.call(data),
    value: await contentOf(data),
    status,
    statusText,
    headers: rest,
  };
}

async function contentOf(data: unknown): Promise<unknown> {
  if (data instanceof Blob) return [data.type, Buffer.from(await data.arrayBuffer())];
  if (data instanceof FormData) return [...data];
  if (data instanceof ReadableStream) return Buffer.from(await new Response(data).arrayBuffer());
  if (typeof (data as { pipe?: unknown } | null)?.pipe !== 'function') return data;
  const chunks: Buffer[] = [];
  for await (const chunk of data as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Memory returns the stored bytes, SQLite a view of its row, and encryption the decrypted bytes. */
const STORES: Readonly<Record<string, CacheOptions>> = {
  memory: { backend: 'memory' },
  SQLite: { backend: 'sqlite' },
  'encrypted memory': { backend: 'memory', encryptionKey: 'k'.repeat(32) },
};

const runs = Object.entries(STORES).flatMap(([store, options]) =>
  (['http', 'fetch'] as const).map((adapter) => ({ store, options, adapter })),
);

describe.each(runs)('$store, $adapter', ({ store, options: storeOptions, adapter }) => {
  let bench: Bench;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'matrix');
    bench = await startBench({ ...storeOptions, cacheName, allowableCodes: STATUSES }, handler);
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  // The result of the axios layer does not depend on the store of the bytes: everything is tested with memory.
  const [first, ...others] = Object.entries(OPTIONS);
  const options = [first, ...(store === 'memory' ? others : [])].filter((one) => one !== undefined);
  const statusesFor = (option: string) => (store === 'memory' && option === 'plain' ? STATUSES : [200]);

  describe.each(options)('%s', (option, optionConfig) => {
    test.each(TYPES)('%s', async (responseType) => {
      const plain = axios.create({ baseURL: bench.origin.url });
      const config: AxiosRequestConfig = { adapter, ...optionConfig, ...(responseType ? { responseType } : {}) };
      for (const kind of Object.keys(BODIES)) {
        for (const encoding of Object.keys(ENCODINGS)) {
          for (const status of statusesFor(option)) {
            // One entry for each combination, so that the first request is a miss.
            const url = `/${encodeURIComponent(kind)}/${status}/${encoding}?${option}${responseType}`;
            const combination = { kind, encoding, status };
            const expected = { ...combination, seen: await seen(plain, url, config) };
            for (const _ of ['miss', 'hit'])
              expect({ ...combination, seen: await seen(bench.api, url, config) }).toEqual(expected);
          }
        }
      }
    });
  });

  test('the second of each was a hit', () => {
    const { hit, miss } = bench.api.cache.stats();
    expect(hit).toBeGreaterThan(0);
    expect(hit).toBe(miss);
  });

  test('a part of the body', async () => {
    const url = '/bytes/200/identity?part';
    const config = { adapter, responseType: 'arraybuffer', cacheControl: true, expireAfter: 60 } as const;
    await bench.api.get(url, config);
    const { status, data } = await bench.api.get(url, { ...config, headers: { range: 'bytes=10-13' } });
    expect([status, [...new Uint8Array(data)]]).toEqual([206, [10, 11, 12, 13]]);
  });
});

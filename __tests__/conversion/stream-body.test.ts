import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import { gzipStage, type Stage } from '../../lib/serializers/stages.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';

const STREAM = { responseType: 'stream' } as const;
const BYTES = { responseType: 'arraybuffer' } as const;
const [NODE, WEB] = ['a stream of Node.js', '[object ReadableStream]'];

function kindOf(stream: unknown): string {
  return stream instanceof Readable ? NODE : Object.prototype.toString.call(stream);
}

describe('a stream', () => {
  test.each(['http', 'fetch'] as const)(
    'arrives as it comes, and is stored when it has ended whole (%s)',
    async (adapter) => {
      let release: () => void = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await using bench = await startBench({}, async (_, response) => {
        response.write('one,');
        await released;
        response.end('two');
      });
      const first = await bench.api.get('/', { ...STREAM, adapter });
      expect([first.fromCache, first.cacheStatus]).toEqual([false, 'axios-keyv-cache; fwd=uri-miss; fwd-status=200']);
      const chunks: string[] = [];
      for await (const chunk of first.data as AsyncIterable<Uint8Array>) {
        chunks.push(Buffer.from(chunk).toString());
        release();
      }
      expect(chunks.join('')).toBe('one,two');
      const second = await bench.api.get('/', { ...STREAM, adapter });
      expect([second.fromCache, String(await buffer(second.data))]).toEqual([true, 'one,two']);
      expect([first.data, second.data].map(kindOf)).toEqual(adapter === 'http' ? [NODE, NODE] : [WEB, WEB]);
      expect((await bench.api.get('/')).data).toBe('one,two');
      expect(bench.origin.asked).toHaveLength(1);
    },
  );

  test.each(['sqlite', 'filesystem'] as const)(
    'of 50 MB is stored in %s and replayed byte for byte',
    async (backend) => {
      await using folder = await temporaryFolder();
      const body = randomBytes(50_000_000);
      await using bench = await startBench(
        { backend, cacheName: path.join(folder.path, 'cache'), backendOptions: { backendTimeout: 20 } },
        (_, response) => response.end(body) as never,
      );
      const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
      const first = await buffer((await bench.api.get('/', STREAM)).data);
      const again = await bench.api.get('/', STREAM);
      expect(again.fromCache).toBe(true);
      expect([digest(first), digest(await buffer(again.data))]).toEqual([digest(body), digest(body)]);
    },
  );

  test('is decompressed as by plain axios', async () => {
    await using bench = await startBench({}, (_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync('zipped'));
    });
    const plain = await axios.get(bench.origin.url, STREAM);
    expect(String(await buffer(plain.data))).toBe('zipped');
    for (const fromCache of [false, true]) {
      const response = await bench.api.get('/', STREAM);
      expect([response.fromCache, String(await buffer(response.data))]).toEqual([fromCache, 'zipped']);
    }
  });

  test('beyond maxBodySize passes through uncached', async () => {
    await using bench = await startBench(
      { maxBodySize: 10 },
      (_, response) => response.end('more than ten bytes') as never,
    );
    expect(String(await buffer((await bench.api.get('/', STREAM)).data))).toBe('more than ten bytes');
    expect([await bench.api.cache.responseCount(), bench.api.cache.stats().skipped]).toEqual([0, 1]);
  });

  test.each<[string, CacheOptions, number, Record<string, string>, boolean]>([
    ['a status that is not cached', {}, 404, {}, false],
    ['no-store', { cacheControl: true }, 200, { 'cache-control': 'no-store' }, false],
    ['readOnly', { readOnly: true }, 200, {}, false],
    ['a Content-Length above the limit', { maxBodySize: 10 }, 200, { 'content-length': '19' }, false],
    ['a Content-Length at the limit', { maxBodySize: 19 }, 200, { 'content-length': '19' }, true],
    [
      'a Content-Length above maxSize',
      { maxBodySize: 99, backendOptions: { maxSize: 18 } },
      200,
      { 'content-length': '19' },
      false,
    ],
    ['a lifetime of 0 for its URL', { urlsExpireAfter: { '*': 0, other: 60 } }, 200, {}, false],
    ['a lifetime of 0 for another URL', { urlsExpireAfter: { other: 0 } }, 200, {}, true],
    ['a lifetime for another URL alone', { cacheControl: true, urlsExpireAfter: { other: 60 } }, 200, {}, false],
  ])('is copied only if its headers allow storage: %s', async (_, options, status, headers, isCopied) => {
    await using bench = await startBench(options, (__, response) => {
      response.writeHead(status, headers).end('more than ten bytes');
    });
    const { data } = await bench.api.get('/', { ...STREAM, validateStatus: null });
    // The stream of the http adapter itself, with nothing in between that could keep its bytes.
    expect(data instanceof IncomingMessage).toBe(!isCopied);
    expect(String(await buffer(data))).toBe('more than ten bytes');
    expect(await bench.api.cache.responseCount()).toBe(isCopied ? 1 : 0);
  });

  test.each<[string, readonly ('json' | Stage)[], number]>([
    ['is refused', ['json'], 0],
    ['is stored if its compressed form is not', ['json', gzipStage], 1],
  ])('larger than the store accepts %s', async (_, stages, count) => {
    await using folder = await temporaryFolder();
    const sqlite = {
      backend: 'sqlite',
      cacheName: path.join(folder.path, 'c'),
      backendOptions: { maxSize: 10_000 },
    } as const;
    const serializer = new SerializerPipeline(stages);
    await using bench = await startBench({ ...sqlite, serializer }, (__, response) => {
      response.end('x'.repeat(20_000));
    });
    expect((await buffer((await bench.api.get('/', STREAM)).data)).byteLength).toBe(20_000);
    expect(await bench.api.cache.responseCount()).toBe(count);
    const reasons = bench.events.filter(({ type }) => type === 'skipped').map(({ reason }) => reason);
    expect(reasons).toEqual(count === 0 ? ['too-large-for-store'] : []);
  });

  test.each(['/final', '/asked'])('of a redirect is not copied if %s has a lifetime of 0', async (zero) => {
    await using bench = await startBench({}, ({ url }, response) => {
      if (url === '/asked') response.writeHead(302, { location: '/final' });
      response.end('final');
    });
    bench.api.cacheSettings.urlsExpireAfter = { [`127.0.0.1${zero}`]: 0 };
    const { data } = await bench.api.get('/asked', STREAM);
    expect(data).toBeInstanceOf(IncomingMessage);
    expect(String(await buffer(data))).toBe('final');
  });

  test('of a closed cache is not copied', async () => {
    await using bench = await startBench();
    await bench.api.cache.close();
    expect((await bench.api.get('/', STREAM)).data).toBeInstanceOf(IncomingMessage);
  });

  test.each([
    ['a 204', 'get', 204],
    ['a 205', 'get', 205],
    ['a HEAD', 'head', 200],
  ])(
    '%s without a body is the same data as by plain axios, whichever response type was stored',
    async (_, method, status) => {
      const types = ['stream', 'text', 'json', 'arraybuffer', 'blob'] as const;
      for (const adapter of ['fetch', 'http'] as const) {
        for (const first of adapter === 'fetch' ? types : (['stream', 'text', 'arraybuffer'] as const)) {
          await using bench = await startBench({ allowableCodes: [200, 204, 205] }, (__, response) => {
            response.writeHead(status).end();
          });
          const url = `${bench.origin.url}/`;
          await bench.api.request({ url, method, adapter, responseType: first });
          for (const responseType of types.filter((type) => adapter === 'fetch' || type !== 'blob')) {
            const plain = await axios.request({ url, method, adapter, responseType });
            const { data, fromCache } = await bench.api.request({ url, method, adapter, responseType });
            const kind = (value: unknown) => Object.prototype.toString.call(value);
            expect([adapter, first, responseType, kind(data), fromCache]).toEqual([
              adapter,
              first,
              responseType,
              kind(plain.data),
              true,
            ]);
          }
        }
      }
    },
  );

  test('that is cut off is an error, and is not stored', async () => {
    await using bench = await startBench({}, (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('short');
      setTimeout(() => response.destroy(), 10);
    });
    const { data } = await bench.api.get('/', STREAM);
    await expect(buffer(data)).rejects.toThrow();
    expect(await bench.api.cache.responseCount()).toBe(0);
  });

  test('whose reader leaves ends at the origin, and is not stored', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using bench = await startBench({}, (_, response) => {
      closed = once(response, 'close');
      response.write('x'.repeat(100_000));
    });
    const { data } = await bench.api.get('/', STREAM);
    data.destroy();
    await closed;
    expect(await bench.api.cache.responseCount()).toBe(0);
  });

  test('that is aborted ends with the abort', async () => {
    await using bench = await startBench({}, (_, response) => void response.write('x'));
    const controller = new AbortController();
    const { data } = await bench.api.get('/', { ...STREAM, signal: controller.signal });
    const reading = buffer(data);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    expect(await bench.api.cache.responseCount()).toBe(0);
  });

  test('hands out bytes that may be written to', async () => {
    await using bench = await startBench({}, (_, response) => response.end('untouched') as never);
    for (let time = 0; time < 2; time += 1) (await buffer((await bench.api.get('/', STREAM)).data)).fill(0);
    expect(String((await bench.api.get('/', BYTES)).data)).toBe('untouched');
  });

  test('is revalidated, and answered by old data, like anything else', async () => {
    await using bench = await startBench({ expireAfter: 10, oldDataOnError: true }, ({ headers }, response, count) => {
      response.setHeader('etag', '"a"');
      if (count === 3) response.statusCode = 500;
      else if (headers['if-none-match']) response.statusCode = 304;
      response.end(count === 1 ? 'one' : '');
    });
    await buffer((await bench.api.get('/', STREAM)).data);
    bench.clock.advance(11);
    const confirmed = await bench.api.get('/', STREAM);
    expect([confirmed.revalidated, String(await buffer(confirmed.data))]).toEqual([true, 'one']);
    bench.clock.advance(11);
    const old = await bench.api.get('/', STREAM);
    expect([old.isExpired, String(await buffer(old.data))]).toEqual([true, 'one']);
  });

  test('whose revalidation is answered for another representation is fetched whole', async () => {
    await using bench = await startBench({ expireAfter: 10 }, ({ headers }, response, count) => {
      response.setHeader('etag', headers['if-none-match'] ? '"other"' : `"${count}"`);
      if (headers['if-none-match']) response.statusCode = 304;
      response.end(headers['if-none-match'] ? '' : String(count));
    });
    await buffer((await bench.api.get('/', STREAM)).data);
    bench.clock.advance(11);
    const { status, data } = await bench.api.get('/', STREAM);
    expect([status, String(await buffer(data)), bench.origin.asked.length]).toEqual([200, '3', 3]);
  });

  test('runs filterFn and expireAfter functions at its end', async () => {
    await using bench = await startBench(
      { filterFn: ({ data }) => data === 'wanted', expireAfter: ({ size }) => size },
      ({ url }, response) => response.end(url.slice(1)) as never,
    );
    for (const url of ['/wanted', '/unwanted']) await buffer((await bench.api.get(url, STREAM)).data);
    expect(await bench.api.cache.responseCount()).toBe(1);
    const { expires, createdAt } = await bench.api.get('/wanted');
    expect(Number(expires) - Number(createdAt)).toBe(6_000);
  });

  test('without a body', async () => {
    await using bench = await startBench({ allowableCodes: [204] }, (_, response) => {
      response.statusCode = 204;
      response.end();
    });
    for (const fromCache of [false, true]) {
      const response = await bench.api.get('/', STREAM);
      expect([response.status, response.fromCache, (await buffer(response.data)).length]).toEqual([204, fromCache, 0]);
    }
  });
});

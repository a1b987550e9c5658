import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { startBench } from '../support/api.js';

test.each(['a pending read', 'no pending read'])(
  'a web stream that is canceled with %s is not stored',
  async (state) => {
    let finish = () => {};
    await using bench = await startBench({}, async (_, response) => {
      response.write('one');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      response.end('two');
    });
    const { data } = await bench.api.get<ReadableStream<Uint8Array>>('/', { adapter: 'fetch', responseType: 'stream' });
    const reader = data.getReader();
    await reader.read();
    const pending = state === 'a pending read' ? reader.read() : undefined;
    await reader.cancel();
    await pending;
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await bench.api.cache.responseCount()).toBe(0);
    expect(bench.events.map(({ reason }) => reason)).toContain('aborted');
  },
);

test.each(['stream', 'arraybuffer', 'text'] as const)(
  'an HTTP/2 body that the end of its session truncates is not stored (%s)',
  async (responseType) => {
    let isBroken = true;
    const sessions = new Set<ServerHttp2Session>();
    const server = createServer();
    server.on('session', (session) => sessions.add(session));
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      if (!isBroken) return void stream.end('whole');
      stream.write('one', () => stream.session?.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await using bench = await startBench({}, undefined);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const get = async () => {
        const config = { httpVersion: 2, responseType } as AxiosRequestConfig;
        const response = await bench.api.get(url, config);
        const chunks = [];
        if (responseType === 'stream') for await (const chunk of response.data) chunks.push(chunk);
        return chunks.length > 0 ? { ...response, data: Buffer.concat(chunks) } : response;
      };
      // With or without an error, as axios does without a cache.
      await get().catch(() => undefined);
      expect(await bench.api.cache.responseCount()).toBe(0);
      isBroken = false;
      const { data, fromCache } = await get();
      expect([String(data), fromCache]).toEqual(['whole', false]);
      expect(await bench.api.cache.responseCount()).toBe(1);
    } finally {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  },
);

test.each(['forceRefresh', 'refresh', 'alwaysRevalidate'])(
  'without coalescing, an older answer does not replace that of %s',
  async (demand) => {
    let answer = () => {};
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await using bench = await startBench({ coalesce: false }, async (_, response, count) => {
      if (count === 1) {
        await new Promise<void>((resolve) => {
          answer = resolve;
          arrive();
        });
      }
      response.end(`answer ${count}`);
    });
    const first = bench.api.get('/');
    await arrived;
    await bench.api.get('/', { [demand]: true });
    answer();
    await first;
    expect((await bench.api.get('/')).data).toBe('answer 2');
  },
);

test('the response to an older POST does not replace that of a later GET', async () => {
  let answer = () => {};
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await using bench = await startBench({ cacheControl: true }, async ({ method, url }, response) => {
    if (method === 'POST') {
      await new Promise<void>((resolve) => {
        answer = resolve;
        arrive();
      });
    }
    response.writeHead(200, { 'cache-control': 'max-age=60', 'content-location': url }).end(method);
  });
  const post = bench.api.post('/', 'x', { headers: { 'content-type': 'text/plain' } });
  await arrived;
  await bench.api.get('/');
  answer();
  expect((await post).cacheStatus).toContain('detail=superseded');
  expect((await bench.api.get('/')).data).toBe('GET');
});

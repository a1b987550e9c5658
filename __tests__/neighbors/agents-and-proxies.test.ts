import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';

test('keep-alive agents serve the origin requests, and are no part of the key', async () => {
  await using bench = await startBench();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  agent.on('free', (socket) => ports.add(socket.localPort));
  for (const url of ['/a', '/b', '/c']) await bench.api.get(url, { httpAgent: agent });
  expect((await bench.api.get('/a')).fromCache).toBe(true);
  expect((await bench.api.get('/a', { httpAgent: new Agent() })).fromCache).toBe(true);
  expect(ports.size).toBe(1);
  agent.destroy();
});

/** A proxy that forwards requests and records them. */
async function startProxy() {
  const passed: string[] = [];
  const server = createServer((incoming, outgoing) => {
    passed.push(incoming.url ?? '');
    request(incoming.url ?? '', { method: incoming.method, headers: incoming.headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, via: '1.1 test' });
      response.pipe(outgoing);
    }).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    passed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('responses through a proxy and others are stored apart', async () => {
  await using bench = await startBench();
  await using proxy = await startProxy();
  const through = { proxy: { host: '127.0.0.1', port: proxy.port, protocol: 'http' } };
  const seen = [];
  for (const config of [through, through, {}, {}]) {
    const { fromCache, headers } = await bench.api.get('/a', config);
    seen.push([fromCache, headers.via]);
  }
  expect(seen).toEqual([
    [false, '1.1 test'],
    [true, '1.1 test'],
    [false, undefined],
    [true, undefined],
  ]);
  expect(proxy.passed).toEqual([`${bench.origin.url}/a`]);
});

test("a proxy's password is neither stored nor reported", async () => {
  await using bench = await startBench();
  await using proxy = await startProxy();
  const auth = { username: 'user', password: 'proxy-secret' };
  await bench.api.get('/a', { proxy: { host: '127.0.0.1', port: proxy.port, protocol: 'http', auth } });
  for await (const response of bench.api.cache.values()) {
    expect(JSON.stringify([response.request, response.headers, response.url])).not.toContain('proxy-secret');
  }
  expect(JSON.stringify(bench.events)).not.toContain('proxy-secret');
});

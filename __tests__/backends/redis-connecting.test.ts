import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';

/** A server that accepts connections and never answers, as behind a firewall or while it loads its data. */
async function startSilent() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a first request waits for the connection no longer than any other request waits for the store', async () => {
  await using silent = await startSilent();
  await using bench = await startBench({
    backend: 'redis',
    cacheName: 'connecting',
    backendOptions: { url: silent.url, backendTimeout: 0.1 },
  });
  const { fromCache, cacheStatus } = await bench.api.get('/');
  expect([fromCache, cacheStatus]).toEqual([false, expect.stringContaining('detail=store-timeout')]);
  expect(silent.sockets.size).toBeGreaterThan(0);
  // The connection still has the rest of its five seconds: an outage would be an error event.
  expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
});

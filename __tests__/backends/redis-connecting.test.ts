import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { until } from '../support/faults.js';

/** A server that accepts connections and never answers, as behind a firewall or while it loads its data. */
async function startSilent() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {}).resume()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    sockets,
    open: () => [...sockets].filter(({ destroyed }) => !destroyed).length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Place = Pick<Awaited<ReturnType<typeof startSilent>>, 'url' | 'port'>;

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

test.each([
  ['a server', ({ url }: Place) => ({ url })],
  ['a cluster', ({ url }: Place) => ({ clusterOptions: { rootNodes: [{ url }] } })],
  [
    'a sentinel',
    ({ port }: Place) => ({ sentinelOptions: { name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port }] } }),
  ],
])('close() does not wait for %s that never answers, and leaves no socket', async (_, options) => {
  await using silent = await startSilent();
  await using bench = await startBench({
    backend: 'redis',
    cacheName: 'connecting',
    backendOptions: { ...options(silent), backendTimeout: 0.1 } as object,
  });
  expect((await bench.api.get('/')).fromCache).toBe(false);
  await until('it connects', () => silent.open() > 0);
  const began = performance.now();
  await bench.api.cache.close();
  expect(performance.now() - began).toBeLessThan(1_000);
  await until('no socket is left', () => silent.open() === 0);
});

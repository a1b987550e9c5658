import { createServer } from 'node:http';

/**
 * Starts an origin on the loopback interface that answers every request with the same body, cacheable for an hour.
 *
 * @param {string | Buffer} body
 */
export async function startOrigin(body) {
  const counts = { requests: 0 };
  const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'max-age=3600' };
  const server = createServer((_, response) => {
    counts.requests += 1;
    response.writeHead(200, headers).end(body);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

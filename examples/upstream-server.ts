// A server, such as one of Express or Fastify, that caches its requests to another service.
import { createServer } from 'node:http';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const upstream = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  expireAfter: '1m',
  staleWhileRevalidate: '10m',
  oldDataOnError: '1d',
});

// In Express: app.get('/users/:id', async (request, response) => { ... })
const server = createServer(async (request, response) => {
  try {
    const { data, cacheStatus } = await upstream.get(request.url ?? '/');
    response.writeHead(200, { 'content-type': 'application/json', 'cache-status': cacheStatus });
    response.end(JSON.stringify(data));
  } catch {
    response.writeHead(502).end();
  }
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as { port: number };

for (const _ of [1, 2]) {
  const { headers } = await axios.get(`http://127.0.0.1:${port}/users/1`, { proxy: false });
  console.log(headers['cache-status']);
}
server.closeAllConnections();
server.close();
await upstream.detachCache();

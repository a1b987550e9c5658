import { createServer } from 'node:http';
import { bodyOf, ENTRIES, lifetimeOf, numbersOf } from './contents.mjs';

/**
 * An origin of numbered, versioned bodies. A POST to a number gives it a new version, one to a tag all that have it; both
 * return the new versions by number.
 */
export async function startOrigin() {
  const versions = new Int32Array(ENTRIES).fill(1);
  /** @param {readonly number[]} numbers */
  const change = (numbers) => numbers.map((number) => [number, ++versions[number]]);
  /** @param {import('node:http').IncomingMessage} request */
  const contentOf = ({ method, url = '', headers }) => {
    const number = Number(url.slice(url.lastIndexOf('/') + 1));
    if (method === 'POST') return { body: change(url.startsWith('/tag/') ? numbersOf(number) : [number]), lifetime: 0 };
    const writer = Number(headers['user-agent']);
    return {
      body: bodyOf({ number, version: versions[number], writer, at: Date.now() }),
      lifetime: lifetimeOf(number),
    };
  };
  const server = createServer((request, response) => {
    const { body, lifetime } = contentOf(request);
    const headers = { 'content-type': 'application/json', 'cache-control': `max-age=${lifetime}` };
    const send = () => response.writeHead(200, headers).end(JSON.stringify(body));
    // Others change the content meanwhile.
    if (Math.random() < 0.2) setTimeout(send, 10 * Math.random());
    else send();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

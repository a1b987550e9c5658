import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * A server before another: it calls `before` with each request's headers and body, and then passes it on. If `before`
 * throws, no further request passes.
 */
export async function startHookedProxy(
  target: string,
  before: (headers: IncomingMessage['headers'], body: string) => Promise<void>,
): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  let ended = false;
  const server = createServer(async (incoming, response) => {
    try {
      if (ended) throw new Error('ended');
      const body = await buffer(incoming);
      await before(incoming.headers, body.toString());
      const { method = 'GET', headers, url = '/' } = incoming;
      const passed = request(new URL(url, target), { method, headers }).end(body);
      const [answer] = (await once(passed, 'response')) as [IncomingMessage];
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    } catch {
      ended = true;
      incoming.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

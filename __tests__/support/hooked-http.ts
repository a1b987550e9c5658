import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * A server before another: it calls `before` with each request's headers and body, and then passes it on. If `before`
 * throws, no further request passes.
 *
 * @param answer returns the answer to a request that is not passed on
 */
export async function startHookedProxy(
  target: string,
  before: (headers: IncomingMessage['headers'], body: string) => Promise<void>,
  answer: (headers: IncomingMessage['headers'], body: string) => Answer | undefined = () => undefined,
): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  let ended = false;
  const server = createServer(async (incoming, response) => {
    try {
      if (ended) throw new Error('ended');
      const body = await buffer(incoming);
      await before(incoming.headers, body.toString());
      const own = answer(incoming.headers, body.toString());
      if (own) {
        response.writeHead(own.status, { 'content-type': 'application/x-amz-json-1.0' }).end(own.body);
        return;
      }
      const { method = 'GET', headers, url = '/' } = incoming;
      const passed = request(new URL(url, target), { method, headers }).end(body);
      const [passedOn] = (await once(passed, 'response')) as [IncomingMessage];
      response.writeHead(passedOn.statusCode ?? 500, passedOn.headers);
      passedOn.pipe(response);
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

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request that an origin received. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Handler = (request: Asked, response: ServerResponse, count: number) => void | Promise<void>;

/** A real HTTP server on a free port of this machine, for one test. */
export interface TestOrigin extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Ends the server and all its connections. */
  stop(): Promise<void>;
}

/** Starts an origin; without a handler it answers JSON with the number of its requests. */
export async function startOrigin(handler: Handler = counting): Promise<TestOrigin> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const one: Asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
    asked.push(one);
    // Tests move their own clock: a Date by the machine's would be of another time.
    response.sendDate = false;
    await handler(one, response, asked.length);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export function counting({ url }: Asked, response: ServerResponse, count: number): void {
  sendJson(response, { url, count });
}

export function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A proxy between a cache and its server that counts the connections and can be slow. */
export interface TestProxy extends AsyncDisposable {
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  readonly connections: () => number;
  /** Milliseconds that each chunk is held up, in both directions. */
  delay: number;
  /** Takes connections, as a server does that runs. */
  listen(): Promise<void>;
  /** Refuses connections and breaks those that are there, as of a server that is gone. */
  refuse(): Promise<void>;
}

export async function startProxy(serverUrl: string): Promise<TestProxy> {
  const url = new URL(serverUrl);
  const serverPort = Number(url.port);
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    const upstream = connect(serverPort, '127.0.0.1');
    void relay(client, upstream);
    void relay(upstream, client);
  });
  /** One after the other: chunks that are held up stay in their order. */
  async function relay(from: Socket, to: Socket): Promise<void> {
    to.on('error', () => {});
    try {
      for await (const chunk of from) {
        if (proxy.delay > 0) await pause(proxy.delay);
        to.write(chunk as Buffer);
      }
      to.end();
    } catch {
      to.destroy();
    }
  }
  async function listen(port = 0): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  async function refuse(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const client of clients) client.destroy();
    await closed;
  }
  await listen();
  const { port } = server.address() as AddressInfo;
  url.port = String(port);
  const proxy: TestProxy = {
    url: url.href,
    connections: () => clients.size,
    delay: 0,
    listen: () => listen(port),
    refuse,
    [Symbol.asyncDispose]: refuse,
  };
  return proxy;
}

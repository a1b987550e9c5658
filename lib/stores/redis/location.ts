import { canParseUrl } from '../../policy/parse-url.js';
import type { RedisConnectionOptions } from './client.js';

interface Socket {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly tls?: boolean;
}

interface ClientOptions {
  readonly url?: string;
  readonly socket?: Socket;
  readonly database?: number;
}

/** Returns where Redis is, as a URL without credentials; `undefined` for a client that does not show its options. */
export function redisLocation(options: RedisConnectionOptions): string | undefined {
  const cluster = options.clusterOptions as { readonly rootNodes?: readonly ClientOptions[] } | undefined;
  const sentinel = options.sentinelOptions as
    | { readonly name?: string; readonly sentinelRootNodes?: readonly Socket[] }
    | undefined;
  if (cluster) return clientLocation(cluster.rootNodes?.[0] ?? {});
  if (sentinel) {
    const { host = 'localhost', port = 26_379 } = sentinel.sentinelRootNodes?.[0] ?? {};
    return `redis+sentinel://${host}:${port}/${sentinel.name}`;
  }
  const own = options.client as { readonly options?: ClientOptions } | undefined;
  if (own) return own.options && clientLocation(own.options);
  return clientLocation({
    ...(options.clientOptions as ClientOptions | undefined),
    ...(options.url && { url: options.url }),
  });
}

function clientLocation({ url, socket = {}, database }: ClientOptions): string {
  if (url !== undefined) return withoutCredentials(url);
  const { host = 'localhost', port = 6379, path, tls = false } = socket;
  if (path !== undefined) return `unix:${path}`;
  return `${tls ? 'rediss' : 'redis'}://${host}:${port}${database ? `/${database}` : ''}`;
}

function withoutCredentials(url: string): string {
  if (!canParseUrl(url)) return url.replace(/\/\/.*@/, '//').replace(/\?.*/, '');
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

import { once } from 'node:events';
import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { sendNow } from './immediate.js';

/** Clients, clusters and sentinels of node-redis: how they are created, and one interface to all of them. */

export interface RedisConnectionOptions {
  /**
   * URL of the server, `redis://` or `rediss://`. Default: `redis://localhost:6379`.
   *
   * @example
   * new RedisCache({ url: 'rediss://redis.example.org:6380' });
   */
  readonly url?: string | undefined;
  /**
   * A node-redis client, cluster or sentinel of your own, which the cache never closes. Default: a client of the cache.
   *
   * @example
   * const client = {}; // createClient() of node-redis
   * new RedisCache({ client });
   */
  readonly client?: object | undefined;
  /**
   * Options of node-redis's `createClient`, in its units: `socket`, `username`, `database` ... Default: `{}`.
   *
   * @example
   * new RedisCache({ clientOptions: { socket: { path: '/run/redis.sock' }, database: 2 } });
   */
  readonly clientOptions?: object | undefined;
  /**
   * Options of node-redis's `createCluster` for a Redis Cluster: `rootNodes`, `defaults` ... Default: no cluster.
   *
   * @example
   * new RedisCache({ clusterOptions: { rootNodes: [{ url: 'redis://10.0.0.1:6379' }, { url: 'redis://10.0.0.2:6379' }] } });
   */
  readonly clusterOptions?: object | undefined;
  /**
   * Options of node-redis's `createSentinel` for Redis Sentinel: `name`, `sentinelRootNodes`, `nodeClientOptions` ...
   * Default: no sentinel.
   *
   * @example
   * new RedisCache({ sentinelOptions: { name: 'main', sentinelRootNodes: [{ host: '10.0.0.1', port: 26379 }] } });
   */
  readonly sentinelOptions?: object | undefined;
}

/** A command with its arguments. */
export type Words = readonly (string | Buffer)[];

/** Commands over a client of any kind. Each command has the key whose server receives it. */
export interface Redis {
  /** Sends a command to the master; strings in the reply are text. */
  send(key: string, words: Words): Promise<unknown>;
  /** Sends a command to the master; strings in the reply are bytes. */
  sendForBytes(key: string, words: Words): Promise<unknown>;
  /** As {@link sendForBytes}, also to a replica if the user's client reads from replicas. */
  read(key: string, words: Words): Promise<unknown>;
  /** Sends a command without keys (SCAN) to the one server that has the key. */
  sendToServerOf(key: string, words: Words): Promise<unknown>;
  /** Returns the address of the server that has the key; empty if there is only one. */
  serverOf(key: string): string;
}

/** A client of any kind that may not be connected yet. */
export interface Reachable extends Redis {
  /** Describes which masters have which slots of a cluster. */
  topology?(): string;
  isReady(): boolean;
  /** Resolves when commands can be sent; rejects if the connection fails before. */
  ready(): Promise<unknown>;
}

export type AnyClient = RedisClientType | RedisClusterType | RedisSentinelType;
/** Options of node-redis; only those that this module sets matter here. */
type Given = { readonly [name: string]: unknown };

export interface KeyvRedisModule {
  readonly default: new (
    client: object,
    options: object,
  ) => { readonly client: AnyClient; isCluster(): boolean; isSentinel(): boolean };
  createClient(options: object): RedisClientType;
  createCluster(options: object): RedisClusterType;
  createSentinel(options: object): RedisSentinelType;
}

/** node-redis's RESP_TYPES.BLOB_STRING: the character that begins such a reply. */
const BLOB_STRING = 36;
export const AS_BYTES = { typeMapping: { [BLOB_STRING]: Buffer } };
/** A user's client may have a type mapping of its own. */
export const AS_TEXT = { typeMapping: {} };
/**
 * Milliseconds: makes node-redis fail fast. `socketTimeout` is not set, since node-redis counts the time of an idle
 * connection as well. The length of the queue is a bound for a server that hangs without `backendTimeout`.
 */
const FAIL_FAST = { connectTimeout: 500, reconnectStrategy: false };
const QUEUE_LENGTH = 100_000;
/** Milliseconds for a node that a cluster asks for its masters: a node that hangs accepts connections, but never answers. */
const ROOT_NODE_TIMEOUT = 2_000;

/**
 * Creates a client, a cluster or a sentinel for these options.
 *
 * @param signal destroys all of its sockets. A client of node-redis that is destroyed while it connects keeps its socket.
 */
export function createRedis(module: KeyvRedisModule, options: RedisConnectionOptions, signal: AbortSignal): AnyClient {
  const { url, clientOptions, clusterOptions, sentinelOptions } = options as { [name: string]: Given | undefined };
  if (clusterOptions) {
    const { defaults, rootNodes } = clusterOptions;
    return module.createCluster({
      // Connects only to masters with keys of this cache.
      minimizeConnections: true,
      ...clusterOptions,
      rootNodes: (rootNodes as readonly Given[]).map(withSocketTimeout),
      defaults: failingFast(defaults, signal),
    });
  }
  if (sentinelOptions) {
    const { nodeClientOptions, sentinelClientOptions } = sentinelOptions;
    return module.createSentinel({
      // With rediscovery it waits for a master that is gone, and prints to the console, instead of finding the new one.
      maxCommandRediscovers: 0,
      passthroughClientErrorEvents: true,
      ...sentinelOptions,
      nodeClientOptions: failingFast(nodeClientOptions, signal),
      sentinelClientOptions: failingFast(sentinelClientOptions, signal),
    });
  }
  return module.createClient({ ...(url === undefined ? {} : { url }), ...failingFast(clientOptions, signal) });
}

/** Options of a node-redis client, with ours for those that the user did not set. */
function failingFast(options: unknown, signal: AbortSignal): object {
  const { socket, ...rest } = (options ?? {}) as Given;
  return {
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_LENGTH,
    ...rest,
    socket: { ...FAIL_FAST, signal, ...(socket as object | undefined) },
  };
}

/** These options serve for one question to a root node. */
function withSocketTimeout({ socket, ...rest }: Given): object {
  return { ...rest, socket: { socketTimeout: ROOT_NODE_TIMEOUT, ...(socket as object | undefined) } };
}

/** Commands over a client of one server. */
export function overClient(client: RedisClientType): Reachable {
  const sendForBytes = (_key: string, words: Words) => sendNow(() => client.sendCommand(words, AS_BYTES));
  const send = (_key: string, words: Words) => sendNow(() => client.sendCommand(words, AS_TEXT));
  const isReady = () => client.isReady;
  return {
    send,
    sendForBytes,
    read: sendForBytes,
    sendToServerOf: send,
    serverOf: () => '',
    isReady,
    ready: waiting(client, 'ready', isReady),
  };
}

/** Commands over the master that a sentinel names. */
export function overSentinel(sentinel: RedisSentinelType): Reachable {
  // Not withTypeMapping: in node-redis 5 it changes the sentinel for all its users.
  const send =
    (isReadonly: boolean, options: object) =>
    (_key: string, words: Words): Promise<unknown> =>
      sentinel.sendCommand(isReadonly, words as string[], options);
  return {
    send: send(false, AS_TEXT),
    sendForBytes: send(false, AS_BYTES),
    read: send(true, AS_BYTES),
    sendToServerOf: send(false, AS_TEXT),
    serverOf: () => '',
    isReady: () => true,
    ready: async () => {},
  };
}

/** Waits for an event, or for an error before it, with one listener for all callers. */
export function waiting(client: AnyClient, event: string, isReady: () => boolean): () => Promise<unknown> {
  let coming: Promise<unknown> | undefined;
  return async () => {
    if (isReady()) return;
    coming ??= once(client, event).finally(() => {
      coming = undefined;
    });
    await coming;
  };
}

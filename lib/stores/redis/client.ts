import { once } from 'node:events';
import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';

// Clients, clusters and sentinels of node-redis: how they are made, and what is alike of them.

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`. Default: `redis://localhost:6379`. */
  readonly url?: string | undefined;
  /** A node-redis client, cluster or sentinel of your own, which stays yours to close. */
  readonly client?: object | undefined;
  /** What node-redis's `createClient` takes, in its units: `socket`, `username`, `database` ... */
  readonly clientOptions?: object | undefined;
  /** A Redis Cluster: what node-redis's `createCluster` takes, `rootNodes`, `defaults` ... */
  readonly clusterOptions?: object | undefined;
  /** Redis Sentinel: what node-redis's `createSentinel` takes, `name`, `sentinelRootNodes`, `nodeClientOptions` ... */
  readonly sentinelOptions?: object | undefined;
}

/** What a client, a cluster and a sentinel have in common. */
export type RedisCommands = Pick<
  RedisClientType,
  'eval' | 'exists' | 'multi' | 'sMembers' | 'strLen' | 'unlink' | 'zRandMemberCount' | 'zRange'
>;

/** Reads of bytes as they are. */
export interface RedisBytes {
  get(key: string): Promise<Buffer | null>;
  getRange(key: string, start: number, end: number): Promise<Buffer>;
}

/** A connection, of whatever kind. */
export interface Redis {
  readonly commands: RedisCommands;
  readonly bytes: RedisBytes;
  /** The client of the one server that has that key, to scan it. */
  serverOf(key: string): Promise<RedisClientType>;
}

/** A connection that may not be ready yet. */
export interface Reachable extends Redis {
  /** Resolves when commands may be sent. */
  ready(): Promise<unknown>;
}

export type AnyClient = RedisClientType | RedisClusterType | RedisSentinelType;
/** Options of node-redis, of which those that are set here matter. */
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
const AS_BYTES = { [BLOB_STRING]: Buffer };
/**
 * Milliseconds. What makes node-redis fail fast. There is no `socketTimeout` among it: node-redis takes an idle connection
 * for a silent server.
 */
const FAIL_FAST = { connectTimeout: 500, reconnectStrategy: false };

/** A client, a cluster or a sentinel, as the options ask for. */
export function createRedis(module: KeyvRedisModule, options: RedisConnectionOptions): AnyClient {
  const { url, clientOptions, clusterOptions, sentinelOptions } = options as { [name: string]: Given | undefined };
  if (clusterOptions) {
    const { defaults } = clusterOptions;
    // All keys of a cache are with one master: the others need no connection.
    return module.createCluster({ minimizeConnections: true, ...clusterOptions, defaults: failingFast(defaults) });
  }
  if (sentinelOptions) {
    const { nodeClientOptions, sentinelClientOptions } = sentinelOptions;
    return module.createSentinel({
      // It would wait for a master that is gone, instead of asking for the new one, and print to the console meanwhile.
      maxCommandRediscovers: 0,
      passthroughClientErrorEvents: true,
      ...sentinelOptions,
      nodeClientOptions: failingFast(nodeClientOptions),
      sentinelClientOptions: failingFast(sentinelClientOptions),
    });
  }
  return module.createClient({ ...(url === undefined ? {} : { url }), ...failingFast(clientOptions) });
}

/** Options of a node-redis client, with ours where the user has none. */
function failingFast(options: unknown): object {
  const { socket, ...rest } = (options ?? {}) as Given;
  return { disableOfflineQueue: true, ...rest, socket: { ...FAIL_FAST, ...(socket as object | undefined) } };
}

/** A client of any kind, as one that is asked alike. */
export function reachable(
  client: AnyClient,
  kind: { readonly isCluster: boolean; readonly isSentinel: boolean },
): Reachable {
  if (kind.isCluster) return overCluster(client as RedisClusterType);
  return kind.isSentinel ? overSentinel(client as RedisSentinelType) : overClient(client as RedisClientType);
}

function overClient(client: RedisClientType): Reachable {
  return {
    commands: client,
    bytes: client.withTypeMapping(AS_BYTES) as unknown as RedisBytes,
    serverOf: async () => client,
    ready: waiting(client, 'ready', () => client.isReady),
  };
}

function overCluster(cluster: RedisClusterType): Reachable {
  return {
    commands: cluster as unknown as RedisCommands,
    bytes: cluster.withTypeMapping(AS_BYTES) as unknown as RedisBytes,
    async serverOf(key) {
      const slot = Number(await cluster.sendCommand(key, true, ['CLUSTER', 'KEYSLOT', key]));
      const master = cluster.slots[slot]?.master;
      if (!master) throw new Error(`no master has the slot ${slot}`);
      return (await cluster.nodeClient(master)) as unknown as RedisClientType;
    },
    // Until it knows its masters a cluster throws.
    ready: waiting(cluster, 'connect', () => cluster.masters.length > 0),
  };
}

function overSentinel(sentinel: RedisSentinelType): Reachable {
  // A sentinel of node-redis 5 that is asked for another type mapping changes that of all its users.
  const read = (...words: string[]) => sentinel.sendCommand(true, words, { typeMapping: AS_BYTES });
  return {
    commands: sentinel as unknown as RedisCommands,
    bytes: {
      get: (key) => read('GET', key) as unknown as Promise<Buffer | null>,
      getRange: (key, start, end) => read('GETRANGE', key, `${start}`, `${end}`) as unknown as Promise<Buffer>,
    },
    serverOf: async () => sentinel as unknown as RedisClientType,
    ready: async () => {},
  };
}

/** Waits for an event, or an error before it, with one listener for all who wait. */
function waiting(client: AnyClient, event: string, isReady: () => boolean): () => Promise<unknown> {
  let coming: Promise<unknown> | undefined;
  return async () => {
    if (isReady()) return;
    coming ??= once(client, event).finally(() => {
      coming = undefined;
    });
    await coming;
  };
}

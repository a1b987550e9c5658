import { once } from 'node:events';
import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { loadClient } from '../load-client.js';

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

interface Opened extends Redis {
  /** Resolves when commands may be sent. */
  ready(): Promise<unknown>;
  /** Keeps the process alive while something is asked. */
  hold(): void;
  /** Nothing is asked any more: a process that is done may exit. */
  rest(): void;
  /** The connection failed. */
  fail(): void;
  close(): Promise<void> | void;
}

type AnyClient = RedisClientType | RedisClusterType | RedisSentinelType;
/** Options of node-redis, of which those that are set here matter. */
type Given = { readonly [name: string]: unknown };

interface KeyvRedisModule {
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
 * Milliseconds. What makes node-redis fail fast and come back by itself. There is no `socketTimeout` among it: node-redis
 * takes an idle connection for a silent server and would reconnect all the time; a frozen server is the guard's matter.
 */
const FAIL_FAST = { connectTimeout: 500, reconnectStrategy: (tries: number) => Math.min(tries * 50, 500) };
/** Milliseconds after the last use: sockets of a cluster or a sentinel can't all be unref'ed. */
const IDLE = 1_000;
/** Milliseconds to learn from any node where the masters are: one that is frozen takes connections, and says nothing. */
const DISCOVERY = 2_000;
/** A server's reply, after which the connection is as good as before, unless it is no master any more. */
const REPLY = /^(?!READONLY|MOVED|CLUSTERDOWN|MASTERDOWN)[A-Z]+ /;

/**
 * A node-redis client, cluster or sentinel, ours or the user's, made through @keyv/redis.
 *
 * A client of ours reconnects by itself and is unref'ed at rest. A cluster or a sentinel of ours is closed when idle, and
 * after any failure: node-redis would go on asking a master that is gone, and a new one finds out who is master now.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #opening: Promise<Opened> | undefined;
  #pending = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  async run<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    this.#pending += 1;
    clearTimeout(this.#idle);
    const opening = this.#open();
    let opened: Opened | undefined;
    try {
      opened = await opening;
      opened.hold();
      await opened.ready();
      return await work(opened);
    } catch (error) {
      if (!REPLY.test(String((error as Error).message))) opened?.fail();
      throw error;
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) opened?.rest();
    }
  }

  /** Closes a client of ours. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const opening = this.#opening;
    this.#opening = undefined;
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }

  #open(): Promise<Opened> {
    if (this.#opening) return this.#opening;
    const opening = this.#connect(() => this.#forget(opening));
    this.#opening = opening;
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  /** Has the next use open another. */
  #forget(opening: Promise<Opened>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #connect(forget: () => void): Promise<Opened> {
    const module = await loadClient<KeyvRedisModule>('@keyv/redis', 'backend "redis"');
    const own = this.#options.client as AnyClient | undefined;
    const given = own ?? create(module, this.#options);
    // An error without a listener would end the process. It stays: a client of the user's may have no other.
    if (!given.listeners('error').includes(ignore)) given.on('error', ignore);
    const { made: adapter, takeOff } = withListeners(given, () => new module.default(given, { throwOnErrors: true }));
    const { client } = adapter;
    const redis = adapter.isCluster()
      ? overCluster(client as RedisClusterType)
      : adapter.isSentinel()
        ? overSentinel(client as RedisSentinelType)
        : overClient(client as RedisClientType);
    if (own) {
      if (!own.isOpen) own.connect().catch(() => {});
      return ofOwner(redis, takeOff);
    }
    if (this.#options.clusterOptions || this.#options.sentinelOptions) {
      return this.#openFleeting(client as RedisClusterType | RedisSentinelType, redis, forget);
    }
    return ours(client as RedisClientType, redis);
  }

  /** Connects to what is known by some of its nodes alone, for as long as it is used and does not fail. */
  async #openFleeting(
    client: RedisClusterType | RedisSentinelType,
    redis: Reachable,
    forget: () => void,
  ): Promise<Opened> {
    const close = () => destroy(client);
    const fail = () => {
      forget();
      void close();
    };
    client.on('node-error', fail);
    try {
      await within<unknown>(client.connect(), DISCOVERY);
    } catch (error) {
      // Not awaited: a sentinel ends with what it waits for.
      void close();
      throw error;
    }
    // Not before: of the nodes that tell where the masters are, some may be down.
    client.on('error', fail);
    const rest = () => {
      this.#idle = setTimeout(() => void this.close(), IDLE).unref();
    };
    return { ...redis, hold: () => {}, rest, fail, close };
  }
}

type Reachable = Pick<Opened, 'commands' | 'bytes' | 'serverOf' | 'ready'>;

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

function ignore(): void {}

/** A client of the user's is left as it was. */
function ofOwner(redis: Reachable, close: () => void): Opened {
  return { ...redis, hold: () => {}, rest: () => {}, fail: () => {}, close };
}

/** What the work made, and how to take off the listeners that it put on a client. */
function withListeners<T>(client: AnyClient, work: () => T): { readonly made: T; readonly takeOff: () => void } {
  const listeners = () =>
    client.eventNames().flatMap((event) => client.rawListeners(event).map((listener) => ({ event, listener })));
  const before = new Set(listeners().map(({ listener }) => listener));
  const made = work();
  const added = listeners().filter(({ listener }) => !before.has(listener));
  const takeOff = () => {
    for (const { event, listener } of added) client.off(event as string, listener as () => void);
  };
  return { made, takeOff };
}

function ours(client: RedisClientType, redis: Reachable): Opened {
  client.connect().catch(() => {});
  return {
    ...redis,
    hold: () => client.ref(),
    rest: () => client.unref(),
    fail: () => {},
    close: () => client.destroy(),
  };
}

function create(module: KeyvRedisModule, options: RedisConnectionOptions): AnyClient {
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
      nodeClientOptions: failingFast(nodeClientOptions, { reconnectStrategy: false }),
      sentinelClientOptions: failingFast(sentinelClientOptions),
    });
  }
  return module.createClient({ ...(url === undefined ? {} : { url }), ...failingFast(clientOptions) });
}

/** Options of a node-redis client, with ours where the user has none. */
function failingFast(options: unknown, more: object = {}): object {
  const { socket, ...rest } = (options ?? {}) as Given;
  return { disableOfflineQueue: true, ...rest, socket: { ...FAIL_FAST, ...more, ...(socket as object | undefined) } };
}

/** Ends all connections at once; what is asked is rejected. */
async function destroy(client: RedisClusterType | RedisSentinelType): Promise<void> {
  try {
    if (!('masters' in client)) return await client.destroy();
    // A cluster's own `destroy` stops at the first node that is closed already.
    for (const node of [...client.masters, ...client.replicas]) if (node.client?.isOpen) node.client.destroy();
    await client.close();
  } catch {
    // It was closed already.
  }
}

/** Rejects where the work takes longer. */
async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no node of Redis answered within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

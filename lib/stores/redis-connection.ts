import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { loadClient } from '../load-client.js';
import {
  type AnyClient,
  createRedis,
  type KeyvRedisModule,
  type Reachable,
  type Redis,
  type RedisConnectionOptions,
  reachable,
} from './redis-client.js';

interface Opened extends Reachable {
  /** Keeps the process alive while something is asked. */
  hold(): void;
  /** Nothing is asked any more: a process that is done may exit. */
  rest(): void;
  /** The connection failed. */
  fail(): void;
  close(): Promise<void> | void;
}

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
    const given = own ?? createRedis(module, this.#options);
    // An error without a listener would end the process. It stays: a client of the user's may have no other.
    if (!given.listeners('error').includes(ignore)) given.on('error', ignore);
    const { made: adapter, takeOff } = withListeners(given, () => new module.default(given, { throwOnErrors: true }));
    const { client } = adapter;
    const redis = reachable(client, { isCluster: adapter.isCluster(), isSentinel: adapter.isSentinel() });
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

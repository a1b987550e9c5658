import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { loadClient } from '../../platform/load-client.js';
import { within } from '../../platform/time-limit.js';
import {
  type AnyClient,
  createRedis,
  type KeyvRedisModule,
  type Reachable,
  type Redis,
  type RedisConnectionOptions,
  reachable,
} from './client.js';

interface Opened extends Reachable {
  /** Something is asked: the process stays alive until it was told `rest` as often. */
  hold(): void;
  /** When nothing is asked any more, a process that is done may exit. */
  rest(): void;
  /** The connection failed. */
  fail(): void;
  close(): Promise<void> | void;
}

/** Milliseconds after the last use: sockets of a cluster or a sentinel can't all be unref'ed. */
const IDLE = 1_000;
/** Milliseconds after which a connection that answers nothing has failed: what is asked would keep the process for ever. */
const ANSWER = 10_000;
/** Milliseconds to learn from any node where the masters are: one that is frozen takes connections, and says nothing. */
const DISCOVERY = 2_000;
/** A server's reply, after which the connection is as good as before, unless it is no master any more. */
const REPLY = /^(?!READONLY|MOVED|CLUSTERDOWN|MASTERDOWN)[A-Z]+ /;

/**
 * A node-redis client, cluster or sentinel, ours or the user's, made through @keyv/redis.
 *
 * One of ours is closed after any failure, and opened anew on need: node-redis would keep a process alive that is done
 * while it reconnects, and go on asking a master that is gone. A client is unref'ed at rest; a cluster or a sentinel is
 * closed then.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #opening: Promise<Opened> | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  async run<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const opened = await this.#open();
    opened.hold();
    try {
      return await within(
        opened.ready().then(() => work(opened)),
        ANSWER,
        unanswered,
      );
    } catch (error) {
      if (!REPLY.test(String((error as Error).message))) opened.fail();
      throw error;
    } finally {
      opened.rest();
    }
  }

  /** Closes a client of ours. */
  async close(): Promise<void> {
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
      return openFleeting(client as RedisClusterType | RedisSentinelType, redis, forget);
    }
    return openSingle(client as RedisClientType, redis, forget);
  }
}

/** Connects to what is known by some of its nodes alone, for as long as it is used and does not fail. */
async function openFleeting(
  client: RedisClusterType | RedisSentinelType,
  redis: Reachable,
  forget: () => void,
): Promise<Opened> {
  const close = () => destroy(client);
  const end = () => {
    forget();
    void close();
  };
  client.on('node-error', end);
  try {
    await within<unknown>(client.connect(), DISCOVERY, unanswered);
  } catch (error) {
    // Not awaited: a sentinel ends with what it waits for.
    void close();
    throw error;
  }
  // Not before: of the nodes that tell where the masters are, some may be down.
  client.on('error', end);
  let idle: NodeJS.Timeout | undefined;
  const uses = counted(
    () => clearTimeout(idle),
    () => {
      idle = setTimeout(end, IDLE).unref();
    },
  );
  return { ...redis, ...uses, fail: end, close };
}

/** Connects to a server, for as long as it does not fail. */
function openSingle(client: RedisClientType, redis: Reachable, forget: () => void): Opened {
  const close = () => {
    if (client.isOpen) client.destroy();
  };
  const end = () => {
    forget();
    close();
  };
  client.on('error', end);
  client.connect().catch(end);
  const uses = counted(
    () => client.ref(),
    () => client.unref(),
  );
  return { ...redis, ...uses, fail: end, close };
}

/** Tells of the first of several uses, and when the last has ended. */
function counted(onFirst: () => void, onLast: () => void): Pick<Opened, 'hold' | 'rest'> {
  let uses = 0;
  return {
    hold() {
      if (uses === 0) onFirst();
      uses += 1;
    },
    rest() {
      uses -= 1;
      if (uses === 0) onLast();
    },
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

/** Why waiting for Redis ends. */
function unanswered(): Error {
  return new Error('no node of Redis answered in time');
}

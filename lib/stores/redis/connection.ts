import { setMaxListeners } from 'node:events';
import type { RedisClientType, RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { loadClient } from '../../platform/load-client.js';
import { monotonicNow, type RealTimer, startTimer, stopTimer, withinTime } from '../../platform/real-time.js';
import type { Access } from '../store-failure.js';
import {
  type AnyClient,
  createRedis,
  type KeyvRedisModule,
  overClient,
  overSentinel,
  type Redis,
  type RedisConnectionOptions,
} from './client.js';
import { MasterFailures, overCluster } from './cluster.js';
import { redisFailure } from './failures.js';
import { Link, type LinkParts } from './link.js';
import { CONNECT, connected, destroy, noAnswer, type Opening } from './opening.js';

/** Milliseconds: the sockets of a cluster or a sentinel are released after this time without a use. */
const IDLE = 1_000;
/** Milliseconds between two searches for the present masters of a cluster. */
const SEARCH = 500;

/**
 * A node-redis client, cluster or sentinel, the user's or created here, through @keyv/redis.
 *
 * A connection created here is closed after any failure, and opened again when needed: node-redis would keep a finished
 * process alive while it reconnects, and continue to ask a master that is gone. An idle connection keeps no process alive:
 * its sockets are unref'ed, and a sentinel, whose sockets cannot be reached, is closed.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #isSharded: boolean;
  readonly #failures = new MasterFailures();
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  readonly #closing = new AbortController();
  #searchedAt = Number.NEGATIVE_INFINITY;

  /** @param isSharded whether each master of a cluster has a part of the cache, so that the others work if one fails */
  constructor(options: RedisConnectionOptions, isSharded: boolean) {
    this.#options = options;
    this.#isSharded = isSharded;
  }

  /**
   * Runs commands.
   *
   * @param access decides how a failure is classified
   * @throws StoreFailure
   */
  run<T>(access: Access, work: (redis: Redis) => Promise<T>): Promise<T> {
    const link = this.#link;
    return link?.isReady() ? link.use(access, work) : this.#runWhenReady(access, work);
  }

  /** Closes the connection unless it is the user's. Nothing opens it again. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the connection to Redis is closed'));
    const opening = this.#opening;
    this.#link = undefined;
    this.#opening = undefined;
    const link = await opening?.catch(() => undefined);
    link?.close();
  }

  async #runWhenReady<T>(access: Access, work: (redis: Redis) => Promise<T>): Promise<T> {
    let link: Link;
    try {
      link = await this.#ready();
    } catch (error) {
      throw redisFailure(error, 'read');
    }
    return link.use(access, work);
  }

  async #ready(): Promise<Link> {
    this.#closing.signal.throwIfAborted();
    const link = await this.#open();
    try {
      await withinTime(link.ready(), CONNECT, noAnswer);
    } catch (error) {
      link.fail();
      throw error;
    }
    return link;
  }

  #open(): Promise<Link> {
    if (this.#opening) return this.#opening;
    const opening = this.#newLink();
    this.#opening = opening;
    opening.then(
      (link) => {
        if (this.#opening === opening) this.#link = link;
      },
      () => this.#forget(opening),
    );
    return opening;
  }

  #newLink(): Promise<Link> {
    const opening: Promise<Link> = this.#connect(() => this.#forget(opening)).then(
      (parts) => new Link(parts, () => this.#forget(opening)),
    );
    return opening;
  }

  #forget(opening: Promise<Link>): void {
    if (this.#opening !== opening) return;
    this.#opening = undefined;
    this.#link = undefined;
  }

  /** Opens another connection beside the present one, and puts it in its place if it has other masters. */
  #searchMasters(): void {
    const [present, link] = [this.#opening, this.#link];
    if (!present || !link || monotonicNow() - this.#searchedAt < SEARCH) return;
    this.#searchedAt = monotonicNow();
    const opening = this.#newLink();
    opening.then((renewed) => {
      if (this.#opening !== present || renewed.hasMastersOf(link)) return renewed.close();
      this.#opening = opening;
      this.#link = renewed;
      link.retire();
    }, ignore);
  }

  async #connect(forget: () => void): Promise<LinkParts> {
    const module = await loadClient<KeyvRedisModule>('@keyv/redis', 'backend "redis"');
    const own = this.#options.client as AnyClient | undefined;
    const sockets = new AbortController();
    // Each socket of a cluster listens; more than ten of them would cause a warning.
    setMaxListeners(0, sockets.signal);
    const given = own ?? createRedis(module, this.#options, sockets.signal);
    // An error without a listener would end the process. The listener stays: a user's client may have no other.
    if (!given.listeners('error').includes(ignore)) given.on('error', ignore);
    const { made: adapter, takeOff } = withListeners(given, () => new module.default(given, { throwOnErrors: true }));
    const { client } = adapter;
    if (own && !own.isOpen) own.connect().catch(ignore);
    const opening = { forget, sockets, closing: this.#closing.signal };
    const ownParts = { end: takeOff, endRejects: false };
    if (adapter.isCluster()) {
      const cluster = client as RedisClusterType;
      const onFailure = own ? ignore : () => this.#searchMasters();
      const redis = overCluster(cluster, {
        isSharded: this.#isSharded,
        isOwn: !own,
        failures: this.#failures,
        onFailure,
      });
      return own ? { redis, ...ownParts } : openCluster(cluster, redis, opening);
    }
    if (adapter.isSentinel()) {
      const redis = overSentinel(client as RedisSentinelType);
      return own ? { redis, ...ownParts } : openSentinel(client as RedisSentinelType, redis, opening);
    }
    const redis = overClient(client as RedisClientType);
    return own ? { redis, ...ownParts } : openSingle(client as RedisClientType, redis, opening);
  }
}

/** Connects to one server. */
function openSingle(client: RedisClientType, redis: LinkParts['redis'], { forget, sockets }: Opening): LinkParts {
  const end = () => {
    if (client.isOpen) client.destroy();
    sockets.abort();
  };
  const fail = () => {
    forget();
    end();
  };
  client.on('error', fail);
  client.connect().catch(fail);
  return { redis, onBusy: () => client.ref(), onIdle: () => client.unref(), end, endRejects: true };
}

/** Connects to a cluster, whose nodes' sockets are unref'ed while it is idle. */
async function openCluster(cluster: RedisClusterType, redis: LinkParts['redis'], opening: Opening): Promise<LinkParts> {
  const end = () => void destroy(cluster).then(() => opening.sockets.abort());
  await connected(cluster, end, opening);
  const nodes = () => [...cluster.masters, ...cluster.replicas].flatMap(({ client }) => (client ? [client] : []));
  let isReferenced = true;
  const idle = idleTimer(() => {
    isReferenced = false;
    for (const client of nodes()) client.unref();
  });
  return {
    redis,
    onBusy() {
      idle.stop();
      if (!isReferenced) for (const client of nodes()) client.ref();
      isReferenced = true;
    },
    onIdle: idle.start,
    end() {
      idle.stop();
      end();
    },
    endRejects: true,
  };
}

/** Connects to the master that a sentinel names, until it is idle, or an error ends the connection. */
async function openSentinel(
  sentinel: RedisSentinelType,
  redis: LinkParts['redis'],
  opening: Opening,
): Promise<LinkParts> {
  const { forget, sockets } = opening;
  const end = () => {
    idle.stop();
    void destroy(sentinel).then(() => sockets.abort());
  };
  const fail = () => {
    forget();
    end();
  };
  const idle = idleTimer(fail);
  sentinel.on('node-error', fail);
  await connected(sentinel, end, opening);
  // Not before: some of the nodes that know the master may be down.
  sentinel.on('error', fail);
  return { redis, onBusy: idle.stop, onIdle: idle.start, end, endRejects: true };
}

function idleTimer(onIdle: () => void): { start(): void; stop(): void } {
  let timer: RealTimer | undefined;
  return {
    start() {
      timer = startTimer(IDLE, onIdle);
    },
    stop: () => stopTimer(timer),
  };
}

function ignore(): void {}

/** Runs `work`, and returns its result with a function that removes the listeners that it added to the client. */
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

import type { RedisClientType, RedisClusterType } from '@keyv/redis';
import { isPromise } from '../../platform/maybe-promise.js';
import { monotonicNow } from '../../platform/real-time.js';
import { AS_BYTES, AS_TEXT, type Reachable, type Words, waiting } from './client.js';
import { PartialFailure, replyCode } from './failures.js';
import { sendNow } from './immediate.js';
import { SilenceWatch } from './silence.js';
import { hashSlot } from './slots.js';

/**
 * Commands over the masters of a cluster. A master that fails is left alone for a moment; commands for the others go on.
 *
 * Commands go to the client of a master at once, which is cheaper than a command of node-redis's cluster; that one follows
 * a redirection to another node.
 */

/** Milliseconds: a master without any answer for one to two of these has failed. */
const SILENCE = 400;
/** Milliseconds that a master which failed is left alone. */
const REST = 1_000;

/** Times of the failures of masters by their addresses, for all connections that follow each other. */
export class MasterFailures {
  readonly #failedAt = new Map<string, number>();

  failed(address: string): void {
    this.#failedAt.set(address, monotonicNow());
  }

  answered(address: string): void {
    if (this.#failedAt.size > 0) this.#failedAt.delete(address);
  }

  hasFailed(address: string): boolean {
    return this.#failedAt.has(address);
  }

  isResting(address: string): boolean {
    const failedAt = this.#failedAt.get(address);
    return failedAt !== undefined && monotonicNow() - failedAt < REST;
  }
}

type Master = RedisClusterType['masters'][number];

export interface ClusterOptions {
  /** Whether a failure of one master concerns only a part of the cache. */
  readonly isSharded: boolean;
  /** Whether clients of masters were created by the cache. */
  readonly isOwn: boolean;
  readonly failures: MasterFailures;
  /** A master failed, or is not the master any more: another connection may find the present one. */
  readonly onFailure: () => void;
}

export function overCluster(cluster: RedisClusterType, options: ClusterOptions): Reachable {
  const { failures } = options;
  const watches = new Map<string, SilenceWatch>();
  // Without masters, which it learns at first, a cluster throws.
  const isReady = () => cluster.masters.length > 0;

  const watchOf = (master: Master): SilenceWatch => {
    const known = watches.get(master.address);
    if (known) return known;
    const watch = new SilenceWatch(SILENCE, () => fail(master));
    watches.set(master.address, watch);
    return watch;
  };

  const fail = (master: Master) => {
    failures.failed(master.address);
    const { client } = master;
    forgetClient(master);
    if (options.isOwn && client?.isOpen) client.destroy();
    options.onFailure();
  };

  /** node-redis would go on giving out a client that is closed. */
  const forgetClient = (master: Master) => {
    if (options.isOwn) (master as { client?: unknown }).client = undefined;
  };

  const isPartial = () => options.isSharded && cluster.masters.some(({ address }) => !failures.hasFailed(address));

  /** Has the present masters searched for; returns the error that a command rejects with. */
  const partial = (error: unknown): unknown => {
    options.onFailure();
    return isPartial() ? new PartialFailure(error) : error;
  };

  const masterOf = (key: string): Master => {
    const master = cluster.slots[hashSlot(key)]?.master;
    if (master) return master as Master;
    throw partial(new Error('no master has the slot of a key'));
  };

  const clientOf = (master: Master): Promise<RedisClientType> | RedisClientType => {
    const { client, connectPromise } = master;
    if (client?.isReady) return client as unknown as RedisClientType;
    if (client && !client.isOpen && !connectPromise) forgetClient(master);
    return cluster.nodeClient(master) as unknown as Promise<RedisClientType>;
  };

  const sendTo = async (master: Master, words: Words, replies: object): Promise<unknown> => {
    const { address } = master;
    if (failures.isResting(address)) throw partial(new Error('a master of the cluster failed a moment ago'));
    const watch = watchOf(master);
    watch.begin();
    try {
      const ready = clientOf(master);
      const client = isPromise(ready) ? await ready : ready;
      const reply = await sendNow(() => client.sendCommand(words as string[], replies));
      failures.answered(address);
      return reply;
    } catch (error) {
      const code = replyCode(error);
      if (code !== undefined) failures.answered(address);
      else if (!failures.isResting(address)) fail(master);
      if (code !== undefined && code !== 'CLUSTERDOWN') throw error;
      throw partial(error);
    } finally {
      watch.finish();
    }
  };

  const send = (replies: object) => async (key: string, words: Words) => {
    try {
      return await sendTo(masterOf(key), words, replies);
    } catch (error) {
      if (!/^(MOVED|ASK) /.test(String((error as Error).message))) throw error;
      options.onFailure();
      return cluster.sendCommand(key, false, words as string[], replies);
    }
  };

  const sendForBytes = send(AS_BYTES);
  return {
    send: send(AS_TEXT),
    sendForBytes,
    read: (key, words) =>
      cluster.replicas.length > 0
        ? cluster.sendCommand(key, true, words as string[], AS_BYTES)
        : sendForBytes(key, words),
    sendToServerOf: async (key, words) => sendTo(masterOf(key), words, AS_TEXT),
    serverOf: (key) => masterOf(key).address,
    topology: () => cluster.slots.map((slot) => slot?.master.address).join(),
    isReady,
    ready: waiting(cluster, 'connect', isReady),
  };
}

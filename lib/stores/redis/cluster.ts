import type { RedisClientType, RedisClusterType } from '@keyv/redis';
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
const REST = 250;

type Master = RedisClusterType['masters'][number];

export interface ClusterOptions {
  /** Whether a failure of one master concerns only a part of the cache. */
  readonly isSharded: boolean;
  /** Whether clients of masters were created by the cache. */
  readonly isOwn: boolean;
  /** A master failed, or is not the master any more: another connection may find the present one. */
  readonly onFailure: () => void;
}

export function overCluster(cluster: RedisClusterType, options: ClusterOptions): Reachable {
  const masters = new Map<string, MasterState>();
  // Without masters, which it learns at first, a cluster throws.
  const isReady = () => cluster.masters.length > 0;

  const stateOf = (master: Master): MasterState => {
    const known = masters.get(master.address);
    if (known) return known;
    const state = new MasterState(() => fail(master, state));
    masters.set(master.address, state);
    return state;
  };

  const fail = (master: Master, state: MasterState) => {
    state.failed();
    const { client } = master;
    forgetClient(master);
    if (options.isOwn && client?.isOpen) client.destroy();
    options.onFailure();
  };

  /** node-redis would go on giving out a client that is closed. */
  const forgetClient = (master: Master) => {
    if (options.isOwn) (master as { client?: unknown }).client = undefined;
  };

  const isPartial = () => options.isSharded && cluster.masters.some(({ address }) => !masters.get(address)?.hasFailed);

  const masterOf = (key: string): Master => {
    const master = cluster.slots[hashSlot(key)]?.master;
    if (master) return master as Master;
    options.onFailure();
    const error = new Error('no master has the slot of a key');
    throw isPartial() ? new PartialFailure(error) : error;
  };

  const clientOf = (master: Master): Promise<RedisClientType> | RedisClientType => {
    const { client, connectPromise } = master;
    if (client?.isReady) return client as unknown as RedisClientType;
    if (client && !client.isOpen && !connectPromise) forgetClient(master);
    return cluster.nodeClient(master) as unknown as Promise<RedisClientType>;
  };

  const sendTo = async (master: Master, words: Words, replies: object): Promise<unknown> => {
    const state = stateOf(master);
    try {
      state.refuseWhileResting();
      const client = await clientOf(master);
      state.watch.begin();
      try {
        const reply = await sendNow(() => client.sendCommand(words as string[], replies));
        state.answered();
        return reply;
      } finally {
        state.watch.finish();
      }
    } catch (error) {
      const code = replyCode(error);
      if (code !== undefined) state.answered();
      else if (!state.isResting()) fail(master, state);
      if (code === 'CLUSTERDOWN') options.onFailure();
      if (code !== undefined && code !== 'CLUSTERDOWN') throw error;
      throw isPartial() ? new PartialFailure(error) : error;
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
    isReady,
    ready: waiting(cluster, 'connect', isReady),
  };
}

/** The failures of a master. */
class MasterState {
  readonly watch: SilenceWatch;
  #failedAt: number | undefined;

  constructor(onSilence: () => void) {
    this.watch = new SilenceWatch(SILENCE, onSilence);
  }

  get hasFailed(): boolean {
    return this.#failedAt !== undefined;
  }

  failed(): void {
    this.#failedAt = performance.now();
  }

  answered(): void {
    this.#failedAt = undefined;
  }

  isResting(): boolean {
    return this.#failedAt !== undefined && performance.now() - this.#failedAt < REST;
  }

  /** @throws Error while the master is left alone */
  refuseWhileResting(): void {
    if (this.isResting()) throw new Error('a master of the cluster failed a moment ago');
  }
}

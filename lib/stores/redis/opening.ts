import type { RedisClusterType, RedisSentinelType } from '@keyv/redis';
import { withinTime } from '../../platform/real-time.js';

/** Milliseconds for a connection to become ready. */
export const CONNECT = 5_000;

export interface Opening {
  /** Makes the next use open another connection. */
  readonly forget: () => void;
  /** Destroys all sockets of the connection. */
  readonly sockets: AbortController;
  /** Aborts when the cache is closed. */
  readonly closing: AbortSignal;
}

/** Waits until the masters are known, or the cache is closed. */
export async function connected(
  client: RedisClusterType | RedisSentinelType,
  end: () => void,
  { closing, sockets }: Opening,
): Promise<void> {
  try {
    await withinTime(unlessAborted(client.connect(), closing), CONNECT, noAnswer);
  } catch (error) {
    end();
    // The end of a sentinel waits for its connection.
    sockets.abort();
    throw error;
  }
}

/** Settles as the work does, or rejects with the signal's reason when it aborts. */
function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Ends all connections of a cluster or sentinel at once; pending commands are rejected. */
export async function destroy(client: RedisClusterType | RedisSentinelType): Promise<void> {
  try {
    if (!('masters' in client)) return await client.destroy();
    // A cluster's own `destroy` stops at the first node that is closed already.
    for (const node of [...client.masters, ...client.replicas]) if (node.client?.isOpen) node.client.destroy();
    await client.close();
  } catch {
    // It was closed already.
  }
}

export function noAnswer(): Error {
  return new Error('no node of Redis answered in time');
}

import { StoreFailure } from '../store-failure.js';
import type { RedisConnection } from './connection.js';
import { unlessWrongType } from './places.js';
import { CURRENT_ORDER, INVALIDATE, runScript } from './scripts.js';

/**
 * Returns the order of the last invalidation, in microseconds of the server's clock. The first call begins the order; a
 * server that is full, or a replica, refuses that: then 0.
 */
export async function currentOrder(connection: RedisConnection, key: string): Promise<number> {
  const last = await unlessWrongType(connection.run((redis) => redis.send(key, ['ZSCORE', key, 'last'])));
  if (last !== null && last !== undefined) return Number(last);
  try {
    return Number(await connection.run((redis) => runScript(redis, CURRENT_ORDER, [key], []), true));
  } catch (error) {
    if (error instanceof StoreFailure && error.kind === 'refusal') return 0;
    throw error;
  }
}

/** Records an invalidation of these digests, or of everything if there are none. */
export async function invalidate(connection: RedisConnection, key: string, digests: readonly string[]): Promise<void> {
  await connection.run((redis) => runScript(redis, INVALIDATE, [key], digests), true);
}

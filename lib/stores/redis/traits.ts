import type { StoreTraits } from '../lazy-store.js';
import type { RedisConnectionOptions } from './client.js';
import { redisLocation } from './location.js';

/** Bytes: Redis's bound on a string, `proto-max-bulk-len`. */
export const MAX_ENTRY = 512 * 1024 * 1024;

export function redisTraits(options: RedisConnectionOptions): StoreTraits {
  return { location: redisLocation(options), maxEntrySize: MAX_ENTRY, isIndexed: true, reportsSize: false };
}

/** Whether the options are those of a cluster, or have one as client. */
export function isCluster({ client, clusterOptions }: RedisConnectionOptions): boolean {
  return clusterOptions !== undefined || (client as { slots?: unknown } | undefined)?.slots !== undefined;
}

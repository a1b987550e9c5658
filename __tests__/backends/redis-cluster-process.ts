import { RedisStore } from '../../lib/stores/redis/index.js';
import { nameIn } from '../support/names.js';

export function open(folder: string, cacheName: string, url: string): RedisStore {
  return new RedisStore(nameIn(folder, cacheName), { clusterOptions: { rootNodes: [{ url }] } }, Date.now);
}

import { MongoStore } from '../../lib/stores/mongodb/index.js';
import { nameIn } from '../support/names.js';

export function open(folder: string, cacheName: string, url: string): MongoStore {
  return new MongoStore(nameIn(folder, cacheName), { url }, Date.now);
}

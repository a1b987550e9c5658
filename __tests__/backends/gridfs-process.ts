import { GridFSStore } from '../../lib/stores/gridfs/index.js';
import { nameIn } from '../support/names.js';

export function open(folder: string, cacheName: string, url: string): GridFSStore {
  return new GridFSStore(nameIn(folder, cacheName), { url }, Date.now);
}

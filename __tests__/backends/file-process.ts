import * as path from 'node:path';
import { FileStore } from '../../lib/stores/filesystem/index.js';

/** For the contract's child processes. */
export function open(folder: string, cacheName: string): FileStore {
  return new FileStore(path.join(folder, cacheName), {}, Date.now);
}

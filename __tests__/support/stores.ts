import * as path from 'node:path';
import Keyv from 'keyv';
import type { CacheOptions } from '../../lib/settings/types.js';

/** Stores and protections for which a rule must apply equally: options for a cache in the test's own folder. */
export const STORES: readonly (readonly [name: string, options: (folder: string) => CacheOptions])[] = [
  ['memory', () => ({ backend: 'memory' })],
  ['sqlite', (folder) => ({ backend: 'sqlite', cacheName: path.join(folder, 'cache.sqlite') })],
  [
    'sqlite, signed and encrypted',
    (folder) => ({
      backend: 'sqlite',
      cacheName: path.join(folder, 'cache.sqlite'),
      secretKey: 's'.repeat(32),
      encryptionKey: 'e'.repeat(32),
    }),
  ],
  ['filesystem', (folder) => ({ backend: 'filesystem', cacheName: path.join(folder, 'cache') })],
  ['a Keyv, encrypted', () => ({ backend: new Keyv(), encryptionKey: 'e'.repeat(32) })],
];

import * as path from 'node:path';
import Keyv from 'keyv';
import type { CacheOptions } from '../../lib/settings/types.js';

/** Stores and protections under which a rule must hold alike: options for a cache in a folder of the test's own. */
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

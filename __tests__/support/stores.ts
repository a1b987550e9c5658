import * as path from 'node:path';
import { describe } from '@jest/globals';
import Keyv from 'keyv';
import type { CacheOptions } from '../../lib/settings/types.js';
import { redis } from '../../scripts/services/redis.mjs';
import { type Bench, startBench, temporaryFolder } from './api.js';
import { nameIn } from './names.js';
import type { Handler } from './origin.js';
import { describeService } from './services.js';

/** Options of a cache in a test's own folder. */
export type OptionsIn = (folder: string) => CacheOptions;

/** Stores and protections for which a rule must apply equally: options for a cache in the test's own folder. */
export const STORES: readonly (readonly [name: string, options: OptionsIn])[] = [
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

/** Runs tests over {@link STORES} and a real Redis. */
export function describeStores(tests: (options: OptionsIn) => void): void {
  describe.each(STORES)('over %s', (_, options) => tests(options));
  describeService(redis, (server) => {
    tests((folder) => ({
      backend: 'redis',
      cacheName: nameIn(folder, 'cache'),
      backendOptions: { url: server().url },
      secretKey: 's'.repeat(32),
    }));
  });
}

type WithBench = (own: CacheOptions, work: (bench: Bench) => Promise<void>, handler: Handler) => Promise<void>;

/** Returns a function that runs work with an instance over a store in a new folder, with `cacheControl`. */
export function benchOver(options: OptionsIn): WithBench {
  return async (own, work, handler) => {
    await using folder = await temporaryFolder();
    const all = { ...options(folder.path), cacheControl: true, ...own } as CacheOptions;
    await using bench = await startBench(all, handler);
    await work(bench);
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import axios, { type CreateAxiosDefaults } from 'axios';
import type { CacheEvent } from '../../lib/models/events.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type CachedAxiosInstance, setupCache } from '../../lib/setup-cache.js';
import '../../lib/conversion/types.js';
import { TestClock } from './clock.js';
import { type Handler, startOrigin, type TestOrigin } from './origin.js';

/** An origin and an instance with a cache in front of it, for one test: `await using bench = await startBench(...)`. */
export interface Bench extends AsyncDisposable {
  readonly origin: TestOrigin;
  readonly api: CachedAxiosInstance;
  readonly clock: TestClock;
  readonly events: CacheEvent[];
  /** Another instance with the same clock; closed with the bench. */
  more(options?: CacheOptions, defaults?: CreateAxiosDefaults): CachedAxiosInstance;
}

export async function startBench(options: CacheOptions = {}, handler?: Handler): Promise<Bench> {
  const origin = await startOrigin(handler);
  const clock = new TestClock();
  const events: CacheEvent[] = [];
  const open: CachedAxiosInstance[] = [];
  const more = (own: CacheOptions = {}, defaults: CreateAxiosDefaults = {}) => {
    const instance = axios.create({ baseURL: origin.url, ...defaults });
    const api = setupCache(instance, { backend: 'memory', onEvent: (event) => events.push(event), ...own }, clock);
    open.push(api);
    return api;
  };
  let api: CachedAxiosInstance;
  try {
    api = more(options);
  } catch (error) {
    await origin.stop();
    throw error;
  }
  return {
    origin,
    api,
    clock,
    events,
    more,
    async [Symbol.asyncDispose]() {
      await origin.stop();
      for (const one of open) await one.detachCache?.();
    },
  };
}

/** A folder of a test's own, removed afterwards. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'axios-keyv-cache-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

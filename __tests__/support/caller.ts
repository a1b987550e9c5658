import type { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import axios from 'axios';
import { internalsOf } from '../../lib/cache/internals.js';
import { type CacheOptions, setupCache } from '../../lib/index.js';
import { loadBeneath } from '../../lib/platform/load-client.js';
import type { Store } from '../../lib/stores/store.js';
import { CREDENTIALS } from '../backends/dynamodb-process.js';

/**
 * A process that sends requests through a cache on commands of its parent, since errors that escape a cache (a rejection
 * without handler, a warning, a handle that stays open) are visible only in a separate process.
 */

const [backend = '', cacheName = '', serverUrl = '', originUrl = ''] = process.argv.slice(2);

const BACKENDS: Readonly<Record<string, () => Promise<object>>> = {
  redis: async () => ({ backend: 'redis', backendOptions: { url: serverUrl } }),
  mongodb: async () => ({ backend: 'mongodb', backendOptions: { url: serverUrl } }),
  gridfs: async () => ({ backend: 'gridfs', backendOptions: { url: serverUrl } }),
  dynamodb: async () => ({ backend: 'dynamodb', backendOptions: { endpoint: serverUrl, ...CREDENTIALS } }),
  async postgres() {
    const { KeyvPostgres } = await import('@keyv/postgres');
    // The adapter leaves its pool's errors without a listener: a connection that breaks while idle would end the process.
    const pg = await loadBeneath<{ Pool: new (options: object) => EventEmitter }>('@keyv/postgres', 'pg', 'a test');
    pg.Pool = class extends pg.Pool {
      constructor(options: object) {
        super(options);
        this.on('error', () => {});
      }
    };
    return { backend: new KeyvPostgres({ uri: serverUrl }) };
  },
};

/** The errors that escaped. */
const escaped: string[] = [];
process.on('unhandledRejection', (reason) => escaped.push(`unhandled rejection: ${reason}`));
process.on('uncaughtException', (error) => escaped.push(`uncaught exception: ${error.stack}`));
process.on('warning', ({ name, message }) => {
  if (name === 'MaxListenersExceededWarning') escaped.push(message);
});

/** Of outages. */
const reported: string[] = [];
const options = (await BACKENDS[backend]?.()) as CacheOptions & { backendOptions?: object };
const api = setupCache(axios.create({ baseURL: originUrl }), {
  ...options,
  cacheName,
  backendOptions: { ...options.backendOptions, backendTimeout: 0.2 },
  onEvent({ type }) {
    if (type === 'error' || type === 'recovered') reported.push(type);
  },
} as CacheOptions);

let storeCalls = 0;
const store = internalsOf(api.cache).breaker.store as { -readonly [Name in keyof Store]: Store[Name] };
const { find, put } = store;
store.find = (id) => {
  storeCalls += 1;
  return find.call(store, id);
};
store.put = (entry) => {
  storeCalls += 1;
  return put.call(store, entry);
};

/** Whether the response came from the cache; a wrong response counts as escaped. */
async function ask(url: string): Promise<boolean> {
  try {
    const { status, data, fromCache } = await api.get(url);
    if (status !== 200 || data.url !== url) escaped.push(`${url} was answered with ${status} ${JSON.stringify(data)}`);
    return fromCache === true;
  } catch (error) {
    escaped.push(`${url} failed: ${(error as Error).stack}`);
    return false;
  }
}

let asked = 0;
let loading = false;
let load: Promise<unknown> = Promise.resolve();

/** Asks on and on, though not so fast that the server is overworked: a few URLs, every third time a new one. */
async function work(): Promise<void> {
  while (loading) {
    asked += 1;
    await ask(asked % 3 === 0 ? `/new/${asked}` : `/known/${asked % 20}`);
    await pause(50);
  }
}

/** The commands of the parent. */
const actions = {
  /** Whether the second of two requests is a hit. */
  async works() {
    asked += 1;
    const url = `/works/${asked}`;
    await ask(url);
    return ask(url);
  },
  /** Keeps twenty requests in flight. */
  async load() {
    loading = true;
    load = Promise.all(Array.from({ length: 20 }, work));
  },
  async unload() {
    loading = false;
    await load;
  },
  /** How many calls of the store that many requests cost. */
  async callsFor(requests: number) {
    const before = storeCalls;
    await Promise.all(Array.from({ length: requests }, (_, index) => ask(`/counted/${index}`)));
    return storeCalls - before;
  },
  async state() {
    return { reported, asked };
  },
  async detach() {
    await api.detachCache();
  },
  /** The parent's channel was the last that kept the process, or something was left behind. */
  async end() {
    setImmediate(() => process.disconnect?.());
    return { reported, escaped };
  },
};

export type Actions = typeof actions;

/** Answers its parent's messages until `end`. */
export function serve(): void {
  process.on('message', async ({ name, argument }: { name: keyof Actions; argument: number }) => {
    process.send?.({ result: await actions[name](argument) });
  });
  process.send?.({ result: 'begun' });
}

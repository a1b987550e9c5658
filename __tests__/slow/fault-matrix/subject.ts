import { Agent } from 'node:http';
import axios from 'axios';
import { type CacheOptions, setupCache } from '../../../lib/index.js';
import { CREDENTIALS } from '../../backends/dynamodb-process.js';
import { type Confinement, fill, release } from '../../support/confined.js';
import { damaged } from './damage.js';
import { RecordedStore } from './recorded-store.js';

/** A process with a cache whose store has a fault. Its parent begins and ends the fault, and gives commands. */

export interface SubjectOptions {
  readonly backend: string;
  readonly cacheName: string;
  /** The URL of the server. */
  readonly url: string;
  readonly originUrl: string;
}

/** Stored responses that are requested again and again. */
export const KNOWN = 20;

const { backend, cacheName, url, originUrl } = JSON.parse(process.argv[2] ?? '') as SubjectOptions;
const adapter = await RecordedStore.open(backend, url);
const rootNodes = [{ url }];
const BACKENDS: Readonly<Record<string, object>> = {
  memory: { backend: 'memory' },
  sqlite: { backend: 'sqlite' },
  files: { backend: 'filesystem' },
  redis: { backend: 'redis', backendOptions: { url } },
  'redis cluster': { backend: 'redis', backendOptions: { clusterOptions: { rootNodes } } },
  mongodb: { backend: 'mongodb', backendOptions: { url } },
  gridfs: { backend: 'gridfs', backendOptions: { url } },
  dynamodb: { backend: 'dynamodb', backendOptions: { endpoint: url, ...CREDENTIALS } },
};
const chosen = (adapter ? { backend: adapter.adapter } : BACKENDS[backend]) as CacheOptions & {
  backendOptions?: object;
};

const escaped: string[] = [];

function report(error: unknown): void {
  console.error(error);
  escaped.push(String(error));
}
process.on('unhandledRejection', report).on('uncaughtException', report);

/** Few sockets, kept open: a process without descriptors can still use them. */
const httpAgent = new Agent({ keepAlive: true, maxSockets: 4 });
const api = setupCache(axios.create({ baseURL: originUrl, httpAgent }), {
  ...chosen,
  cacheName,
  expireAfter: '1h',
  // Without a signature a changed body of the same length cannot be detected.
  secretKey: 'a key of the fault matrix, 32 bytes',
  backendOptions: { ...chosen.backendOptions, backendTimeout: 0.2 },
  onEvent: () => {},
} as CacheOptions);

const totals = { requests: 0, failed: 0, wrong: 0 };
/** The version of each path that an acknowledged write made. */
const written = new Map<string, number>();
let number = 0;

/** Resolves to whether it was a hit. */
async function ask(path: string): Promise<boolean> {
  totals.requests += 1;
  const least = written.get(path) ?? 0;
  try {
    const { data, fromCache } = await api.get(path);
    if (data.path !== path || data.version < least) totals.wrong += 1;
    return fromCache;
  } catch {
    totals.failed += 1;
    return false;
  }
}

async function change(path: string): Promise<void> {
  totals.requests += 1;
  try {
    const { data } = await api.post(path, {}, { invalidates: true });
    written.set(path, data.version);
  } catch {
    totals.failed += 1;
  }
}

async function hits(): Promise<boolean[]> {
  const found: boolean[] = [];
  for (let index = 0; index < KNOWN; index += 1) found.push(await ask(`/known/${index}`));
  return found;
}

async function stores(): Promise<boolean> {
  number += 1;
  await ask(`/new/${number}`);
  return ask(`/new/${number}`);
}

/** One of a few workers: known and new paths, and a path that it changes from time to time. */
async function work(name: number, end: number): Promise<void> {
  for (let turn = 0; performance.now() < end; turn += 1) {
    if (turn % 8 === 0) await change(`/changed/${name}`);
    await ask(`/changed/${name}`);
    await ask(`/known/${turn % KNOWN}`);
    number += 1;
    await ask(`/new/${number}`);
    // Timers and sockets of the process, such as those that end a budget.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const realNow = Date.now;
const actions = {
  /** Stores the known responses alone, and opens all sockets to the origin. */
  async prepare() {
    while (!(await hits()).every((isHit) => isHit));
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => api.get(`/socket/${name}`, { cache: false })));
  },
  /** Whether each of the known paths is a hit. */
  hits,
  async run(milliseconds: number) {
    const end = performance.now() + milliseconds;
    await Promise.all([0, 1, 2, 3, 4].map((name) => work(name, end)));
  },
  /** Whether a new response is stored. */
  stores,
  /** Whether a new response is stored, and all known ones are hits. */
  async isNormal() {
    return (await stores()) && (await hits()).every((isHit) => isHit);
  },
  async fill(fault: Confinement) {
    await fill(fault, cacheName);
  },
  async release(fault: Confinement) {
    await release(fault, cacheName);
  },
  /** Damages entries of a Keyv storage adapter, and empties it. */
  damage: () => adapter?.damage(damaged),
  empty: () => adapter?.empty(),
  async jump(milliseconds: number) {
    Date.now = () => realNow() + milliseconds;
  },
  async end() {
    await api.detachCache();
    await adapter?.close();
    httpAgent.destroy();
    setImmediate(() => process.disconnect?.());
    return { ...totals, escaped };
  },
};
export type Actions = typeof actions;

/** Answers its parent's messages until `end`. */
export function serve(): void {
  process.on('message', async ({ name, argument }: { name: keyof Actions; argument: never }) => {
    process.send?.({ result: await actions[name](argument) });
  });
  process.send?.({ result: 'started' });
}

import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import axios from 'axios';
import { type CacheOptions, setupCache } from '../../../lib/index.js';

/**
 * Sends requests of all kinds through a cache for a time, and checks every response: its path, and that it is not older
 * than an acknowledged write. Prints its figures as JSON.
 */

export interface SoakOptions {
  readonly cache: object;
  readonly originUrl: string;
  readonly seconds: number;
}

/** Different URLs, requests at the same time, and bytes of a body. */
const URLS = 50_000;
const WORKERS = 40;

export interface SoakResult {
  readonly requests: number;
  readonly hits: number;
  /** Descriptions of wrong responses, and of errors other than those of the origin and of aborts. */
  readonly wrong: readonly string[];
  /** Bytes of the heap after collections, in the middle and at the end. */
  readonly heap: readonly [middle: number, end: number];
  /** Open file descriptors before the first request and after the end of the cache. */
  readonly descriptors: readonly [before: number, after: number];
}

const descriptors = () => readdirSync('/proc/self/fd').length;
/** Most requests are for few URLs. */
const anyPath = () => `/${Math.floor(URLS * Math.random() ** 3)}`;

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Runs the process to its end. */
export async function soak({ cache, originUrl, seconds }: SoakOptions): Promise<void> {
  const wrong: string[] = [];
  process.on('unhandledRejection', (error) => wrong.push(`unhandled rejection: ${error}`));
  process.on('uncaughtException', (error) => wrong.push(`uncaught exception: ${error.stack}`));
  process.on('warning', ({ name, message }) => name === 'MaxListenersExceededWarning' && wrong.push(message));
  const before = descriptors();
  const httpAgent = new Agent({ keepAlive: true, maxSockets: WORKERS * 2 });
  const api = setupCache(axios.create({ baseURL: originUrl, httpAgent, validateStatus: () => true }), {
    ...cache,
    expireAfter: '20s',
    staleWhileRevalidate: '5s',
    tags: ({ url }: { url: string }) => [`group ${new URL(url).pathname.length}`],
    onEvent: () => {},
  } as CacheOptions);
  const written = new Map<string, number>();
  let [requests, hits] = [0, 0];

  const check = (path: string, least: number, text: string) => {
    const found = JSON.parse(text) as { path: string; version: number };
    if (found.path !== path || found.version < least) wrong.push(`${path}, at least ${least}: ${text.slice(0, 80)}`);
  };

  /** A GET, possibly aborted. The origin fails for some paths. */
  const get = async (path: string) => {
    const least = written.get(path) ?? 0;
    const signal = Math.random() < 0.03 ? AbortSignal.timeout(Math.ceil(5 * Math.random())) : undefined;
    const options = {
      responseType: 'text',
      transformResponse: (data: string) => data,
      ...(signal && { signal }),
    } as const;
    const { status, data, fromCache } = await api.get<string>(path, options);
    if (status === 200) check(path, least, data);
    if (fromCache) hits += 1;
  };
  /** A stream, which half of the readers leave. */
  const stream = async (path: string) => {
    const least = written.get(path) ?? 0;
    const { status, data } = await api.get<Readable>(path, { responseType: 'stream' });
    if (Math.random() < 0.5) data.destroy();
    else if (status === 200) check(path, least, await textOf(data));
    else data.resume();
  };
  const write = async (path: string) => {
    const { data } = await api.post(path, {}, { invalidates: true });
    if (data.version > (written.get(path) ?? 0)) written.set(path, data.version);
  };
  const remove = async (path: string) => {
    const kind = Math.random();
    if (kind < 0.8) await api.cache.deleteUrl(originUrl + path);
    else if (kind < 0.9) await api.cache.delete({ tags: [`group ${path.length}`] });
    else await api.removeExpiredResponses();
  };

  const turn = async () => {
    const [kind, path] = [Math.random(), anyPath()];
    requests += 1;
    try {
      if (kind < 0.9) await get(path);
      else if (kind < 0.94) await stream(path);
      else if (kind < 0.999) await write(path);
      else await remove(path);
    } catch (error) {
      const { code, name } = error as { code?: string; name?: string };
      // Aborts, connections that the origin resets, and management during a fault of the store.
      const isExpected = ['ERR_CANCELED', 'ECONNRESET', 'ECONNABORTED', 'ABORT_ERR'].includes(code ?? '');
      if (!isExpected && !code?.startsWith('ERR_CACHE_STORE')) wrong.push(`${path}: ${name} ${code} ${error}`);
    }
  };
  const until = async (end: number) => {
    const work = async () => {
      while (performance.now() < end) await turn();
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const middle = await until(performance.now() + seconds * 500);
  const end = await until(performance.now() + seconds * 500);
  await api.detachCache();
  httpAgent.destroy();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const result: SoakResult = { requests, hits, wrong, heap: [middle, end], descriptors: [before, descriptors()] };
  console.log(JSON.stringify(result));
}

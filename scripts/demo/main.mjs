// The headline of requests-cache, for axios: a slow origin, 60 requests, one second.
// npm run demo [-- --requests 60 --delay 1 --sample 3]

import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';
import progress from 'cli-progress';
import { startOrigin } from './origin.mjs';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '60' },
    delay: { type: 'string', default: '1' },
    sample: { type: 'string', default: '3' },
  },
});
const [requests, delay, sample] = [values.requests, values.delay, values.sample].map(Number);

const folder = await mkdtemp(path.join(tmpdir(), 'axios-keyv-cache-demo-'));
const cacheName = path.join(folder, 'demo_cache');
const origin = await startOrigin(delay);
const url = `${origin.url}/delay/${delay}`;

try {
  console.log(`An origin at ${origin.url} takes ${delay} s for each request.\n`);
  const backend = await usableBackend();

  const plain = await timed(`without a cache, ${sample} of ${requests}`, sample, () => axios.get(url));
  report(
    `${requests} requests without a cache`,
    `${((plain / sample) * requests).toFixed(1)} s`,
    `estimated from ${sample} of them`,
  );

  const api = setupCache(axios.create(), { cacheName, backend, expireAfter: '2s', oldDataOnError: true });
  origin.reset();
  const cached = await timed(`with the cache, ${requests}`, requests, () => api.get(url));
  report(`${requests} requests with the cache`, `${cached.toFixed(2)} s`, `${origin.requests()} reached the origin`);

  const other = await secondProcess(backend);
  report('The first request of a second process', `${other.milliseconds.toFixed(0)} ms`, other.cacheStatus);

  await until(async () => (await api.get(url, { onlyIfCached: true })).isExpired);
  await origin.stop();
  const stale = await api.get(url);
  report('With the origin shut down', `status ${stale.status}`, stale.cacheStatus);

  const { removed, kept } = await api.cache.removeExpiredResponses();
  report('Expired responses removed', `${removed} removed`, `${kept} kept`);
  await api.detachCache();

  const isRight = cached < plain / sample + 1 && origin.requests() === 1 && other.fromCache && stale.fromCache;
  if (!isRight || removed !== 1) throw new Error('a result of the demo is wrong');
  console.log('\nNext: docs/getting-started.md, and the recipes in examples/');
} finally {
  await origin.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Sends that many requests one after another, with a progress bar on a terminal; resolves to the seconds. */
async function timed(title, times, send) {
  const bar = new progress.SingleBar({ format: `{bar} {value}/{total} ${title}`, barsize: 30, clearOnComplete: true });
  if (process.stdout.isTTY) bar.start(times, 0);
  const start = performance.now();
  for (let time = 0; time < times; time += 1) {
    await send();
    bar.increment();
  }
  bar.stop();
  return (performance.now() - start) / 1000;
}

/** Prints a line of at most 80 columns, and the details below it. */
function report(title, result, details) {
  console.log(`${title.padEnd(44)}${result.padStart(14)}\n    ${details}`);
}

/** SQLite, or files if neither this version of Node.js nor the installation has SQLite. */
async function usableBackend() {
  const probe = setupCache(axios.create(), { cacheName, backend: 'sqlite' });
  try {
    await probe.cache.ready();
    return 'sqlite';
  } catch (error) {
    console.log(`${error.message}\n\nThe demo uses the backend "filesystem" instead.\n`);
    return 'filesystem';
  } finally {
    await probe.detachCache();
  }
}

/** Another process asks for the same URL, with nothing in common but the stored responses. */
function secondProcess(backend) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./second-process.mjs', import.meta.url), [cacheName, url, backend]);
    child.once('message', resolve);
    child.once('error', reject);
  });
}

async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

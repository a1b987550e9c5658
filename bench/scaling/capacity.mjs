import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { mongo } from '../../scripts/services/mongo.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import { runInSteps } from '../program.mjs';
import { openFigures } from './redis-figures.mjs';

export const title = 'Capacity';
export const note =
  'Responses of 2 KB of JSON, 32 requests at once: microseconds of processor time for a hit and for a write (a miss less the ' +
  'origin), in the client and in the server; requests a second if a core does nothing else; bytes for each entry.';

/** Stops between its parts, so that the figures of servers can be read. */
const PROGRAM = `
  import { createInterface } from 'node:readline/promises';
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const [, , backend, cacheName, url, entries, hits] = process.argv;
  const number = Number(entries);
  const warmUp = Math.min(3_000, number);
  const body = JSON.stringify({ items: Array.from({ length: 32 }, (_, id) => ({ id, text: 'x'.repeat(40) })) });
  const adapter = async (config) => ({ data: Buffer.from(body), status: 200, statusText: 'OK', headers: { 'content-type': 'application/json', date: new Date().toUTCString() }, config, request: {} });
  const instance = axios.create({ adapter });
  const bounds = backend === 'memory' ? { maxEntries: number * 2, maxSize: 2 ** 33 } : {};
  const backendOptions = { ...bounds, ...(url === '' ? {} : { url }), backendTimeout: 60 };
  const api = backend === 'none' ? instance : setupCache(instance, { backend, cacheName, expireAfter: 3_600, backendOptions });
  const all = async (path, count) => {
    let next = 0;
    const worker = async () => { while (next < count) await api.get(path(next++)); };
    await Promise.all(Array.from({ length: 32 }, worker));
  };
  const used = () => {
    for (let round = 0; round < 5; round += 1) globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const cost = async (path, count) => {
    const [before, began] = [process.cpuUsage(), performance.now()];
    await all(path, count);
    const { user, system } = process.cpuUsage(before);
    return { cpu: (user + system) / count, wall: (performance.now() - began) * 1_000 / count };
  };
  const step = async (name) => {
    process.send({ step: name });
    await new Promise((resolve) => process.once('message', resolve));
  };
  await api.cache?.ready();
  await all((index) => 'https://warm.example/' + index, warmUp);
  await all((index) => 'https://warm.example/' + index % 100, warmUp);
  await api.cache?.clear();
  const before = used();
  await step('empty');
  const write = await cost((index) => 'https://a.example/items/' + index, number);
  await step('full');
  const live = (used() - before) / number;
  const read = await cost((index) => 'https://a.example/items/' + (index * 7_919) % number, Number(hits));
  await step('read');
  const counted = backend === 'mongodb' ? await api.cache.size() / number : undefined;
  await api.detachCache?.();
  process.send({ result: { write, read, live, counted } }, () => process.exit());
`;

const BACKENDS = [
  ['axios without a cache', 'none'],
  ['memory', 'memory'],
  ['SQLite', 'sqlite'],
  ['files', 'filesystem'],
  ['Redis', 'redis', redis],
  // The test server is not MongoDB: its own processor time means nothing, and it takes long.
  ['MongoDB', 'mongodb', mongo, 0.1],
];

/** @param {{ scale: number }} size */
export async function run({ scale }) {
  const rows = [];
  for (const [contender, backend, service, share = 1] of BACKENDS) {
    const requests = Math.max(200, Math.round(20_000 * scale * share));
    if (service && !service.isInstalled()) continue;
    const folder = mkdtempSync(path.join(tmpdir(), 'axios-keyv-cache-bench-'));
    const server = await service?.start();
    try {
      rows.push({
        contender,
        ...(await measure(backend, { folder, url: server?.url, entries: requests, hits: requests })),
      });
    } finally {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
}

/** Measures hits, writes and bytes of a backend in a process of its own. */
async function measure(backend, { folder, url = '', entries, hits }) {
  const isFile = backend === 'sqlite' || backend === 'filesystem';
  const cacheName = isFile ? path.join(folder, 'cache') : 'capacity';
  const figures = backend === 'redis' ? await openFigures(url) : undefined;
  const at = {};
  const onStep = async (name) => {
    if (figures) at[name] = { cpu: await figures.cpu(), memory: await figures.memory() };
  };
  const parameters = [backend, cacheName, url, String(entries), String(hits)];
  const { read, write, live, counted } = await runInSteps(PROGRAM, parameters, onStep);
  figures?.close();
  const server = figures && {
    read: (at.read.cpu - at.full.cpu) / hits,
    write: (at.full.cpu - at.empty.cpu) / entries,
    bytes: (at.full.memory - at.empty.memory) / entries,
  };
  const bytes = {
    memory: () => live,
    sqlite: () => sizeOf(folder) / entries,
    filesystem: () => sizeOf(folder) / entries,
    redis: () => server?.bytes,
    mongodb: () => counted,
  }[backend]?.();
  return {
    'hit, client µs': read.cpu,
    'hit, server µs': server?.read,
    'hits/s, client core': Math.round(1e6 / read.cpu),
    'hits/s, server core': server && Math.round(1e6 / server.read),
    'write, client µs': write.cpu,
    'write, server µs': server?.write,
    'bytes an entry': bytes && Math.round(bytes),
    'entries a GB': bytes && Math.round(1e9 / bytes),
  };
}

/** Bytes that the files of a folder have on the disk, less the reserve for a full disk. */
function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('-reserve'))
    .reduce((sum, name) => sum + statSync(path.join(folder, name)).blocks * 512, 0);
}

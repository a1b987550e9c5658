import { createCluster } from '@keyv/redis';
import { redisCluster } from '../../scripts/services/redis.mjs';
import { runInSteps } from '../program.mjs';
import { median } from '../statistics.mjs';
import { openFigures } from './redis-figures.mjs';

export const title = 'Shards';
export const note =
  '8 client processes on a Redis Cluster of three masters, responses of 2 KB: microseconds of processor time for a request in ' +
  'the busiest server, less those of an idle server, and requests a second if that server has a core. `rows` are the entries ' +
  'of each master.';

const PROCESSES = 8;
const URLS = 3_000;
/** The parts of the program that are measured, each with the one before it. */
const PHASES = { writes: 'idle', 'hits, one at a time': 'writes', 'hits, 64 at once': 'hits, one at a time' };
const PROGRAM = `
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const [, , url, cacheName, shards, process_, writes, hits] = process.argv;
  const body = JSON.stringify({ items: Array.from({ length: 32 }, (_, id) => ({ id, text: 'x'.repeat(40) })) });
  const adapter = async (config) => ({ data: body, status: 200, statusText: 'OK', headers: { 'content-type': 'application/json' }, config, request: {} });
  const backendOptions = { clusterOptions: { rootNodes: [{ url }] }, shards: Number(shards), backendTimeout: 60 };
  const api = setupCache(axios.create({ adapter }), { backend: 'redis', cacheName, expireAfter: 3_600, backendOptions });
  const all = (atOnce, work) => Promise.all(Array.from({ length: atOnce }, work));
  const times = (atOnce, count, path) => { let next = 0; return all(atOnce, async () => { while (next < count) await api.get(path(next++)); }); };
  const step = async (name) => {
    process.send({ step: name });
    await new Promise((resolve) => process.once('message', resolve));
  };
  const stored = (index) => 'https://a.example/items/' + (index * 7_919 + Number(process_)) % ${URLS};
  // While 8 processes start, a connection may take too long.
  for (let attempt = 0; ; attempt += 1) {
    try { await api.cache.ready(); break; } catch (error) { if (attempt === 20) throw error; }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  // Opens the connections and loads the scripts.
  await times(16, ${URLS} / ${PROCESSES}, (index) => 'https://a.example/items/' + (index * ${PROCESSES} + Number(process_)));
  await step('begin');
  await step('idle');
  await times(16, Number(writes), (index) => 'https://a.example/new/' + process_ + '/' + index);
  await step('writes');
  await times(1, Number(hits), stored);
  await step('hits, one at a time');
  await times(64, Number(hits) * 4, stored);
  await step('hits, 64 at once');
  await api.detachCache();
  process.send({ result: {} }, () => process.exit());
`;

/** @param {{ scale: number, rounds: number }} size */
export async function run({ scale, rounds }) {
  if (!redisCluster.isInstalled()) return [];
  const samples = new Map([1, 64].map((shards) => [shards, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [shards, list] of samples) list.push(await measure(shards, scale));
  }
  return [...samples].map(([shards, list]) => {
    const of = (name) => median(list.map((sample) => sample.busiest[name]));
    const row = { contender: `${shards} shard${shards === 1 ? '' : 's'}` };
    for (const name of Object.keys(PHASES)) {
      row[`${name}: µs`] = of(name);
      row[`${name}: a second`] = Math.round(1e6 / of(name));
    }
    const { rows, connections } = list.at(-1);
    return { ...row, rows: rows.join(' / '), 'connections a process': connections };
  });
}

async function measure(shards, scale) {
  const server = await redisCluster.start();
  const masters = await Promise.all((await mastersOf(server.url)).map(openFigures));
  const [writes, hits] = [Math.ceil(500 * scale), Math.ceil(500 * scale)];
  const marks = {};
  const mark = async () => ({ at: performance.now(), cpu: await Promise.all(masters.map((master) => master.cpu())) });
  let rows = [];
  let connections = 0;
  const onStep = barrier(PROCESSES, async (name) => {
    marks[name] = await mark();
    if (name === 'idle') {
      const numbers = await Promise.all(masters.map((master) => master.connections()));
      connections = numbers.reduce((sum, number) => sum + number, 0) / PROCESSES;
    }
    if (name === 'begin') await new Promise((resolve) => setTimeout(resolve, 2_000 * Math.min(1, scale)));
    if (name === 'writes') rows = await Promise.all(masters.map((master) => master.rows('{shards*}:r:*')));
    // Figures are read before the next part begins.
    if (name !== 'begin') marks[`after ${name}`] = await mark();
  });
  try {
    const parameters = [server.url, 'shards', shards];
    await Promise.all(
      Array.from({ length: PROCESSES }, (_, number) =>
        runInSteps(PROGRAM, [...parameters, number, writes, hits].map(String), onStep),
      ),
    );
    const spent = (from, to) => masters.map((_, at) => to.cpu[at] - from.cpu[at]);
    const idle = Math.min(...spent(marks.begin, marks.idle)) / (marks.idle.at - marks.begin.at);
    const counts = { writes, 'hits, one at a time': hits, 'hits, 64 at once': 4 * hits };
    const busiest = {};
    for (const [name, before] of Object.entries(PHASES)) {
      const [from, to] = [marks[`after ${before}`], marks[name]];
      const own = spent(from, to).map((cpu) => cpu - idle * (to.at - from.at));
      busiest[name] = Math.max(...own) / (PROCESSES * counts[name]);
    }
    return { busiest, rows, connections };
  } finally {
    for (const master of masters) master.close();
    await server.stop();
  }
}

async function mastersOf(url) {
  const cluster = createCluster({ rootNodes: [{ url }] });
  await cluster.connect();
  const urls = cluster.masters.map(({ address }) => `redis://${address}`);
  cluster.destroy();
  return urls;
}

/** Resolves for all callers with a name once as many have called, after the work for that name. */
function barrier(number, work) {
  const waiting = new Map();
  return (name) =>
    new Promise((resolve, reject) => {
      const callers = waiting.get(name) ?? [];
      waiting.set(name, callers);
      callers.push({ resolve, reject });
      if (callers.length < number) return;
      work(name).then(
        () => callers.forEach((caller) => void caller.resolve()),
        (error) => callers.forEach((caller) => void caller.reject(error)),
      );
    });
}

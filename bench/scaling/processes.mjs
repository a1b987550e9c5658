import { redis } from '../../scripts/services/redis.mjs';
import { runInSteps } from '../program.mjs';
import { openFigures } from './redis-figures.mjs';

export const title = 'Processes';
export const note =
  'Caches on one Redis, each with a connection of its own as in a process of its own: connections and bytes of the server for ' +
  'each; all request one URL whose origin takes a second, with `lease` by that many commands to Redis; one and all call ' +
  '`removeExpiredResponses()` over 10,000 entries of which none has expired. 1,000 caches in one process of the benchmark are ' +
  'slower than 1,000 processes.';

const PROGRAM = `
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const [, , url, caches, entries] = process.argv;
  const answer = (config) => ({ data: '{"id":1}', status: 200, statusText: 'OK', headers: { 'content-type': 'application/json' }, config, request: {} });
  let asked = 0;
  const slow = async (config) => { asked += 1; await new Promise((resolve) => setTimeout(resolve, 1_000)); return answer(config); };
  const open = async (adapter) => {
    const api = setupCache(axios.create({ adapter }), { backend: 'redis', cacheName: 'processes', expireAfter: 3_600, backendOptions: { url, backendTimeout: 60 } });
    for (let attempt = 0; ; attempt += 1) {
      try { await api.cache.ready(); return api; } catch (error) { if (attempt === 20) throw error; }
    }
  };
  const step = async (name) => {
    process.send({ step: name });
    await new Promise((resolve) => process.once('message', resolve));
  };
  const filler = await open(async (config) => answer(config));
  for (let first = 0; first < Number(entries); first += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => filler.get('https://a.example/' + (first + index))));
  }
  await step('filled');
  const apis = [];
  while (apis.length < Number(caches)) {
    const some = Math.min(10, Number(caches) - apis.length);
    apis.push(...(await Promise.all(Array.from({ length: some }, () => open(slow)))));
  }
  await step('open');
  const withLease = apis.map(({ cache }) => setupCache(axios.create({ adapter: slow }), { backend: cache, expireAfter: 3_600, lease: true }));
  const result = {};
  for (const [name, some] of [['without', apis], ['with', withLease]]) {
    asked = 0;
    const began = performance.now();
    await Promise.all(some.map((api) => api.get('https://a.example/' + name)));
    result[name] = { asked, seconds: (performance.now() - began) / 1_000 };
    await step(name);
  }
  await filler.cache.removeExpiredResponses();
  await step('swept by one');
  await Promise.all(apis.map((api) => api.cache.removeExpiredResponses()));
  await step('swept by all');
  process.send({ result }, () => process.exit());
`;

/** @param {{ scale: number }} size */
export async function run({ scale }) {
  if (!redis.isInstalled()) return [];
  const rows = [];
  for (const caches of [10, 100, 1_000]) rows.push(await measure(Math.max(2, Math.round(caches * scale)), scale));
  return rows;
}

async function measure(caches, scale) {
  const server = await redis.start();
  const figures = await openFigures(server.url);
  const at = {};
  const onStep = async (name) => {
    at[name] = {
      cpu: await figures.cpu(),
      memory: await figures.memory(),
      connections: await figures.connections(),
      commands: await figures.commands(),
    };
    await figures.reset();
  };
  try {
    const parameters = [server.url, String(caches), String(Math.max(100, Math.round(10_000 * scale)))];
    const result = await runInSteps(PROGRAM, parameters, onStep);
    const connections = at.open.connections - at.filled.connections;
    return {
      contender: `${caches} caches`,
      connections,
      'server bytes a connection': Math.round((at.open.memory - at.filled.memory) / connections),
      'origin requests without lease': result.without.asked,
      'with lease': result.with.asked,
      'commands of each': at.with.commands / caches,
      'slowest with lease, s': result.with.seconds,
      'sweep by one, server ms': (at['swept by one'].cpu - at.with.cpu) / 1_000,
      'sweep by all, server ms': (at['swept by all'].cpu - at['swept by one'].cpu) / 1_000,
    };
  } finally {
    figures.close();
    await server.stop();
  }
}

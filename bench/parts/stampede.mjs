import { startOrigin } from '../origin.mjs';
import { runProgram } from '../program.mjs';
import { median, quantile } from '../statistics.mjs';

export const title = 'A cold cache and 8 processes';
export const note =
  '8 processes request the same 20 URLs at once, with an empty Redis; the origin takes as long as the loopback interface does.';

const PROCESSES = 8;
const URLS = 20;
const PROGRAM = `
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const [, , origin, url, cacheName, lease, startAt] = process.argv;
  const api = setupCache(axios.create({ baseURL: origin }), { backend: 'redis', cacheName, lease: lease === 'true', backendOptions: { url } });
  await api.cache.ready();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
  const began = performance.now();
  await Promise.all(Array.from({ length: ${URLS} }, (_, index) => api.get('/' + index)));
  console.log(JSON.stringify({ ms: performance.now() - began }));
  await api.detachCache();
  process.exit();
`;

export async function run({ redisUrl, rounds }) {
  if (!redisUrl) return [];
  const rows = [];
  for (const [label, lease, processes] of [
    ['one process', false, 1],
    ['without lease', false, PROCESSES],
    ['with lease', true, PROCESSES],
  ]) {
    const asked = [];
    const slowest = [];
    for (let round = 0; round < Math.max(1, Math.ceil(rounds / 4)); round += 1) {
      const origin = await startOrigin('{"id":1}');
      const startAt = String(Date.now() + 1_500);
      const parameters = [
        origin.url,
        redisUrl,
        `stampede-${label.replaceAll(' ', '-')}-${round}`,
        String(lease),
        startAt,
      ];
      const runs = Array.from({ length: processes }, () => runProgram(PROGRAM, parameters));
      slowest.push(
        quantile(
          (await Promise.all(runs)).map(({ ms }) => ms),
          1,
        ),
      );
      asked.push(origin.counts.requests);
      origin.close();
    }
    rows.push({ contender: label, 'origin requests': median(asked), 'slowest process, ms': median(slowest) });
  }
  return rows;
}

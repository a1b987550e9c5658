import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { runProgram } from '../program.mjs';

export const title = 'Sweeps and growth';
export const note =
  'Milliseconds of `removeExpiredResponses()` if nothing or a tenth has expired, and microseconds of a hit, by the number of stored responses with bodies of 2 KB.';

const PROGRAM = `
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const [, , backend, cacheName, url, size] = process.argv;
  const body = 'x'.repeat(2_048);
  const adapter = async (config) => ({ data: body, status: 200, statusText: 'OK', headers: { 'content-type': 'text/plain' }, config, request: {} });
  const backendOptions = backend === 'redis' ? { url, backendTimeout: 60 } : { backendTimeout: 60 };
  const api = setupCache(axios.create({ adapter }), { backend, cacheName, backendOptions });
  const time = async (work) => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const hit = async () => {
    const times = Math.min(500, size);
    const path = (index) => 'https://a.example/kept/' + (index * 7919) % Math.max(1, Math.floor(size * 0.9));
    const rounds = [];
    for (let round = 0; round < 5; round += 1) {
      rounds.push(await time(async () => { for (let index = 0; index < times; index += 1) await api.get(path(index)); }) / times * 1_000);
    }
    return rounds.sort((a, b) => a - b)[2];
  };
  const fill = async (name, number, options) => {
    for (let first = 0; first < number; first += 200) {
      const some = Array.from({ length: Math.min(200, number - first) }, (_, index) => first + index);
      await Promise.all(some.map((index) => api.get('https://a.example/' + name + '/' + index, options)));
    }
  };
  await fill('kept', Math.floor(size * 0.9), {});
  await fill('expired', Math.ceil(size * 0.1), { expireAfter: 0.001 });
  const result = { hit: await hit() };
  result.tenth = await time(() => api.cache.removeExpiredResponses());
  result.nothing = await time(() => api.cache.removeExpiredResponses());
  console.log(JSON.stringify(result));
  await api.cache.clear();
  await api.detachCache();
`;

export async function run({ scale, redisUrl, isFull }) {
  const sizes = isFull ? [1_000, 10_000, 100_000, 1_000_000] : [1_000, 10_000, 50_000];
  const backends = redisUrl ? ['sqlite', 'redis'] : ['sqlite'];
  const rows = [];
  for (const backend of backends) {
    for (const size of sizes) {
      const number = Math.max(20, Math.round(size * scale));
      const folder = mkdtempSync(path.join(tmpdir(), 'axios-keyv-cache-bench-'));
      const cacheName = backend === 'sqlite' ? path.join(folder, 'cache') : 'sweeps';
      try {
        const parameters = [backend, cacheName, redisUrl ?? '', String(number)];
        const { hit, tenth, nothing } = await runProgram(PROGRAM, parameters);
        rows.push({
          contender: backend,
          entries: number,
          'hit, µs': hit,
          'none expired, ms': nothing,
          'a tenth, ms': tenth,
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  }
  return rows;
}

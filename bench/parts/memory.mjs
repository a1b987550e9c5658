import { runProgram } from '../program.mjs';

export const title = 'Memory';
export const note =
  'Live bytes for each stored response with a body of 2 KB, after a collection; `counted` is the size that `cache.size()` reports.';

const PROGRAM = `
  import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  const number = Number(process.argv[2]);
  const used = () => {
    for (let round = 0; round < 5; round += 1) globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const body = 'x'.repeat(2_048);
  const adapter = async (config) => ({ data: Buffer.from(body), status: 200, statusText: 'OK', headers: { 'content-type': 'text/plain', date: new Date().toUTCString() }, config, request: {} });
  const options = { backend: 'memory', backendOptions: { maxEntries: number * 2, maxSize: 2 ** 33 } };
  const api = setupCache(axios.create({ adapter }), options);
  for (let index = 0; index < 2_000; index += 1) await api.get('https://warm.example/' + index);
  await api.cache.clear();
  const before = used();
  for (let index = 0; index < number; index += 1) await api.get('https://a.example/items/' + index);
  const entry = (used() - before) / number;
  console.log(JSON.stringify({ entry, counted: (await api.cache.size()) / number }));
`;

export async function run({ scale }) {
  const number = Math.max(100, Math.round(20_000 * scale));
  const { entry, counted } = await runProgram(PROGRAM, [String(number)], ['--expose-gc']);
  return [{ contender: 'memory', 'bytes an entry': entry, counted, 'counted / live': counted / entry }];
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { runProgram } from '../program.mjs';
import { median, spread } from '../statistics.mjs';

export const title = 'Start of a process';
export const note =
  'Milliseconds, each in a new process: the import beside axios (which is loaded before), and the first hit with its import from a SQLite file that an earlier process has written.';

const PROGRAM = `
  import axios from 'axios';
  const [, , kind, cacheName] = process.argv;
  const adapter = async (config) => ({ data: '{"id":1}', status: 200, statusText: 'OK', headers: { 'content-type': 'application/json' }, config, request: {} });
  const began = performance.now();
  let result = { import: 0, first: 0 };
  if (kind === 'bare') {
    const sqlite = process.getBuiltinModule?.('node:sqlite');
    if (sqlite) {
      const database = new sqlite.DatabaseSync(cacheName + '-bare.sqlite');
      database.exec('CREATE TABLE IF NOT EXISTS t (k PRIMARY KEY, v)');
      database.prepare('INSERT OR IGNORE INTO t VALUES (?, ?)').run('a', '{"id":1}');
      const value = database.prepare('SELECT v FROM t WHERE k = ?').get('a').v;
      await axios.create({ adapter: async (config) => ({ ...(await adapter(config)), data: value }) }).get('http://a.example/a');
    } else {
      const { default: KeyvSqlite } = await import('@keyv/sqlite');
      const store = new KeyvSqlite({ uri: 'sqlite://' + cacheName + '-bare.sqlite' });
      await store.set('a', '{"id":1}');
      const value = await store.get('a');
      await axios.create({ adapter: async (config) => ({ ...(await adapter(config)), data: value }) }).get('http://a.example/a');
    }
    result.first = performance.now() - began;
  } else {
    const { setupCache } = await import('axios-keyv-cache');
    result.import = performance.now() - began;
    const api = setupCache(axios.create({ adapter }), { backend: 'sqlite', cacheName });
    const { fromCache } = await api.get('http://a.example/a');
    result.first = performance.now() - began;
    result.fromCache = fromCache;
    await api.detachCache();
  }
  console.log(JSON.stringify(result));
  process.exit();
`;

export async function run({ rounds }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'axios-keyv-cache-bench-'));
  const cacheName = path.join(folder, 'start');
  const samples = { bare: [], cache: [], import: [] };
  try {
    await runProgram(PROGRAM, ['cache', cacheName]);
    for (let round = 0; round < rounds; round += 1) {
      samples.bare.push((await runProgram(PROGRAM, ['bare', cacheName])).first);
      const { import: loading, first, fromCache } = await runProgram(PROGRAM, ['cache', cacheName]);
      if (!fromCache) throw new Error('the first request of a new process was no hit');
      samples.cache.push(first);
      samples.import.push(loading);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const bare = median(samples.bare);
  return [
    { contender: 'import', ms: median(samples.import), 'spread, %': spread(samples.import) * 100 },
    { contender: 'first read of the bare driver', ms: bare, 'x bare': 1, 'spread, %': spread(samples.bare) * 100 },
    {
      contender: 'first hit, SQLite',
      ms: median(samples.cache),
      'x bare': median(samples.cache) / bare,
      'spread, %': spread(samples.cache) * 100,
    },
  ];
}

// The cost of a hit, as ratios in one run: interleaved rounds, medians.
// npm run bench            a table
// npm run bench -- --json  the figures

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import KeyvSqlite from '@keyv/sqlite';
import axios from 'axios';
import { setupCache as setupPeer } from 'axios-cache-interceptor';
import { setupCache } from 'axios-keyv-cache';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '15' } } });
const rounds = Number(values.rounds);

const PAYLOADS = {
  '40 B JSON': { body: JSON.stringify({ id: 1, name: 'forty bytes of JSON text' }), times: 1500 },
  '30 KB JSON': {
    body: JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ id, text: 'x'.repeat(80) }))),
    times: 150,
  },
  '256 KB bytes': { body: randomBytes(256 * 1024), times: 60 },
};

/** An adapter that resolves at once, to measure the cost of axios itself. */
const instant = (body) => async (config) => ({
  data: config.responseType === 'arraybuffer' ? Buffer.from(body) : String(body),
  status: 200,
  statusText: 'OK',
  headers: { 'content-type': 'application/json' },
  config,
  request: {},
});

const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
const rows = [];
try {
  for (const [name, { body, times }] of Object.entries(PAYLOADS)) {
    rows.push(await measure(name, body, times));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(Object.fromEntries(rows.map(({ payload, ...row }) => [payload, row])));

async function measure(payload, body, times) {
  const config = typeof body === 'string' ? {} : { responseType: 'arraybuffer' };
  const url = 'http://localhost/thing';
  const plain = axios.create({ adapter: instant(body) });
  const memory = setupCache(axios.create({ adapter: instant(body) }), { backend: 'memory' });
  const cacheName = path.join(folder, payload.replaceAll(' ', '_'));
  const sqlite = setupCache(axios.create({ adapter: instant(body) }), { backend: 'sqlite', cacheName });
  const peer = setupPeer(axios.create({ adapter: instant(body) }), { interpretHeader: false, cacheTakeover: false });
  const raw = new KeyvSqlite({ uri: `sqlite://${cacheName}-raw.sqlite` });
  await raw.query('PRAGMA journal_mode = WAL');
  await raw.set('key', Buffer.from(body));

  const cases = {
    floor: () => plain.get(url, config),
    memory: () => memory.get(url, config),
    peer: () => peer.get(url, config),
    sqlite: () => sqlite.get(url, config),
    raw: () => raw.get('key'),
  };
  for (const run of Object.values(cases)) await run();
  for (const instance of [memory, sqlite]) {
    if (!(await instance.get(url, config)).fromCache) throw new Error(`${payload}: not a hit`);
  }

  const samples = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds + 2; round += 1) {
    for (const [name, run] of Object.entries(cases)) {
      const start = process.hrtime.bigint();
      for (let time = 0; time < times; time += 1) await run();
      // The first rounds warm up.
      if (round >= 2) samples[name].push(Number(process.hrtime.bigint() - start) / 1000 / times);
    }
  }
  await memory.detachCache();
  await sqlite.detachCache();
  await raw.disconnect();

  const median = (name) => samples[name].sort((a, b) => a - b)[samples[name].length >> 1];
  const [floor, rawRead] = [median('floor'), median('raw')];
  const figure = (value) => Number(value.toFixed(2));
  return {
    payload,
    'floor µs': figure(floor),
    'memory / floor': figure(median('memory') / floor),
    'axios-cache-interceptor / floor': figure(median('peer') / floor),
    'raw read µs': figure(rawRead),
    '(sqlite - floor) / raw read': figure((median('sqlite') - floor) / rawRead),
  };
}

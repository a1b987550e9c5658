// The cost of tags, as ratios in one run: interleaved rounds, medians.
// npm run bench:tags                    100,000 entries
// npm run bench:tags -- --entries 1000  fewer
// npm run bench:tags -- --backends redis,sqlite

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import axios from 'axios';
import { MemoryCache, MongoCache, RedisCache, SqliteCache, setupCache } from 'axios-keyv-cache';
import { mongo } from '../scripts/services/mongo.mjs';
import { redis } from '../scripts/services/redis.mjs';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
    backends: { type: 'string', default: 'memory,sqlite,redis,mongodb' },
  },
});
const [entries, rounds] = [Number(values.entries), Number(values.rounds)];
/** Entries with the tag, and the number of known keys. */
const TAGGED = 100;
/** Seconds: no write may continue in the background, or be given up. */
const backendTimeout = 600;
/** Writes of one round. */
const WRITES = 400;

/** Resolves at once, so that only the cache costs time. */
const adapter = async (config) => ({
  data: '{"id":1,"name":"forty bytes of JSON text"}',
  status: 200,
  statusText: 'OK',
  headers: { 'content-type': 'application/json' },
  config,
  request: {},
});

const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
const servers = [];
try {
  const cacheName = `bench_${randomBytes(4).toString('hex')}`;
  const start = async (service) => {
    const server = await service.start();
    servers.push(server);
    return server.url;
  };
  const caches = {
    memory: () => new MemoryCache({ maxEntries: 2 * entries, maxSize: 1_000_000_000 }),
    sqlite: () => new SqliteCache({ cacheName: path.join(folder, 'cache'), backendTimeout }),
    redis: async () => new RedisCache({ cacheName, backendTimeout, url: await start(redis) }),
    mongodb: async () => new MongoCache({ cacheName, backendTimeout, url: await start(mongo) }),
  };
  const table = {};
  for (const name of values.backends.split(',')) table[name] = await measure(await caches[name]());
  console.table(table);
} finally {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(cache) {
  const api = setupCache(axios.create({ adapter, baseURL: 'http://localhost' }), { backend: cache });
  const store = (name, count, tags) => inParallel(count, (number) => api.get(`/${name}/${number}`, { tags }));
  const writing = { plain: [], tagged: [] };
  for (let round = 0; round < rounds; round += 1) {
    const tags = ['a', 'b', 'c', 'd', 'e'];
    writing.plain.push(await time(() => oneByOne(WRITES, (number) => api.get(`/w/${round}/${number}`))));
    writing.tagged.push(await time(() => oneByOne(WRITES, (number) => api.get(`/t/${round}/${number}`, { tags }))));
  }
  await store('other', entries - TAGGED, ['other']);
  const deletion = { keys: [], tag: [] };
  for (let round = 0; round < rounds; round += 1) {
    const keys = (await store('known', TAGGED, ['known'])).map(({ cacheKey }) => cacheKey);
    deletion.keys.push(await time(() => cache.delete({ keys })));
    await store('tagged', TAGGED, ['wanted']);
    deletion.tag.push(await time(() => cache.delete({ tags: 'wanted' })));
  }
  await api.detachCache();
  await cache.close();
  const milliseconds = (list) => Number(median(list).toFixed(2));
  const ratio = (a, b) => Number((median(a) / median(b)).toFixed(2));
  return {
    'delete 100 keys (ms)': milliseconds(deletion.keys),
    'delete a tag of 100 (ms)': milliseconds(deletion.tag),
    'tag / keys': ratio(deletion.tag, deletion.keys),
    'write (ms)': Number((median(writing.plain) / WRITES).toFixed(3)),
    'with 5 tags / without': ratio(writing.tagged, writing.plain),
  };
}

async function oneByOne(count, work) {
  for (let number = 0; number < count; number += 1) await work(number);
}

async function inParallel(count, work) {
  const results = [];
  for (let from = 0; from < count; from += 50) {
    const numbers = Array.from({ length: Math.min(50, count - from) }, (_, index) => from + index);
    results.push(...(await Promise.all(numbers.map(work))));
  }
  return results;
}

async function time(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}

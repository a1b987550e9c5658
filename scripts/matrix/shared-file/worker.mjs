import { Agent } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';
import { Acknowledged } from './acknowledged.mjs';
import { ENTRIES, kindOf, TAGS, tagName, tagsOf, wrongIn } from './contents.mjs';

// A process that has the file open. It is beside the packed package, and may be killed at any time. The parent sends tasks.

const { url, file, acknowledgedFile, slot } = JSON.parse(process.argv[2]);
const own = Number(process.versions.node.split('.')[0]);
const CONCURRENCY = 10;
/** Milliseconds. */
const WARM_UP = 2_000;

const acknowledged = new Acknowledged(acknowledgedFile, slot);
const httpAgent = new Agent({ keepAlive: true });
const headers = { 'user-agent': String(own) };
const origin = axios.create({ baseURL: url, httpAgent, headers, proxy: false });
const api = setupCache(axios.create({ baseURL: url, httpAgent, headers, proxy: false }), {
  cacheName: file,
  backend: 'sqlite',
  // A failure of the store is to be seen; a machine that is busy otherwise is none.
  backendOptions: { driver: own < 22 ? 'keyv' : 'node', strict: true, backendTimeout: 20, busyTimeout: 20 },
  cacheControl: true,
  // A request would join one that was sent before another process acknowledged a change.
  coalesce: false,
  tags: ({ url: asked }) => tagsOf(numberIn(asked)),
});

/** @param {string} asked */
function numberIn(asked) {
  return Number(new URL(asked).pathname.slice(1));
}

let counts = newCounts();
function newCounts() {
  return { reads: 0, hits: 0, foreignHits: 0, changes: 0, deletions: 0, tagDeletions: 0, sweeps: 0, swept: 0 };
}

/** Sends what was counted since the last time. */
function report() {
  process.send?.({ counts });
  counts = newCounts();
}
const reports = setInterval(report, 100);

/** @param {number} number */
async function read(number) {
  const [least, askedAt] = [acknowledged.versionOf(number), Date.now()];
  const { data, fromCache } = await api.get(`/${number}`);
  counts.reads += 1;
  if (fromCache) counts.hits += 1;
  if (fromCache && data.writer !== own) counts.foreignHits += 1;
  const wrong = wrongIn(data, { number, least, askedAt });
  if (wrong) process.send?.({ wrong: `${number} in Node ${own}, ${fromCache ? 'hit' : 'miss'}: ${wrong}` });
  return { fromCache, writer: data.writer };
}

/** @param {number} number */
async function change(number) {
  const { data } = await api.post(`/${number}`, {}, { invalidates: true });
  for (const [changed, version] of data) acknowledged.note(changed, version);
  counts.changes += 1;
}

/** Something else changes the content, and the program deletes the stored response. @param {number} number */
async function deleteUrl(number) {
  const { data } = await origin.post(`/${number}`);
  await api.cache.deleteUrl(`${url}/${number}`);
  for (const [changed, version] of data) acknowledged.note(changed, version);
  counts.deletions += 1;
}

/** @param {number} tag */
async function deleteTag(tag) {
  const { data } = await origin.post(`/tag/${tag}`);
  await api.cache.delete({ tags: [tagName(tag)] });
  for (const [changed, version] of data) acknowledged.note(changed, version);
  counts.tagDeletions += 1;
}

async function sweep() {
  counts.swept += (await api.removeExpiredResponses()).removed;
  counts.sweeps += 1;
}

const anyNumber = () => Math.floor(ENTRIES * Math.random());

async function anything() {
  const [number, chance] = [anyNumber(), Math.random()];
  if (chance < 0.002) return sweep();
  if (chance < 0.006) return deleteTag(Math.floor(TAGS * Math.random()));
  if (chance > 0.2 || kindOf(number) === 'kept') return read(number);
  return chance < 0.1 ? change(number) : deleteUrl(number);
}

let isStopped = false;

/** @param {() => Promise<unknown>} work */
async function untilStopped(work) {
  const loop = async () => {
    while (!isStopped) {
      await work();
      await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
}

/** @type {Record<string, (options: any) => Promise<unknown>>} */
const TASKS = {
  /** Reads all numbers that have one of these rests when they are divided. */
  async readAll({ divisor, rests }) {
    const seen = { kept: 0, changing: 0, brief: 0, missed: 0, foreign: 0 };
    const numbers = Array.from({ length: ENTRIES }, (_, number) => number).values();
    const loop = async () => {
      for (const number of numbers) {
        if (!rests.includes(number % divisor)) continue;
        const { fromCache, writer } = await read(number);
        if (!fromCache && kindOf(number) !== 'brief') seen.missed += 1;
        if (fromCache) seen[kindOf(number)] += 1;
        if (fromCache && writer !== own) seen.foreign += 1;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, loop));
    return seen;
  },
  /** Reads, changes, deletes and sweeps until it is stopped or killed. */
  async anything() {
    await untilStopped(anything);
  },
  /** Reads the entries that are never deleted until it is stopped; returns the delays of the event loop, in milliseconds. */
  async readKept() {
    let hits = 0;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    // The processes load and open the file at first.
    setTimeout(() => delay.enable(), WARM_UP);
    await untilStopped(async () => {
      const { fromCache } = await read(10 * Math.floor((ENTRIES / 10) * Math.random()));
      if (fromCache) hits += 1;
    });
    delay.disable();
    const inMilliseconds = (nanoseconds) => Math.round(nanoseconds / 1e5) / 10;
    const [p50, p99] = [50, 99].map((percentile) => inMilliseconds(delay.percentile(percentile)));
    return { p50, p99, max: inMilliseconds(delay.max), hits };
  },
  /** Deletes all entries with a tag; returns the number of the others. */
  async deleteTagged() {
    for (let tag = 0; tag < TAGS; tag += 1) await api.cache.delete({ tags: [tagName(tag)] });
    return api.cache.responseCount();
  },
  async deleteUrls({ rest }) {
    const numbers = Array.from({ length: ENTRIES / 10 }, (_, index) => index * 10 + rest);
    return api.cache.deleteUrls(numbers.map((number) => `${url}/${number}`));
  },
  async count() {
    let byUrl = 0;
    for await (const _ of api.cache.urls()) byUrl += 1;
    return { count: await api.cache.responseCount(), byUrl };
  },
  async close() {
    await api.detachCache();
    httpAgent.destroy();
    clearInterval(reports);
    process.off('disconnect', exit);
    setImmediate(() => process.disconnect());
  },
};

/** The parent has ended. */
const exit = () => process.exit(1);
process.on('disconnect', exit);
process.on('message', async (/** @type {any} */ { task, stop, ...options }) => {
  if (stop) {
    isStopped = true;
    return;
  }
  isStopped = false;
  try {
    const result = (await TASKS[task](options)) ?? null;
    report();
    process.send?.({ result });
  } catch (error) {
    process.send?.({ failure: `Node ${own}, ${task}: ${error.code} ${error.stack} ${error.cause?.stack ?? ''}` });
  }
});

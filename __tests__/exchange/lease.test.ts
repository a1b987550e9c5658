import { describe, expect, test } from '@jest/globals';
import { internalsOf } from '../../lib/cache/internals.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';
import { StoreFailure } from '../../lib/stores/store-failure.js';
import { redis } from '../../scripts/services/redis.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { until } from '../support/faults.js';
import { counting, type Handler, startOrigin } from '../support/origin.js';
import { describeService } from '../support/services.js';

/** Requests twenty URLs at once through a cache whose options are JSON, and prints the results. */
const CLIENT = `
  import axios from 'axios';
  import { setupCache } from './lib/index.js';
  const [, , baseURL, options] = process.argv;
  const api = setupCache(axios.create({ baseURL }), JSON.parse(options));
  await api.cache.ready();
  const urls = Array.from({ length: 20 }, (_, index) => '/' + index);
  const answers = await Promise.all(urls.map((url) => api.get(url)));
  console.log(JSON.stringify(answers.map(({ data }) => data.path)));
  await api.detachCache();
`;

const slow: Handler = async (asked, response) => {
  await new Promise((resolve) => setTimeout(resolve, 150));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ path: asked.url }));
};

/** Eight processes that start at once on few cores stall for longer than a store is waited for. */
const PATIENT = { backendTimeout: 20 };

async function askFromEightProcesses(options: object): Promise<number> {
  const origin = await startOrigin(slow);
  await using client = program(CLIENT);
  try {
    const runs = Array.from({ length: 8 }, () => client.run(origin.url, JSON.stringify(options)));
    const expected = JSON.stringify(Array.from({ length: 20 }, (_, index) => `/${index}`));
    for (const printed of await Promise.all(runs)) expect(printed.trim()).toBe(expected);
    return origin.asked.length;
  } finally {
    await origin.stop();
  }
}

describeService(redis, (server) => {
  test('eight processes with a cold cache and twenty URLs send twenty requests', async () => {
    const backendOptions = { url: server().url, ...PATIENT };
    const options = { backend: 'redis', cacheName: 'leased', lease: true, backendOptions };
    expect(await askFromEightProcesses(options)).toBe(20);
  });
});

test('eight processes on one SQLite file send twenty requests', async () => {
  await using folder = await temporaryFolder();
  const options = { backend: 'sqlite', cacheName: `${folder.path}/leased`, lease: 10, backendOptions: PATIENT };
  expect(await askFromEightProcesses(options)).toBe(20);
});

describe('with two instances on one SQLite file', () => {
  async function two(handler: Handler) {
    const folder = await temporaryFolder();
    const options = { backend: 'sqlite', cacheName: `${folder.path}/two`, lease: true } as const;
    const bench = await startBench(options, handler);
    return {
      ...bench,
      one: bench.api,
      other: bench.more(options),
      file: options.cacheName,
      async [Symbol.asyncDispose]() {
        await bench[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test('the waiting process reads the response that the other stored', async () => {
    await using pair = await two(slow);
    const { one, other } = pair;
    const [first, second] = await Promise.all([one.get('/a'), other.get('/a')]);
    expect([first.fromCache, second.fromCache].sort()).toEqual([false, true]);
    const waited = [first, second].find(({ fromCache }) => fromCache);
    expect([waited?.cacheStatus, waited?.data, pair.origin.asked.length]).toEqual([
      expect.stringContaining('hit'),
      { path: '/a' },
      1,
    ]);
  });

  test('where nothing was stored, each asks for itself', async () => {
    await using pair = await two(async (asked, response) => {
      response.statusCode = 500;
      await slow(asked, response, 0);
    });
    const statuses = await Promise.all([pair.one, pair.other].map((api) => api.get('/a', { validateStatus: null })));
    expect([statuses.map(({ status }) => status), pair.origin.asked.length]).toEqual([[500, 500], 2]);
  });

  test("the caller's timeout ends the wait, and the next request works", async () => {
    await using pair = await two(slow);
    const { one, other } = pair;
    const first = one.get('/a');
    await expect(other.get('/a', { timeout: 40 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
    await first;
    expect((await other.get('/a')).fromCache).toBe(true);
  });

  test('the lease of a holder that died is free after its time', async () => {
    await using pair = await two(slow);
    const { cacheKey = '' } = await pair.one.get('/a');
    await pair.one.cache.delete(cacheKey);
    const dead = new SqliteStore(pair.file, {}, pair.clock.now);
    expect(await dead.acquireLease(cacheKey, 'dead', 0.8)).toBe(true);
    await dead.close();
    let settled = false;
    const waiting = pair.one.get('/a').finally(() => {
      settled = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(settled).toBe(false);
    expect((await waiting).fromCache).toBe(false);
  });
});

describe('a lease of 0.2 seconds', () => {
  test('that is not granted: the caller asks the origin after twice its time, and stores the response', async () => {
    await using folder = await temporaryFolder();
    const options = { backend: 'sqlite', cacheName: `${folder.path}/held`, lease: 0.2 } as const;
    await using bench = await startBench(options);
    const other = new SqliteStore(options.cacheName, {}, bench.clock.now);
    expect(await other.acquireLease(await bench.api.cache.createKey({ url: '/a' }), 'other', 60)).toBe(true);
    const began = performance.now();
    expect((await bench.api.get('/a')).fromCache).toBe(false);
    const waited = performance.now() - began;
    expect([waited > 390, waited < 4_000]).toEqual([true, true]);
    expect((await bench.api.get('/a')).fromCache).toBe(true);
    await other.close();
  });

  const lost = async () => {
    throw new StoreFailure('refusal', 'lost');
  };
  const kept = async () => {};

  test.each<[string, () => Promise<boolean>, () => Promise<void>, boolean]>([
    ['that another process took', async () => false, kept, false],
    ['whose renewal fails', lost, kept, true],
    ['whose release fails', async () => true, lost, true],
  ])('%s does not disturb the request of its owner', async (_, renew, releaseLease, isReported) => {
    let renewals = 0;
    const origin: Handler = async (asked, response, count) => {
      await until('the lease is renewed', () => renewals > 1);
      counting(asked, response, count);
    };
    await using folder = await temporaryFolder();
    await using bench = await startBench(
      { backend: 'sqlite', cacheName: `${folder.path}/lost`, lease: 0.2, backendOptions: { strict: true } },
      origin,
    );
    let attempts = 0;
    const acquireLease = async () => {
      attempts += 1;
      renewals = attempts - 1;
      return attempts === 1 || renew();
    };
    Object.assign(internalsOf(bench.api.cache).breaker.store, { acquireLease, releaseLease });
    expect((await bench.api.get('/a')).data.count).toBe(1);
    expect(bench.events.some(({ type, reason }) => type === 'error' && reason === 'lease')).toBe(isReported);
    expect((await bench.api.get('/a')).fromCache).toBe(true);
  });
});

test.each(['memory', 'filesystem'] as const)('%s refuses a lease', async (backend) => {
  await using folder = await temporaryFolder();
  const options = { backend, cacheName: `${folder.path}/none`, lease: true };
  await expect(startBench(options)).rejects.toThrow(
    `lease: true is not accepted; expected false: the backend ${backend}`,
  );
});

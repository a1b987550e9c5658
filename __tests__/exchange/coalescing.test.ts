import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { internalsOf } from '../../lib/cache/internals.js';
import { setupCache } from '../../lib/setup-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';

/** An origin that responds on command. */
function gate(): { open(): void; readonly handler: Handler } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open: () => open(),
    handler: async ({ url }, response, count) => {
      await opened;
      sendJson(response, { url, count });
    },
  };
}

function asked(origin: { readonly asked: readonly unknown[] }, number: number): Promise<void> {
  return until(`the origin was asked ${number} times`, () => origin.asked.length >= number);
}

describe('identical requests in flight', () => {
  test('share one origin request, and get separate results', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, handler);
    const requests = Array.from({ length: 1000 }, () => bench.api.get('/'));
    await asked(bench.origin, 1);
    open();
    const responses = await Promise.all(requests);
    expect(bench.origin.asked).toHaveLength(1);
    expect(new Set(responses.map(({ data }) => data)).size).toBe(1000);
    expect(responses.every(({ data }) => data.count === 1)).toBe(true);
    expect(responses.filter(({ fromCache }) => !fromCache)).toHaveLength(1);
    expect(responses[1]?.cacheStatus).toBe('axios-keyv-cache; fwd=uri-miss; fwd-status=200; stored; collapsed');
  });

  test('a look-up that outlives the request that it could have joined is repeated', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, handler);
    const first = bench.api.get('/');
    await asked(bench.origin, 1);
    const { store } = internalsOf(bench.api.cache).breaker;
    const find = store.find.bind(store);
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reads = 0;
    Object.assign(store, {
      find: async (id: string) => {
        const found = await find(id);
        reads += 1;
        if (reads === 1) await released;
        return found;
      },
    });
    const second = bench.api.get('/');
    await until('the second request reads the store', () => reads === 1);
    open();
    await first;
    release();
    expect(await second).toMatchObject({ fromCache: true, data: { count: 1 } });
    expect(bench.origin.asked).toHaveLength(1);
  });

  test('are not joined with coalesce: false', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({ coalesce: false }, handler);
    const requests = [bench.api.get('/'), bench.api.get('/')];
    await asked(bench.origin, 2);
    open();
    await Promise.all(requests);
    expect(bench.origin.asked).toHaveLength(2);
  });

  test('keep their own signals: the leader may leave', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, handler);
    const controller = new AbortController();
    const leader = bench.api.get('/', { signal: controller.signal });
    const follower = bench.api.get('/');
    await asked(bench.origin, 1);
    controller.abort();
    await expect(leader).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    open();
    expect((await follower).data.count).toBe(1);
    expect(bench.origin.asked).toHaveLength(1);
  });

  test('keep their own timeouts and cancel tokens', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, handler);
    const source = axios.CancelToken.source();
    const timed = bench.api.get('/', { timeout: 500 });
    await asked(bench.origin, 1);
    const canceled = bench.api.get('/', { cancelToken: source.token, timeout: 20_000 });
    const patient = bench.api.get('/', { timeout: 10_000 });
    source.cancel('enough');
    await expect(canceled).rejects.toMatchObject({ message: 'enough' });
    await expect(timed).rejects.toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 500ms exceeded' });
    open();
    expect((await patient).data.count).toBe(1);
    expect(bench.origin.asked).toHaveLength(1);
  });

  test('end at the origin when the last one leaves', async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using bench = await startBench({}, (_, response) => {
      response.on('close', closed);
    });
    const controller = new AbortController();
    const requests = [1, 2].map(() => bench.api.get('/', { signal: controller.signal }));
    await asked(bench.origin, 1);
    controller.abort();
    for (const request of requests) await expect(request).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    await gone;
  });

  test('get error objects of their own, with their own config', async () => {
    await using bench = await startBench({}, (_, response) => void setTimeout(() => response.destroy(), 20));
    const [one, two] = (await Promise.all(
      ['1', '2'].map((id) => bench.api.get('/', { headers: { 'X-Id': id } }).catch((error: unknown) => error)),
    )) as { config: { headers: Record<string, string> } }[];
    expect(one).not.toBe(two);
    expect([one?.config.headers['X-Id'], two?.config.headers['X-Id']]).toEqual(['1', '2']);
    expect(bench.origin.asked).toHaveLength(1);
  });

  test('with different credentials are never joined', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, handler);
    const requests = ['alice', 'bob'].map((name) => bench.api.get('/', { headers: { Authorization: name } }));
    await asked(bench.origin, 2);
    open();
    expect((await Promise.all(requests)).map(({ fromCache }) => fromCache)).toEqual([false, false]);
  });

  test('that Vary sets apart go to the origin themselves', async () => {
    await using bench = await startBench({}, async ({ headers }, response) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      sendJson(response, headers['x-mode'], { vary: 'X-Mode' });
    });
    const modes = ['a', 'b', 'a'];
    const responses = await Promise.all(modes.map((mode) => bench.api.get('/', { headers: { 'X-Mode': mode } })));
    expect(responses.map(({ data }) => data)).toEqual(modes);
  });

  test.each(['Cache-Control', 'Pragma'])('that demand the origin by %s share no older request', async (name) => {
    const { open, handler } = gate();
    await using bench = await startBench({ cacheControl: true }, handler);
    const requests = [bench.api.get('/'), bench.api.get('/', { headers: { [name]: 'no-cache' } })];
    await asked(bench.origin, 2);
    open();
    await Promise.all(requests);
    expect(bench.origin.asked).toHaveLength(2);
  });

  test('whose answer sets a cookie are not shared, nor joined for a while', async () => {
    const { open, handler } = gate();
    await using bench = await startBench({}, async (request, response, count) => {
      response.setHeader('set-cookie', `id=${count}`);
      await handler(request, response, count);
    });
    const requests = [bench.api.get('/'), bench.api.get('/'), bench.api.get('/')];
    await asked(bench.origin, 1);
    open();
    const cookies = (await Promise.all(requests)).map(({ headers }) => String(headers['set-cookie']));
    expect(new Set(cookies).size).toBe(3);
  });
});

test('callers that come after an invalidation by another cache share another request', async () => {
  await using folder = await temporaryFolder();
  const { open, handler } = gate();
  const options = { backend: 'sqlite', cacheName: path.join(folder.path, 'cache') } as const;
  await using bench = await startBench(options, handler);
  const { api, origin } = bench;
  const other = setupCache(axios.create(), options);
  try {
    const first = api.get('/');
    await asked(origin, 1);
    await other.cache.deleteUrl(`${origin.url}/`);
    const { store } = internalsOf(api.cache).breaker;
    const find = store.find.bind(store);
    let reads = 0;
    Object.assign(store, { find: async (id: string) => Promise.resolve(find(id)).finally(() => (reads += 1)) });
    const later = Array.from({ length: 10 }, () => api.get('/'));
    await until('they looked up their key', () => reads === 10);
    open();
    expect((await first).data.count).toBe(1);
    expect((await Promise.all(later)).map(({ data }) => data.count)).toEqual(Array(10).fill(2));
    expect(origin.asked).toHaveLength(2);
  } finally {
    await other.detachCache();
  }
});

test('seeded aborts of random callers: no caller hangs or gets the error of another', async () => {
  let seed = 42;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  await using bench = await startBench({}, async ({ url }, response) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    sendJson(response, url);
  });
  for (let run = 0; run < 200; run += 1) {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const leaves = random() < 0.5;
        const controller = new AbortController();
        if (leaves) setTimeout(() => controller.abort(), random() * 4);
        try {
          const { data } = await bench.api.get(`/${run}`, { signal: controller.signal });
          return data === `/${run}`;
        } catch (error) {
          return leaves && (error as { code?: string }).code === 'ERR_CANCELED';
        }
      }),
    );
    expect(outcomes).not.toContain(false);
  }
});

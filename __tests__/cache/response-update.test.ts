import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import Keyv from 'keyv';
import { FileCache } from '../../lib/cache/backends/file-cache.js';
import { SqliteCache } from '../../lib/cache/backends/sqlite-cache.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { redis } from '../../scripts/services/redis.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeService } from '../support/services.js';

/** Answers JSON with validators, by variants of `X-Mode`; a 304 to each condition. */
const answering: Handler = ({ method, url, headers }, response, count) => {
  if (headers['if-none-match'] !== undefined) response.writeHead(304, { etag: '"1"' }).end();
  else if (url === '/from') response.writeHead(302, { location: '/to' }).end();
  else if (method === 'HEAD') response.writeHead(200, { 'content-length': '2' }).end();
  else if (url === '/part') response.writeHead(204).end();
  else
    sendJson(
      response,
      { items: [count] },
      {
        etag: '"1"',
        'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
        'content-digest': 'sha-256=:AAAA:',
        vary: url === '/varying' ? 'X-Mode' : '',
      },
    );
};

function describeUpdates(name: string, options: () => Promise<CacheOptions> | CacheOptions): void {
  describe(`updateResponse over ${name}`, () => {
    test.each<[string, unknown, string, string | null]>([
      ['text', 'new', 'new', 'application/json'],
      ['bytes', Buffer.from('new'), 'new', 'application/json'],
      ['an ArrayBuffer', new Uint8Array([110, 101, 119]).buffer, 'new', 'application/json'],
      ['an object', { items: [2] }, '{"items":[2]}', 'application/json'],
      ['null', null, 'null', 'application/json'],
      ['a promise', Promise.resolve(7), '7', 'application/json'],
    ])('replaces a body by %s', async (_, value, text) => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60, tags: ['list'] }, answering);
      const { api, clock, origin } = bench;
      const first = await api.get('/items');
      clock.advance(10);
      expect(await api.cache.updateResponse(`${origin.url}/items`, () => value)).toBe(1);
      const hit = await api.get('/items', { responseType: 'text', transformResponse: (data) => data });
      expect([hit.data, hit.fromCache, hit.tags]).toEqual([text, true, ['list']]);
      expect([hit.expires, hit.createdAt]).toEqual([first.expires, first.createdAt]);
      const { etag, 'last-modified': date, 'content-digest': digest } = hit.headers;
      expect([etag, date, digest]).toEqual([undefined, undefined, undefined]);
      expect(await api.cache.delete({ tags: 'list' })).toBe(1);
    });

    test('selects by key, URL, config and stored request, each variant, and through redirects', async () => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60 }, answering);
      const { api, origin } = bench;
      const { cacheKey } = await api.get('/varying', { headers: { 'X-Mode': 'a' } });
      await api.get('/varying', { headers: { 'X-Mode': 'b' } });
      const seen: number[] = [];
      const update = (what: string | object) =>
        api.cache.updateResponse(what, ({ data }) => {
          seen.push(data.items.length);
          return { items: [...data.items, 0] };
        });
      const stored = await api.cache.getResponse(cacheKey as string);
      for (const what of [cacheKey as string, `${origin.url}/varying`, { url: '/varying' }, stored?.request as object])
        expect(await update(what)).toBe(2);
      expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
      expect((await api.get('/varying', { headers: { 'X-Mode': 'b' } })).data.items).toHaveLength(5);

      await api.get('/from');
      expect(await update(`${origin.url}/to`)).toBe(1);
      expect((await api.get('/from')).data.items).toHaveLength(2);
      expect(await update({ url: '/to' })).toBe(1);
      const followed = await api.get('/to');
      expect([followed.data.items.length, followed.fromCache]).toEqual([3, true]);
      expect(await update(`${origin.url}/nothing`)).toBe(0);
    });

    test('a response that expires later is fetched again, not confirmed by a 304', async () => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60 }, answering);
      const { api, clock, origin } = bench;
      await api.get('/items');
      await api.cache.updateResponse({ url: '/items' }, () => ({ items: [] }));
      clock.advance(100);
      const renewed = await api.get('/items');
      expect([renewed.data, renewed.revalidated]).toEqual([{ items: [2] }, false]);
      expect(origin.asked[1]?.headers['if-none-match']).toBeUndefined();
    });

    test('many changes at the same time are all kept', async () => {
      const shared = await options();
      await using bench = await startBench({ ...shared, expireAfter: 60 }, answering);
      const { api } = bench;
      await api.get('/items');
      const add = async (number: number) =>
        api.cache.updateResponse({ url: '/items' }, async ({ data }) => {
          await new Promise(setImmediate);
          return { items: [...data.items, number] };
        });
      await Promise.all(Array.from({ length: 12 }, (_, number) => add(number + 100)));
      expect([...(await api.get('/items')).data.items].sort((a, b) => a - b)).toEqual([
        1, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
      ]);
    });
  });
}

describeUpdates('memory', () => ({}));
const folders: AsyncDisposable[] = [];
afterAll(() => Promise.all(folders.map((folder) => folder[Symbol.asyncDispose]())));
const sqlite = async (): Promise<CacheOptions> => {
  const folder = await temporaryFolder();
  folders.push(folder);
  return { backend: 'sqlite', cacheName: path.join(folder.path, 'cache') };
};
describeUpdates('sqlite', sqlite);
describeUpdates('sqlite, signed and encrypted', async () => ({
  ...(await sqlite()),
  secretKey: 's'.repeat(32),
  encryptionKey: 'e'.repeat(32),
}));
describeUpdates('files', async () => {
  const { cacheName } = await sqlite();
  return { backend: 'filesystem', cacheName: `${cacheName}-files` };
});

describeUpdates('a Keyv', () => ({ backend: new Keyv({ store: new Map() }) }));

describeService(redis, (server) => {
  describeUpdates('redis', () => ({
    backend: 'redis',
    cacheName: `update_${randomBytes(4).toString('hex')}`,
    backendOptions: { url: server().url },
  }));
});

test('responses without whole content stay as they are', async () => {
  await using bench = await startBench({ expireAfter: 60, allowableCodes: [200, 204] }, answering);
  const { api, origin } = bench;
  await api.head('/items');
  await api.get('/part');
  const change = () => 'new';
  expect(await api.cache.updateResponse(`${origin.url}/items`, change)).toBe(0);
  expect(await api.cache.updateResponse(`${origin.url}/part`, change)).toBe(0);
});

test('a change that returns undefined changes nothing', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  await bench.api.get('/items');
  expect(await bench.api.cache.updateResponse({ url: '/items' }, () => undefined)).toBe(0);
  expect((await bench.api.get('/items')).headers.etag).toBe('"1"');
});

test('an answer that was asked for before a change is not stored after it', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await using bench = await startBench({ expireAfter: 60 }, async (_, response, count) => {
    if (count === 2) {
      arrived();
      await released;
    }
    sendJson(response, { count });
  });
  const { api } = bench;
  await api.get('/items');
  const slow = api.get('/items', { forceRefresh: true });
  await arrival;
  await api.cache.updateResponse({ url: '/items' }, () => ({ count: 'changed' }));
  release();
  expect((await slow).data).toEqual({ count: 2 });
  expect((await api.get('/items')).data).toEqual({ count: 'changed' });
});

test('a 304 to a request that began during a change does not undo it', async () => {
  const held: (() => void)[] = [];
  await using bench = await startBench({ expireAfter: 60 }, async (asked, response, count) => {
    if (asked.headers['if-none-match'] !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return answering(asked, response, count);
  });
  const { api } = bench;
  await api.get('/items');
  let refreshing: Promise<unknown> | undefined;
  const change = async () => {
    refreshing ??= api.get('/items', { refresh: true });
    await until('the origin is asked', () => held.length === 1);
    return { items: ['changed'] };
  };
  expect(await api.cache.updateResponse({ url: '/items' }, change)).toBe(1);
  held[0]?.();
  await refreshing;
  expect((await api.get('/items')).data).toEqual({ items: ['changed'] });
});

test('an answer to a redirect target that was asked for before a change is not stored after it', async () => {
  const held: (() => void)[] = [];
  await using bench = await startBench({ expireAfter: 60 }, async (asked, response, count) => {
    if (asked.headers['x-slow'] !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return answering(asked, response, count);
  });
  const { api } = bench;
  await api.get('/from');
  const slow = api.get('/to', { forceRefresh: true, headers: { 'X-Slow': '1' } });
  await until('the origin is asked', () => held.length === 1);
  expect(await api.cache.updateResponse({ url: '/to' }, () => ({ items: ['changed'] }))).toBe(1);
  held[0]?.();
  await slow;
  expect((await api.get('/to')).data).toEqual({ items: ['changed'] });
});

test('a response that is deleted during a change does not return', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api } = bench;
  await api.get('/items');
  const changed = await api.cache.updateResponse({ url: '/items' }, async () => {
    await api.cache.clear();
    return 'new';
  });
  expect([changed, await api.cache.responseCount()]).toEqual([0, 0]);
});

test('a change is called again with a response that was stored meanwhile', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api } = bench;
  await api.get('/items');
  const seen: unknown[] = [];
  await api.cache.updateResponse({ url: '/items' }, async ({ data }) => {
    seen.push(data);
    if (seen.length === 1) await api.get('/items', { forceRefresh: true });
    return { items: [...data.items, 'more'] };
  });
  expect(seen).toEqual([{ items: [1] }, { items: [2] }]);
  expect((await api.get('/items')).data).toEqual({ items: [2, 'more'] });
});

test('gives up after many attempts', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api } = bench;
  await api.get('/items');
  const change = async () => {
    await api.get('/items', { forceRefresh: true });
    return 'new';
  };
  await expect(api.cache.updateResponse({ url: '/items' }, change)).rejects.toMatchObject({
    code: 'ERR_CACHE_CONFLICT',
  });
});

test('an error of the change rejects, and the response stays', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  await bench.api.get('/items');
  const change = () => {
    throw new RangeError('no');
  };
  await expect(bench.api.cache.updateResponse({ url: '/items' }, change)).rejects.toThrow(RangeError);
  expect((await bench.api.get('/items')).data).toEqual({ items: [1] });
});

test.each<[string, unknown, unknown, RegExp]>([
  ['a number instead of a key', 7, () => '', /^what: 7 is not accepted; expected a key/],
  ['an empty key', '', () => '', /^what: "" is not accepted/],
  ['a list', ['a'], () => '', /^what: .*"a".* is not accepted/],
  ['no function', 'key', 'new', /^change: "new" is not accepted; expected a function/],
  ['a function as a result', { url: '/items' }, () => () => {}, /^the result of change: function .* is not accepted/],
  ['a bigint', { url: '/items' }, () => 1n, /^the result of change: 1n is not accepted/],
])('refuses %s', async (_, what, change, message) => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  await bench.api.get('/items');
  const update = bench.api.cache.updateResponse(what as string, change as () => string);
  await expect(update).rejects.toThrow(
    expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) }),
  );
});

test('the new body is a copy', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const bytes = Buffer.from('new');
  await bench.api.get('/items');
  await bench.api.cache.updateResponse({ url: '/items' }, () => bytes);
  bytes.fill('x');
  expect((await bench.api.get('/items', { responseType: 'text' })).data).toBe('new');
});

test.each(['SqliteCache', 'FileCache'] as const)(
  'processes that change one response lose no change: %s',
  async (name) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const cache = new { SqliteCache, FileCache }[name]({ cacheName });
    await using bench = await startBench({ backend: cache }, answering);
    const { cacheKey } = await bench.api.get('/items');
    await using changing = program(`
    import { ${name} } from './lib/index.js';
    const [cacheName, key] = process.argv.slice(2);
    const cache = new ${name}({ cacheName });
    for (let number = 0; number < 20; number += 1)
      await cache.updateResponse(key, ({ data }) => ({ items: [...data.items, number] }));
    await cache.close();
  `);
    await Promise.all([1, 2, 3].map(() => changing.run(cacheName, cacheKey as string)));
    expect((await cache.getResponse(cacheKey as string))?.data.items).toHaveLength(61);
    await cache.close();
  },
);

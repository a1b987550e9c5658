import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { internalsOf } from '../../lib/cache/internals.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { redis } from '../../scripts/services/redis.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeService } from '../support/services.js';

const answering: Handler = ({ url }, response, count) => {
  if (url.startsWith('/from')) response.writeHead(302, { location: '/to' }).end();
  else sendJson(response, { count }, url === '/varying' ? { vary: 'X-Mode' } : {});
};

function describeRecreation(name: string, options: () => Promise<CacheOptions> | CacheOptions): void {
  describe(`recreateKeys over ${name}`, () => {
    test('responses are hits under the new settings, with tags, redirects and variants', async () => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60, tags: ['t'] }, answering);
      const { api, clock, origin } = bench;
      const plain = await api.get('/a?b=1');
      const varying = (mode: string) => api.get('/varying', { headers: { 'X-Mode': mode } });
      await varying('1');
      await varying('2');
      await api.get('/from');
      const search = () => api.post('/search', { q: [1], a: 2 }, { allowableMethods: ['POST'] });
      await search();
      clock.advance(10);
      api.cacheSettings.keyFn = ({ method, url }) => `mine ${method} ${new URL(url).pathname}`;
      expect(await api.cache.recreateKeys()).toEqual({ changed: 5, kept: 0 });
      expect(await api.cache.recreateKeys()).toEqual({ changed: 0, kept: 5 });
      const asked = origin.asked.length;
      const hit = await api.get('/a?b=1');
      expect([hit.cacheKey, hit.data, hit.expires, hit.tags]).toEqual([
        'mine GET /a',
        plain.data,
        plain.expires,
        ['t'],
      ]);
      expect([(await varying('1')).data, (await varying('2')).data]).toEqual([{ count: 2 }, { count: 3 }]);
      expect([(await api.get('/from')).data, (await api.get('/to')).data]).toEqual([{ count: 5 }, { count: 5 }]);
      expect([(await search()).data, origin.asked.length]).toEqual([{ count: 6 }, asked]);
      expect([await api.cache.hasUrl(`${origin.url}/to`), await api.cache.redirects.count()]).toEqual([true, 1]);
      expect(await api.cache.delete({ tags: ['t'] })).toBe(5);
      expect([await api.cache.responseCount(), await api.cache.redirects.count()]).toEqual([0, 0]);
    });

    test('of responses with the same new key, the newest remains', async () => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60 }, answering);
      const { api, clock, origin } = bench;
      const get = (session: number, language: string) =>
        api.get(`/a?session=${session}`, { headers: { 'X-Lang': language } });
      for (const session of [1, 2, 3]) {
        await get(session, 'de');
        clock.advance(1);
      }
      Object.assign(api.cacheSettings, { matchHeaders: ['x-lang'], ignoredParameters: ['session'] });
      expect(await api.cache.recreateKeys()).toEqual({ changed: 3, kept: 0 });
      expect(await api.cache.responseCount()).toBe(1);
      const hit = await get(4, 'de');
      expect([hit.fromCache, hit.data]).toEqual([true, { count: 3 }]);
      expect((await get(4, 'en')).fromCache).toBe(false);
      const urls: string[] = [];
      for await (const url of api.cache.urls()) urls.push(url);
      expect(new Set(urls)).toEqual(new Set([`${origin.url}/a?session=REDACTED`]));
    });

    test('a response keeps its key if it has a principal or its request is not completely stored', async () => {
      await using bench = await startBench({ ...(await options()), expireAfter: 60 }, answering);
      const { api } = bench;
      const posted = { allowableMethods: ['POST'] };
      const keys = [
        await api.get('/1', { headers: { Authorization: 'Bearer abc' } }),
        await api.get('/2', { auth: { username: 'me', password: 'secret' } }),
        await api.get('/3?api_key=abc'),
        await api.get('/4', { credentials: () => 'me' }),
        await api.get('/5', { decompress: false }),
        await api.post('/6', Buffer.from('bytes'), posted),
        await api.post('/7', { password: 'x' }, posted),
        await api.get('/8', { headers: { Authorization: 'Bearer abc' }, credentials: 'ignore' }),
      ].map(({ cacheKey }) => cacheKey as string);
      api.cacheSettings.keyFn = () => 'shared';
      expect(await api.cache.recreateKeys()).toEqual({ changed: 0, kept: keys.length });
      for (const key of keys) expect(await api.cache.hasKey(key)).toBe(true);
    });
  });
}

const cacheName = () => `recreated_${randomBytes(4).toString('hex')}`;
const folder = temporaryFolder();
afterAll(async () => (await folder)[Symbol.asyncDispose]());
const sqlite = async (): Promise<CacheOptions> => ({
  backend: 'sqlite',
  cacheName: path.join((await folder).path, cacheName()),
});

describeRecreation('memory', () => ({}));
describeRecreation('sqlite', sqlite);
describeRecreation('sqlite, signed and encrypted', async () => ({
  ...(await sqlite()),
  secretKey: 's'.repeat(32),
  encryptionKey: 'e'.repeat(32),
}));
describeService(redis, (server) => {
  describeRecreation('redis', () => ({
    backend: 'redis',
    cacheName: cacheName(),
    backendOptions: { url: server().url },
  }));
});

test('nothing changes under the same settings, whatever the request', async () => {
  await using bench = await startBench(
    { expireAfter: 60, matchHeaders: true, allowableMethods: ['GET', 'POST'] },
    answering,
  );
  const { api } = bench;
  await api.get('/a?z=1&a=2#c', { headers: { 'X-A': 'b', Host: 'other.example' } });
  await api.post('/a', 'text=1&b', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  await api.post('/a', '{"b":1,"a":1.0}', {
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-transform' },
  });
  await api.post('/a', { b: 1, a: [{ d: 1, c: 2 }] });
  expect(await api.cache.recreateKeys()).toEqual({ changed: 0, kept: 4 });
});

test('a newer response under the new key is not replaced', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api, clock } = bench;
  await api.get('/a');
  clock.advance(1);
  api.cacheSettings.matchHeaders = ['x-lang'];
  await api.get('/a');
  expect(await api.cache.recreateKeys()).toEqual({ changed: 1, kept: 1 });
  expect((await api.get('/a')).data).toEqual({ count: 2 });
  expect(await api.cache.responseCount()).toBe(1);
});

test('a response that is being deleted in the background is not moved', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api, origin } = bench;
  await api.get('/a');
  const { store } = internalsOf(api.cache).breaker;
  const deleteGroups = store.deleteGroups.bind(store);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const deleting = new Promise<void>((resolve) => {
    store.deleteGroups = async (groups) => {
      store.deleteGroups = deleteGroups;
      resolve();
      await released;
      return deleteGroups(groups);
    };
  });
  await api.post('/b', {}, { invalidates: `${origin.url}/a` });
  await deleting;
  api.cacheSettings.matchHeaders = ['x-lang'];
  expect(await api.cache.recreateKeys()).toEqual({ changed: 0, kept: 1 });
  release();
  await until('it was deleted', async () => (await api.cache.responseCount()) === 0);
  expect((await api.get('/a')).data).toEqual({ count: 3 });
});

test('an error of keyFn rejects, and the responses stay', async () => {
  await using bench = await startBench({ expireAfter: 60 }, answering);
  const { api } = bench;
  await api.get('/a');
  api.cacheSettings.keyFn = () => '';
  await expect(api.cache.recreateKeys()).rejects.toThrow(/keyFn returned ""/);
  api.cacheSettings.keyFn = undefined;
  expect((await api.get('/a')).fromCache).toBe(true);
});

test('cache groups move with their responses', async () => {
  await using bench = await startBench({ cacheControl: true }, ({ method }, response, count) => {
    const headers: Record<string, string> =
      method === 'GET'
        ? { 'cache-control': 'max-age=600', 'cache-groups': '"g"' }
        : { 'cache-group-invalidation': '"g"' };
    sendJson(response, { count }, headers);
  });
  const { api } = bench;
  await api.get('/a');
  api.cacheSettings.matchHeaders = ['x-lang'];
  expect(await api.cache.recreateKeys()).toEqual({ changed: 1, kept: 0 });
  expect((await api.get('/a')).fromCache).toBe(true);
  await api.post('/b');
  expect((await api.get('/a')).fromCache).toBe(false);
});

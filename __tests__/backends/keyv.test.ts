import { beforeAll, describe, expect, test } from '@jest/globals';
import KeyvMemcache from '@keyv/memcache';
import KeyvPostgres from '@keyv/postgres';
import KeyvRedis from '@keyv/redis';
import KeyvSqlite from '@keyv/sqlite';
import axios from 'axios';
import Keyv from 'keyv';
import { KeyvCache } from '../../lib/cache/backends/keyv-cache.js';
import { setupCache } from '../../lib/setup-cache.js';
import { KeyvStore } from '../../lib/stores/keyv/index.js';
import { memcached } from '../../scripts/services/memcached.mjs';
import { postgres } from '../../scripts/services/postgres.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';
import { entryOf, idOf } from '../support/entries.js';
import { KILLED, testFaults, until } from '../support/faults.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { SlowAdapter } from '../support/slow-adapter.js';
import { describeBackend } from './contract.js';

const maps = new Map<string, Map<string, unknown>>();

function mapOf(folder: string): Map<string, unknown> {
  const map = maps.get(folder) ?? new Map<string, unknown>();
  maps.set(folder, map);
  return map;
}

describeBackend('keyv over a Map', {
  open: (folder, cacheName, options, now) => new KeyvStore(mapOf(folder), cacheName, options, now),
  persistent: true,
  atomic: false,
  leases: false,
  bounded: false,
  expires: false,
  plantGarbage: async (folder, cacheName, id) => {
    // In the form of the existing entries, which differs between the versions of Keyv.
    const [key = '', value] = [...mapOf(folder)].find(([name]) => name.includes(`${cacheName}:`)) ?? [];
    const garbage = typeof value === 'object' ? { ...value, value: 'not ours' } : 'not ours';
    mapOf(folder).set(key.replace(/[^:]*$/, id), garbage);
  },
});

describeBackend('keyv over a slow adapter', {
  open: (folder, cacheName, options, now) =>
    new KeyvStore(new SlowAdapter(mapOf(folder), { get: 3, set: 5, delete: 4 }), cacheName, options, now),
  persistent: true,
  atomic: false,
  leases: false,
  bounded: false,
  expires: false,
});

describeService(redis, (server) => {
  describeBackend('keyv over an adapter', {
    open: (folder, cacheName, options, now) =>
      new KeyvStore(new KeyvRedis(server().url) as never, nameIn(folder, cacheName), options, now),
    persistent: true,
    atomic: false,
    leases: false,
    bounded: false,
    expires: false,
  });
});

describe('an adapter that cannot iterate', () => {
  const memory = new Map<string, unknown>();
  const adapter = {
    opts: {},
    get: async (key: string) => memory.get(key),
    set: async (key: string, value: unknown) => void memory.set(key, value),
    delete: async (key: string) => memory.delete(key),
    clear: async () => memory.clear(),
    on: () => adapter,
  };

  test('serves requests, and refuses operations that need a pass over all entries', async () => {
    await using bench = await startBench();
    const cache = new KeyvCache(adapter);
    const api = setupCache(axios.create({ baseURL: bench.origin.url }), { backend: cache });
    const { cacheKey = '' } = await api.get('/a');
    expect((await api.get('/a')).fromCache).toBe(true);
    await expect(cache.responseCount()).rejects.toMatchObject({
      name: 'UnsupportedOperationError',
      code: 'ERR_CACHE_UNSUPPORTED',
    });
    await expect(cache.clear()).rejects.toThrow('delete by key');
    expect([await cache.hasKey(cacheKey), await cache.delete(cacheKey), await cache.hasKey(cacheKey)]).toEqual([
      true,
      1,
      false,
    ]);
    expect((await api.get('/a')).fromCache).toBe(false);
    await api.detachCache();
  });

  test('finds responses by URL, and an unsafe request deletes them with their variants', async () => {
    memory.clear();
    await using bench = await startBench({}, (request, response) => {
      response.setHeader('vary', 'accept-language').setHeader('cache-control', 'max-age=60');
      response.end(request.headers['accept-language']);
    });
    const cache = new KeyvCache(adapter, { retention: '1h' });
    const api = bench.more({ backend: cache, cacheControl: true });
    const inLanguage = (language: string) => api.get('/a', { headers: { 'accept-language': language } });
    for (const language of ['de', 'fr', 'de', 'fr']) await inLanguage(language);
    expect([(await inLanguage('de')).fromCache, (await inLanguage('fr')).fromCache]).toEqual([true, true]);
    const url = `${bench.origin.url}/a`;
    expect([await cache.hasUrl(url), await cache.hasUrl(`${url}/b`)]).toEqual([true, false]);
    await api.post('/a');
    expect(await cache.hasUrl(url)).toBe(false);
    expect([(await inLanguage('de')).fromCache, (await inLanguage('fr')).fromCache]).toEqual([false, false]);
    expect([await cache.deleteUrl(url), memory.size]).toEqual([2, 0]);
  });
});

test('an adapter that deletes nothing is reported instead of cleared endlessly', async () => {
  const map = new (class extends Map<string, unknown> {
    override delete() {
      return true;
    }
  })();
  const store = new KeyvStore(map, 'cache', {}, () => 0);
  for (let number = 0; number < 500; number += 1) await store.put([entryOf(number)]);
  await expect(managed(store).clear()).rejects.toThrow('does not delete');
});

describe('links', () => {
  const lists = (map: Map<string, unknown>) => [...map.keys()].filter((key) => key.includes(':l:'));

  test('are written one after another, and are deleted with their last entry', async () => {
    const map = new Map<string, unknown>();
    const store = new KeyvStore(map, 'cache', {}, () => 0);
    const ids = Array.from({ length: 40 }, (_, index) => idOf(index));
    const urls = ['1'.repeat(32)];
    await Promise.all(ids.map((id) => store.put([entryOf('a', { id, group: id, indexes: urls })])));
    expect(await managed(store).count({ index: '1'.repeat(32) })).toBe(40);
    expect(lists(map)).toHaveLength(16);
    await store.delete(ids.slice(1));
    expect([await managed(store).count({ index: '1'.repeat(32) }), lists(map)]).toEqual([1, [expect.any(String)]]);
    await store.delete(ids);
    expect([...map]).toEqual([]);
  });

  test('omit entries past their retention and unreadable entries', async () => {
    const clock = new TestClock();
    const map = new Map<string, unknown>();
    const store = new KeyvStore(map, 'cache', { retention: 60 }, clock.now);
    const [first, second] = [`${'0'.repeat(63)}a`, `${'1'.repeat(63)}a`];
    const put = (id: string) =>
      store.put([entryOf('a', { id, group: id, indexes: ['1'.repeat(32)], staleAt: clock.now() })]);
    await put(first);
    clock.advance(61);
    await put(second);
    const [key = ''] = lists(map);
    expect(JSON.stringify(map.get(key))).toContain(second);
    expect(JSON.stringify(map.get(key))).not.toContain(first);
    map.set([...map.keys()].find((name) => name.includes(':l:'))?.replace(/1{32}:a/, 'x:0') ?? '', 'not ours');
    expect(await managed(store).count({ index: 'x' })).toBe(0);
  });
});

test.each(['', 'a:b', 'a b', 'x'.repeat(101)])('the name %j is refused: keys begin with it', (cacheName) => {
  expect(() => new KeyvCache(new Map() as never, { cacheName })).toThrow('cacheName');
});

test('backend takes a Keyv, or an adapter, and leaves other keys alone', async () => {
  await using bench = await startBench();
  const keyv = new Keyv();
  const listeners = keyv.listeners('error').length;
  await keyv.set('mine', 'kept');
  for (const backend of [keyv, keyv, new Map()]) {
    const api = setupCache(axios.create({ baseURL: bench.origin.url }), {
      backend,
      cacheName: 'ours',
      serializer: 'v8',
    });
    await api.get('/a');
    expect((await api.get('/a')).fromCache).toBe(true);
    expect(api.cache).toBeInstanceOf(KeyvCache);
    await api.cache.clear();
    expect(await api.cache.responseCount()).toBe(0);
    await api.detachCache();
  }
  expect(await keyv.get('mine')).toBe('kept');
  expect(keyv.listeners('error')).toHaveLength(listeners + 1);
});

test('all matching entries are removed, although the adapter skips some if others are deleted during a listing', async () => {
  await using folder = await temporaryFolder();
  const adapter = new KeyvSqlite({ uri: `sqlite://${folder.path}/keyv.sqlite`, iterationLimit: 100 } as object);
  // Line 6 refuses it on one of its engines.
  await adapter.query('PRAGMA synchronous = OFF').catch(() => {});
  const clock = new TestClock();
  const cache = new KeyvCache(adapter as never, { cacheName: 'many', backendTimeout: 60 }, clock);
  const respond = async (config: object) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
  const api = setupCache(axios.create({ adapter: respond as never }), { backend: cache, expireAfter: 10 }, clock);
  const urls = Array.from({ length: 1_100 }, (_, index) => `http://many.example/${index}`);
  await Promise.all(urls.map((url) => api.get(url)));
  clock.advance(20);
  expect([await cache.delete({ olderThan: 15 }), await cache.responseCount()]).toEqual([urls.length, 0]);
  await cache.close();
});

/** The adapters for PostgreSQL and Memcached are of Keyv's fifth line. */
const isLine5 = !('setMany' in KeyvSqlite.prototype);

if (isLine5) {
  describeService(postgres, (server) => {
    /** The adapter's table, of which each cache of a test has its part. */
    const adapter = (folder: string) =>
      new KeyvPostgres({ uri: server().url, table: `t_${nameIn(folder, '').replace(/\W/g, '').toLowerCase()}` });

    describeBackend('keyv over PostgreSQL', {
      open: (folder, cacheName, options, now) => new KeyvStore(adapter(folder), cacheName, options, now),
      persistent: true,
      atomic: false,
      leases: false,
      bounded: false,
      expires: false,
    });

    describe('from outage to outage', () => {
      // The adapter makes its table when it is constructed, and never again.
      beforeAll(() =>
        until('the table is there', async () => {
          const store = new KeyvStore(new KeyvPostgres({ uri: server().url }), 'faults', {}, Date.now);
          const isReady = await store.ready().then(
            () => true,
            () => false,
          );
          await store.close();
          return isReady;
        }),
      );

      // A query to a frozen server keeps the process: the adapter's own affair.
      testFaults('postgres', server, [KILLED]);
    });
  });

  describeService(memcached, (server) => {
    test('Memcached serves requests, and refuses operations that need a pass over all entries', async () => {
      await using bench = await startBench();
      const cache = new KeyvCache(new KeyvMemcache(server().url) as never, { cacheName: 'memcached', retention: '1h' });
      const api = bench.more({ backend: cache });
      const first = await api.get('/a');
      const second = await api.get('/a');
      expect([second.data, second.fromCache]).toEqual([first.data, true]);
      expect((await cache.getResponse(first.cacheKey ?? ''))?.url).toBe(`${bench.origin.url}/a`);
      await expect(cache.responseCount()).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
      await expect(cache.removeExpiredResponses()).rejects.toThrow('use another backend');
      await cache.delete(first.cacheKey ?? '');
      expect((await api.get('/a')).fromCache).toBe(false);
      await cache.close();
    });

    test('a body that is too large for Memcached is returned, and is no outage', async () => {
      await using bench = await startBench({}, (_, response) => void response.end(Buffer.alloc(2_000_000)));
      const cache = new KeyvCache(new KeyvMemcache(server().url) as never, { cacheName: 'large' });
      const api = bench.more({ backend: cache });
      for (const _ of [1, 2]) expect((await api.get('/a', { responseType: 'arraybuffer' })).data.byteLength).toBe(2e6);
      expect(bench.events.filter(({ type }) => type === 'error').map(({ error }) => error)).toEqual([
        expect.objectContaining({ message: 'MemJS SET: Value too large' }),
        expect.objectContaining({ message: 'MemJS SET: Value too large' }),
      ]);
      await cache.close();
    });
  });
}

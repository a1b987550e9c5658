import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson, startOrigin } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** Option `tags`, from the request to the store and its invalidation, in every mode. */

const answer: Handler = ({ method, url, headers }, response, count) => {
  const fields = { 'cache-control': 'max-age=60', etag: '"1"', vary: 'X-Mode', 'x-count': String(count) };
  if (url === '/error') response.writeHead(500).end();
  else if (headers['if-none-match'] === '"1"' && headers['x-new'] === undefined) response.writeHead(304, fields).end();
  else sendJson(response, { method, url, count }, fields);
};

const counted = ({ headers }: { headers: Record<string, unknown> }) => [`count ${headers['x-count']}`];

/** Whether each URL is a hit, without asking the origin. */
async function areHits({ api }: Bench, urls: string[], config: AxiosRequestConfig = {}): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const url of urls) {
    const { status } = await api.get(url, { ...config, onlyIfCached: true, validateStatus: null });
    found.push(status === 200);
  }
  return found;
}

describe.each([
  ['without cacheControl', { expireAfter: 60 }],
  ['with cacheControl', { cacheControl: true }],
])('tags %s', (_, mode: CacheOptions) => {
  describeStores((options) => tagTests(options, mode));
});

function tagTests(options: OptionsIn, mode: CacheOptions): void {
  async function withBench(own: CacheOptions, work: (bench: Bench) => Promise<void>, handler = answer): Promise<void> {
    await using folder = await temporaryFolder();
    await using bench = await startBench({ ...options(folder.path), ...mode, ...own } as CacheOptions, handler);
    await work(bench);
  }

  test('those of instance and request add up, are in the response, and select by any of them', async () => {
    await withBench({ tags: 'all' }, async (bench) => {
      const { api } = bench;
      expect((await api.get('/a', { tags: ['one', 'all'] })).tags).toEqual(['all', 'one']);
      await api.get('/b', { tags: counted });
      expect((await api.get('/b')).tags).toEqual(['all', 'count 2']);
      await api.get('/c', { tags: 'ONE' });
      expect(await api.cache.delete({ tags: ['none', 'one', 'count 2'] })).toBe(2);
      expect(await areHits(bench, ['/a', '/b', '/c'])).toEqual([false, false, true]);
      expect(await api.cache.delete({ tags: 'all' })).toBe(1);
      expect(await api.cache.responseCount()).toBe(0);
    });
  });

  test('the tags of a request that is a hit change nothing', async () => {
    await withBench({}, async ({ api }) => {
      await api.get('/a', { tags: 'one' });
      expect((await api.get('/a', { tags: 'two' })).tags).toEqual(['one']);
      expect([await api.cache.delete({ tags: 'two' }), await api.cache.delete({ tags: 'one' })]).toEqual([0, 1]);
    });
  });

  test('a 200 replaces them, and a 304 adds to them, for which functions are called anew', async () => {
    await withBench({ tags: counted }, async ({ api, clock }) => {
      await api.get('/a', { tags: 'one' });
      clock.advance(61);
      const confirmed = await api.get('/a', { tags: 'two' });
      expect([confirmed.revalidated, [...confirmed.tags].sort()]).toEqual([true, ['count 1', 'count 2', 'one', 'two']]);
      for (const tags of ['count 1', 'one', 'count 2', 'two'])
        expect([tags, await api.cache.responseCount({ tags })]).toEqual([tags, 1]);
      expect([...(await api.get('/a', { tags: 'three', forceRefresh: true })).tags].sort()).toEqual([
        'count 3',
        'three',
      ]);
      for (const tags of ['one', 'two', 'count 1', 'count 2']) expect(await api.cache.delete({ tags })).toBe(0);
      expect(await api.cache.delete({ tags: 'three' })).toBe(1);
    });
  });

  test('each variant has its own, and goes alone', async () => {
    await withBench({}, async (bench) => {
      const { api } = bench;
      const of = (mode: string) => ({ headers: { 'X-Mode': mode } });
      for (const name of ['1', '2']) await api.get('/a', { ...of(name), tags: [`mode ${name}`, 'both'] });
      expect((await api.get('/a', of('2'))).tags).toEqual(['mode 2', 'both']);
      expect(await api.cache.delete({ tags: 'mode 1' })).toBe(1);
      expect([await areHits(bench, ['/a'], of('1')), await areHits(bench, ['/a'], of('2'))]).toEqual([[false], [true]]);
      expect(await api.cache.delete({ tags: 'both' })).toBe(1);
    });
  });

  test('neither principals nor origins divide them', async () => {
    await withBench({ tags: 'all' }, async (bench) => {
      await using other = await startOrigin(answer);
      const { api } = bench;
      await api.get('/a', { headers: { Authorization: 'Basic one' } });
      await api.get('/a', { headers: { Authorization: 'Basic two' } });
      await api.get(`${other.url}/a`);
      expect(await api.cache.delete({ tags: 'all' })).toBe(3);
    });
  });

  test('requests in flight are joined only with equal tags', async () => {
    await withBench({}, async ({ api, origin }) => {
      const tags = [['one'], ['one'], ['two'], []];
      const answers = await Promise.all(tags.map((own) => api.get('/a', { tags: own })));
      const [first, second, ...others] = answers.map(({ cacheStatus }) => cacheStatus.includes('collapsed'));
      // Reads of a store may end in any order.
      expect([[first, second].sort(), others]).toEqual([
        [false, true],
        [false, false],
      ]);
      expect(origin.asked).toHaveLength(3);
    });
  });

  test('invalidates removes by tag after an answer that is no error', async () => {
    await withBench({}, async (bench) => {
      const { api } = bench;
      const fill = async () => {
        await api.get('/a', { tags: 'one' });
        await api.get('/b', { tags: 'two' });
        await api.get('/c');
      };
      const urls = ['/a', '/b', '/c'];
      await fill();
      await api.post('/error', {}, { invalidates: { tags: ['one'] }, validateStatus: null });
      expect(await areHits(bench, urls)).toEqual([true, true, true]);
      await api.post('/x', {}, { invalidates: { tags: 'one' }, readOnly: true });
      expect(await areHits(bench, urls)).toEqual([true, true, true]);
      await api.post('/x', {}, { invalidates: { tags: ['one'], urls: ['/c'] } });
      await until('the pattern is carried out', async () => (await api.cache.responseCount()) === 1);
      expect(await areHits(bench, urls)).toEqual([false, true, false]);
      await fill();
      await api.get('/x', { invalidates: { tags: ['two'] } });
      expect(await areHits(bench, urls)).toEqual([true, false, true]);
    });
  });

  test('soft: an expired response is revalidated, and answers for a failure', async () => {
    await withBench({ oldDataOnError: true }, async ({ api, origin }) => {
      await api.get('/a', { tags: 'one' });
      await api.get('/b', { tags: 'one' });
      await api.get('/c', { tags: 'two' });
      await api.cache.resetExpiration(0, { tags: 'one' });
      expect((await api.get('/c')).isExpired).toBe(false);
      expect((await api.get('/a')).revalidated).toBe(true);
      expect((await api.get('/a')).cacheStatus).toContain('; hit');
      await origin.stop();
      expect(await api.get('/b')).toMatchObject({ fromCache: true, isExpired: true, data: { url: '/b' } });
      expect(await api.cache.delete({ tags: 'one' })).toBe(2);
      await expect(api.get('/b')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    ['returns an empty tag', () => ['']],
    ['returns a number', () => 7],
    ['returns too many', () => Array.from({ length: 129 }, (_, index) => `tag ${index}`)],
  ])('a response is not stored, with an event, if the function %s', async (_, tags) => {
    await withBench({}, async ({ api, events }) => {
      const { status, cacheStatus } = await api.get('/a', { tags: tags as never });
      expect([status, cacheStatus]).toEqual([
        200,
        'axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=user-function',
      ]);
      expect(await api.cache.responseCount()).toBe(0);
      expect(events).toContainEqual(expect.objectContaining({ type: 'error', reason: 'user-function' }));
    });
  });

  test('update, recreateKeys and updateResponse keep them', async () => {
    await withBench({}, async ({ api, more }) => {
      await api.get('/a?b=1', { tags: 'one' });
      await api.get('/b', { tags: 'one' });
      const other = more();
      await other.cache.update(api.cache);
      api.cacheSettings.expireAfter = 100;
      await api.cache.recreateKeys();
      await api.cache.updateResponse({ url: '/b' }, () => 'new');
      for (const { cache } of [api, other]) expect(await cache.responseCount({ tags: 'one' })).toBe(2);
      for (const { cache } of [api, other]) expect(await cache.delete({ tags: 'one' })).toBe(2);
    });
  });

  test('values() and filter() show them', async () => {
    await withBench({}, async ({ api }) => {
      await api.get('/a', { tags: ['one', 'two'] });
      await api.get('/b');
      const found: (readonly string[])[] = [];
      for await (const { tags } of api.cache.values()) found.push(tags);
      expect(found.sort()).toEqual([[], ['one', 'two']]);
      for await (const one of api.cache.filter({ tags: 'two' }))
        expect(one).toMatchObject({ tags: ['one', 'two'], status: 200 });
    });
  });
}

import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { internalsOf } from '../../lib/cache/internals.js';
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

  test('requests in flight share one response, which each finds by its own tags', async () => {
    await withBench({ tags: 'all' }, async ({ api }) => {
      const tags = [['one'], ['one'], ['two'], []];
      const answers = await Promise.all(tags.map((own) => api.get('/a', { tags: own })));
      // Reads of a store may end in any order: one that ends late finds the stored response, and changes nothing.
      const shared = answers.flatMap(({ cacheStatus }, index) => (cacheStatus.includes('; hit') ? [] : [index]));
      const expected = ['all', ...shared.flatMap((index) => tags[index] ?? [])];
      for (const index of shared) expect(answers[index]?.tags).toEqual(expect.arrayContaining(tags[index] ?? []));
      for (const name of expected) expect([name, await api.cache.responseCount({ tags: name })]).toEqual([name, 1]);
      expect(await api.cache.delete({ tags: expected.at(-1) })).toBe(1);
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

describe('tags of requests in flight at once', () => {
  const OPTIONS: CacheOptions = { expireAfter: 60, backend: 'memory' };

  /** An origin whose answers wait: each until it is let go. */
  function held() {
    const waiting: (() => void)[] = [];
    const handler: Handler = async (request, response, count) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      await answer(request, response, count);
    };
    const letGo = async (number: number) => {
      await until('the request has come', () => waiting.length > number);
      waiting[number]?.();
    };
    return { handler, letGo };
  }

  /** Waits until callers with these tags take part in the request for `/a`. */
  async function joined({ api }: Bench, tags: readonly string[]): Promise<void> {
    const key = await api.cache.createKey({ url: '/a' });
    const { requests } = internalsOf(api.cache).repository;
    await until('all callers have come', () => tags.every((tag) => requests.tagsOf(key).includes(tag)));
  }

  async function found({ api }: Bench, names: readonly string[]): Promise<readonly number[]> {
    return Promise.all(names.map((tags) => api.cache.responseCount({ tags })));
  }

  test('requests with different tags are one request to the origin', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const requests = [undefined, ['one'], ['two']].map((tags) => bench.api.get('/a', { tags }));
    await joined(bench, ['one', 'two']);
    await letGo(0);
    const answers = await Promise.all(requests);
    expect(answers.map(({ tags }) => tags)).toEqual([0, 1, 2].map(() => ['one', 'two']));
    expect([bench.origin.asked.length, await found(bench, ['one', 'two'])]).toEqual([1, [1, 1]]);
  });

  test('functions of requests divide them, those of the instance do not', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench({ ...OPTIONS, tags: counted }, handler);
    const requests = [['one'], ['two'], () => 'three', () => 'four'].map((tags) => bench.api.get('/a', { tags }));
    for (const number of [0, 1, 2]) await letGo(number);
    await Promise.all(requests);
    expect(bench.origin.asked).toHaveLength(3);
    expect(await found(bench, ['one', 'two', 'count 3', 'four', 'three'])).toEqual([1, 1, 1, 1, 0]);
  });

  test('a caller that comes after the tags were settled asks by itself, and both have theirs', async () => {
    const { handler, letGo } = held();
    let [accept, isSettled]: [() => void, boolean] = [() => {}, false];
    const accepted = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const filterFn = async () => {
      isSettled = true;
      await accepted;
      return true;
    };
    await using bench = await startBench({ ...OPTIONS, filterFn }, handler);
    const first = bench.api.get('/a', { tags: 'one' });
    await letGo(0);
    await until('the tags of the first are settled', () => isSettled);
    const second = bench.api.get('/a', { tags: 'two' });
    await joined(bench, ['two']);
    accept();
    await letGo(1);
    expect([(await first).tags, (await second).tags]).toEqual([['one'], ['two', 'one']]);
    expect([bench.origin.asked.length, await found(bench, ['one', 'two'])]).toEqual([2, [1, 1]]);
  });

  test.each([
    ['streams', { responseType: 'stream' }],
    ['requests that are not coalesced', { coalesce: false }],
  ] as const)('%s: the response that is stored last has the tags of both', async (_, config) => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { handler, letGo } = held();
      await using bench = await startBench(OPTIONS, handler);
      const requests: Promise<unknown>[] = [];
      for (const tags of ['one', 'two']) {
        const request = bench.api.get('/a', { ...config, tags });
        requests.push(request.then(({ data }) => ('responseType' in config ? data.toArray() : data)));
        await until('it has come', () => bench.origin.asked.length === requests.length);
      }
      for (const number of order) {
        await letGo(number);
        await requests[number];
      }
      expect([order, await found(bench, ['one', 'two'])]).toEqual([order, [1, 1]]);
    }
  });

  test('so does one that comes during the write of a store that finds entries at once', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const { store } = internalsOf(bench.api.cache).breaker;
    const put = store.put.bind(store);
    let [write, isWriting]: [() => void, boolean] = [() => {}, false];
    const written = new Promise<void>((resolve) => {
      write = resolve;
    });
    store.put = async (entries) => {
      isWriting = true;
      await written;
      return put(entries);
    };
    const first = bench.api.get('/a', { tags: 'one' });
    await letGo(0);
    await until('the first is being written', () => isWriting);
    const second = bench.api.get('/a', { tags: 'two' });
    await joined(bench, ['two']);
    write();
    await letGo(1);
    await Promise.all([first, second]);
    expect([bench.origin.asked.length, await found(bench, ['one', 'two'])]).toEqual([2, [1, 1]]);
  });

  test('a 304 that two share adds the tags of both', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const stored = bench.api.get('/a', { tags: 'zero' });
    await letGo(0);
    await stored;
    bench.clock.advance(61);
    const requests = ['one', 'two'].map((tags) => bench.api.get('/a', { tags }));
    await joined(bench, ['one', 'two']);
    await letGo(1);
    for (const { revalidated } of await Promise.all(requests)) expect(revalidated).toBe(true);
    expect([bench.origin.asked.length, await found(bench, ['zero', 'one', 'two'])]).toEqual([2, [1, 1, 1]]);
  });

  test('a refresh in the background has the tags of all callers that it served stale', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench({ ...OPTIONS, staleWhileRevalidate: true }, handler);
    const stored = bench.api.get('/a', { tags: 'zero' });
    await letGo(0);
    await stored;
    bench.clock.advance(61);
    const stale = await Promise.all(['one', 'two'].map((tags) => bench.api.get('/a', { tags })));
    expect(stale.map(({ tags, isExpired }) => [tags, isExpired])).toEqual([0, 1].map(() => [['zero'], true]));
    await letGo(1);
    await Promise.all(stale.map(({ refreshed }) => refreshed));
    expect([bench.origin.asked.length, await found(bench, ['zero', 'one', 'two'])]).toEqual([2, [1, 1, 1]]);
  });

  test("an invalidation of any caller's tag keeps the shared response out of the store", async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const requests = ['one', 'two'].map((tags) => bench.api.get('/a', { tags }));
    await joined(bench, ['one', 'two']);
    await until('it has come', () => bench.origin.asked.length === 1);
    await bench.api.cache.delete({ tags: 'two' });
    await letGo(0);
    expect((await requests[0])?.data).toMatchObject({ count: 1 });
    // The other caller asks again, since its tag was invalidated meanwhile.
    await letGo(1);
    expect((await requests[1])?.data).toMatchObject({ count: 2 });
    expect((await bench.api.get('/a')).data).toMatchObject({ count: 2 });
  });

  test('a later request has its own tags alone', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const first = bench.api.get('/a', { tags: 'one' });
    await letGo(0);
    await first;
    const later = bench.api.get('/a', { tags: 'two', forceRefresh: true });
    await letGo(1);
    expect([(await later).tags, await found(bench, ['one', 'two'])]).toEqual([['two'], [0, 1]]);
  });

  test('a response with more than 128 tags in all is not stored', async () => {
    const { handler, letGo } = held();
    await using bench = await startBench(OPTIONS, handler);
    const lists = ['a', 'b'].map((letter) => Array.from({ length: 70 }, (_, index) => `${letter}${index}`));
    const requests = lists.map((tags) => bench.api.get('/a', { tags }));
    await joined(bench, ['a0', 'b0']);
    await letGo(0);
    await Promise.all(requests);
    expect([bench.origin.asked.length, await bench.api.cache.responseCount()]).toEqual([1, 0]);
  });
});

import { describe, expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** The chain /one, /two, /three; /three answers a JSON document with an ETag, tags, and a cache group. */
const CHAIN = ['/one', '/two', '/three'];
const TAGS: CacheOptions = { tags: ({ data }) => (data as { tags?: string[] }).tags };
const MODE = (mode: string) => ({ headers: { 'X-Mode': mode } });

const chain: Handler = ({ method, url, headers }, response, count) => {
  const fresh = { 'cache-control': 'max-age=60' };
  if (method === 'POST') {
    const groups = url === '/elsewhere' ? { 'cache-group-invalidation': '"news"' } : {};
    return sendJson(response, 'changed', groups);
  }
  const mode = headers['x-mode'] ?? 'none';
  if (url === '/one' && mode !== 'direct') return void response.writeHead(302, { ...fresh, location: '/two' }).end();
  if (url === '/two') return void response.writeHead(301, { ...fresh, location: '/three' }).end();
  const fields = { ...fresh, etag: '"1"', vary: 'X-Mode', 'cache-groups': '"news"' };
  if (headers['if-none-match'] === '"1"') return void response.writeHead(304, fields).end();
  sendJson(response, { mode, count, tags: ['news', `mode ${mode}`] }, fields);
};

/** Whether each URL of the chain is a hit, without asking the origin. */
async function hits({ api }: Bench, config = {}): Promise<(boolean | undefined)[]> {
  const seen = [];
  for (const url of CHAIN) {
    const { status, fromCache } = await api.get(url, { ...config, onlyIfCached: true, validateStatus: null });
    seen.push(status === 200 ? fromCache : undefined);
  }
  return seen;
}

const ALL = [true, true, true];
const NONE = [undefined, undefined, undefined];

function mappingTests(options: OptionsIn): void {
  async function withBench(own: CacheOptions, work: (bench: Bench) => Promise<void>, handler = chain): Promise<void> {
    await using folder = await temporaryFolder();
    await using bench = await startBench({ ...options(folder.path), expireAfter: 60, ...TAGS, ...own }, handler);
    await work(bench);
  }

  test('tags are those of the response, and invalidate it by each of its URLs', async () => {
    await withBench({}, async (bench) => {
      const { api } = bench;
      await api.get('/one');
      for (const url of CHAIN) expect((await api.get(url)).tags).toEqual(['news', 'mode none']);
      await api.post('/other', {}, { invalidates: { tags: ['news'] } });
      expect([await hits(bench), await api.cache.responseCount(), await api.cache.redirects.count()]).toEqual([
        NONE,
        0,
        0,
      ]);
      await api.get('/one');
      expect([await api.cache.delete({ tags: 'news' }), await hits(bench), await api.cache.redirects.count()]).toEqual([
        1,
        NONE,
        0,
      ]);
    });
  });

  test('a cache group invalidates the response by each of its URLs', async () => {
    await withBench({ cacheControl: true }, async (bench) => {
      await bench.api.get('/one');
      expect(await hits(bench)).toEqual(ALL);
      await bench.api.post('/elsewhere');
      expect(await hits(bench)).toEqual(NONE);
    });
  });

  test.each(CHAIN)('an unsafe request to %s invalidates the response by each of its URLs', async (url) => {
    await withBench({ cacheControl: true }, async (bench) => {
      await bench.api.get('/one');
      await bench.api.post(url);
      expect(await hits(bench)).toEqual(NONE);
    });
  });

  test.each<[string, (bench: Bench) => Promise<unknown>]>([
    ['an unsafe request to a middle URL', ({ api }) => api.post('/two')],
    ['a tag that is known before', ({ api }) => api.post('/x', {}, { invalidates: { tags: ['known'] } })],
    ['a tag of the response', ({ api }) => api.post('/x', {}, { invalidates: { tags: ['news'] } })],
    ['a cache group', ({ api }) => api.post('/elsewhere')],
    ['deleteUrl of a middle URL', ({ api, origin }) => api.cache.deleteUrl(`${origin.url}/two`)],
    ['a pattern', ({ api }) => api.cache.delete({ urls: '127.0.0.1/tw*' })],
  ])('%s reaches a response of the chain in flight', async (_, invalidate) => {
    let release = () => {};
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const gated: Handler = async (request, response, count) => {
      if (request.url === '/three') {
        await new Promise<void>((resolve) => {
          release = resolve;
          asked();
        });
      }
      return chain(request, response, count);
    };
    await withBench(
      { cacheControl: true },
      async (bench) => {
        const pending = bench.api.get('/one', { tags: ['known'] });
        await isAsked;
        await invalidate(bench);
        release();
        expect((await pending).cacheStatus).not.toContain('stored');
        expect(await hits(bench)).toEqual(NONE);
      },
      gated,
    );
  });

  test('a response and its mappings expire, and are removed, together', async () => {
    await withBench({}, async (bench) => {
      const { api, clock } = bench;
      await api.get('/one');
      clock.advance(30);
      expect(await api.removeExpiredResponses()).toEqual({ removed: 0, kept: 1 });
      expect(await hits(bench)).toEqual(ALL);
      clock.advance(31);
      expect(await hits(bench)).toEqual(NONE);
      expect(await api.removeExpiredResponses()).toEqual({ removed: 1, kept: 0 });
      expect(await api.cache.redirects.count()).toBe(0);
    });
  });

  describe.each<[string, (bench: Bench) => Promise<unknown>]>([
    ['a 304', ({ api }) => api.get('/three', { refresh: true })],
    ['a response to HEAD', ({ api }) => api.head('/three', { refresh: true })],
    [
      'revalidate',
      async ({ api }) => (await api.cache.getResponse(await api.cache.createKey({ url: '/three' })))?.revalidate('90s'),
    ],
    ['resetExpiration', ({ api }) => api.cache.resetExpiration('90s', { urls: '127.0.0.1/three' })],
  ])('%s renews a response', (_, renew) => {
    test('with the redirects of saveRedirect to it', async () => {
      await withBench({ cacheControl: true }, async (bench) => {
        const { api, clock } = bench;
        const { cacheKey = '' } = await api.get('/three');
        for (const url of ['/alias', '/other']) await api.cache.saveRedirect({ url }, cacheKey);
        clock.advance(40);
        await renew(bench);
        clock.advance(40);
        expect((await api.removeExpiredResponses()).removed).toBe(0);
        expect(await api.cache.redirects.count()).toBe(2);
        for (const url of ['/alias', '/other']) expect((await api.get(url)).fromCache).toBe(true);
        clock.advance(100);
        expect((await api.removeExpiredResponses()).kept).toBe(0);
        expect(await api.cache.redirects.count()).toBe(0);
      });
    });
  });

  test('a response to HEAD renews a redirected response with its mappings', async () => {
    await withBench({ cacheControl: true }, async (bench) => {
      const { api, clock } = bench;
      await api.get('/one');
      clock.advance(40);
      await api.head('/one', { refresh: true });
      clock.advance(40);
      await api.removeExpiredResponses();
      expect(await hits(bench)).toEqual(ALL);
    });
  });

  test('an expired response is fetched anew by a middle URL, which is then its own', async () => {
    await withBench({ cacheControl: true }, async (bench) => {
      const { api, clock } = bench;
      await api.get('/one');
      clock.advance(61);
      const { data, fromCache } = await api.get('/two');
      expect([data.count, fromCache]).toEqual([5, false]);
      expect(await hits(bench)).toEqual([undefined, true, true]);
      for (const url of ['/two', '/three']) expect((await api.get(url)).data.count).toBe(5);
    });
  });

  test('a chain with another end does not serve it under the URLs of the old one', async () => {
    let target = '/three';
    await withBench(
      {},
      async (bench) => {
        const { api } = bench;
        await api.get('/one');
        target = '/four';
        expect((await api.get('/one', { forceRefresh: true })).data).toBe('four');
        for (const url of ['/three', '/two']) expect((await api.get(url)).data).toBe(url.slice(1));
        for (const url of ['/one', '/four'])
          expect(await api.get(url)).toMatchObject({ data: 'four', fromCache: true });
      },
      ({ url }, response) => {
        if (url === '/one') response.writeHead(302, { location: target }).end();
        else sendJson(response, url.slice(1));
      },
    );
  });

  test.each(['/three', '/four'])(
    'no 304 confirms a redirected response whose final URL is another: %s',
    async (end) => {
      let target = '/three';
      await withBench(
        { cacheControl: true },
        async ({ api, clock }) => {
          await api.get('/one');
          clock.advance(61);
          target = end;
          expect((await api.get('/one')).data).toBe(end.slice(1));
        },
        ({ url, headers }, response) => {
          const fields = { 'cache-control': 'max-age=60', etag: '"1"' };
          if (url === '/one') response.writeHead(302, { ...fields, location: target }).end();
          // Documents of different URLs have one validator.
          else if (headers['if-none-match'] === '"1"') response.writeHead(304, fields).end();
          else sendJson(response, url.slice(1), fields);
        },
      );
    },
  );

  describe('several variants', () => {
    const variants = async ({ api, clock }: Bench) => {
      for (const mode of ['a', 'b']) {
        await api.get('/one', MODE(mode));
        clock.advance(1);
      }
    };

    test('each is served by the asked URL, and the one of the mapping by the others', async () => {
      await withBench({}, async (bench) => {
        await variants(bench);
        for (const mode of ['a', 'b']) expect((await bench.api.get('/one', MODE(mode))).data.mode).toBe(mode);
        for (const url of CHAIN) expect(await bench.api.get(url, MODE('b'))).toMatchObject({ fromCache: true });
        expect((await bench.api.get('/two', MODE('a'))).data.mode).toBe('a');
      });
    });

    test('getResponse of a mapped key is the response of the mapping, also if another variant is newer', async () => {
      await withBench({}, async (bench) => {
        const { api, origin } = bench;
        await variants(bench);
        const keys = await Promise.all(CHAIN.map((url) => api.cache.createKey({ url: origin.url + url })));
        const modes = async () => {
          const found = await Promise.all(keys.map((key) => api.cache.getResponse(key)));
          return found.map((one) => (one?.data as { mode: string } | undefined)?.mode);
        };
        expect(await modes()).toEqual(['b', 'b', 'b']);
        await api.get('/one', MODE('direct'));
        expect(await modes()).toEqual(['direct', 'b', 'b']);
        expect(await Promise.all(keys.map((key) => api.cache.hasKey(key)))).toEqual(ALL);
        expect(await api.cache.contains({ request: { url: '/two' } })).toBe(true);
      });
    });

    test('a tag of one deletes that one alone', async () => {
      await withBench({}, async (bench) => {
        const { api } = bench;
        await variants(bench);
        expect(await api.cache.delete({ tags: 'mode a' })).toBe(1);
        expect(await api.cache.responseCount()).toBe(1);
        expect(await hits(bench, MODE('a'))).toEqual(NONE);
        expect(await hits(bench, MODE('b'))).toEqual(ALL);
      });
    });

    test('removal of one that expired leaves the others', async () => {
      await withBench({}, async (bench) => {
        const { api, clock } = bench;
        await api.get('/one', { ...MODE('a'), expireAfter: 3_600 });
        await api.get('/one', { ...MODE('b'), expireAfter: 10 });
        clock.advance(11);
        expect(await api.removeExpiredResponses()).toEqual({ removed: 1, kept: 1 });
        expect((await api.get('/one', MODE('a'))).fromCache).toBe(true);
      });
    });
  });

  describe('the URLs of a chain, for management', () => {
    test.each(CHAIN)('%s finds and deletes the response', async (url) => {
      await withBench({}, async (bench) => {
        const { api, origin } = bench;
        const { cache } = api;
        await api.get('/one');
        const absolute = origin.url + url;
        expect([
          await cache.hasUrl(absolute),
          await cache.contains({ url: absolute }),
          await cache.contains({ request: { url } }),
          (await cache.getResponse(await cache.createKey({ url })))?.url,
        ]).toEqual([true, true, true, `${origin.url}/three`]);
        expect([
          await cache.deleteUrl(absolute),
          await cache.deleteUrl(absolute),
          await cache.hasUrl(absolute),
        ]).toEqual([1, 0, false]);
        expect([await hits(bench), await cache.responseCount(), await cache.redirects.count()]).toEqual([NONE, 0, 0]);
      });
    });

    test.each<[string, (url: string, base: string) => object]>([
      ['keys', () => ({})],
      ['urls', (url, base) => ({ urls: base + url })],
      ['patterns', (url) => ({ urls: `127.0.0.1${url}` })],
      ['regular expressions', (url) => ({ urls: new RegExp(`${url}$`) })],
      ['requests', (url) => ({ requests: { url } })],
    ])('delete by %s', async (name, what) => {
      await withBench({}, async (bench) => {
        const { api, origin } = bench;
        for (const url of CHAIN) {
          await api.get('/one');
          const condition = name === 'keys' ? { keys: await api.cache.createKey({ url }) } : what(url, origin.url);
          expect(await api.cache.delete(condition)).toBe(1);
          expect([await hits(bench), await api.cache.redirects.count()]).toEqual([NONE, 0]);
        }
      });
    });

    test('resetExpiration by a middle URL expires the response, and renews it with its mappings', async () => {
      await withBench({}, async (bench) => {
        const { api, clock, origin } = bench;
        await api.get('/one');
        for (const urls of [`${origin.url}/two`, '127.0.0.1/two']) {
          await api.cache.resetExpiration(0, { urls });
          expect(await hits(bench)).toEqual(NONE);
          await api.cache.resetExpiration('1h', { urls });
          expect(await hits(bench)).toEqual(ALL);
        }
        clock.advance(100);
        expect(await api.removeExpiredResponses()).toEqual({ removed: 0, kept: 1 });
        expect(await hits(bench)).toEqual(ALL);
      });
    });

    test('filters and counts see the response once, by any of its conditions', async () => {
      await withBench({}, async (bench) => {
        const { api, clock } = bench;
        const counted = async (filter: object) => {
          const found = [];
          for await (const response of api.cache.filter(filter)) found.push(response);
          expect(await api.cache.responseCount(filter)).toBe(found.length);
          return found.length;
        };
        await api.get('/one');
        clock.advance(30);
        await api.get('/two', { forceRefresh: true });
        const filters = [
          {},
          { expired: false },
          { valid: false },
          { olderThan: 20 },
          { tags: 'news' },
          { tags: ['x'] },
        ];
        const counts = async () => {
          const all = [];
          for (const filter of filters) all.push(await counted(filter));
          return all;
        };
        expect(await counts()).toEqual([2, 2, 0, 1, 2, 0]);
        clock.advance(31);
        expect(await counts()).toEqual([2, 1, 1, 2, 2, 0]);
        for (const sort of ['createdAt', '-expires', 'size', '-url']) expect(await counted({ sort })).toBe(2);
      });
    });
  });
}

describeStores(mappingTests);

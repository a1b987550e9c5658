import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { internalsOf } from '../../lib/cache/internals.js';
import type { CachedAxiosInstance } from '../../lib/setup-cache.js';
import type { Store } from '../../lib/stores/store.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { STORES } from '../support/stores.js';

/** An origin whose GET answers wait until they are let go; each answer says how many unsafe requests came before it. */
function document(headers: Record<string, string> = {}) {
  let version = 0;
  let waiting: (() => void)[] = [];
  let heldVersion: number | undefined;
  const handler: Handler = async ({ method, url, headers: fields }, response) => {
    const isSafe = method === 'GET' || method === 'HEAD';
    if (!isSafe || fields['x-http-method-override'] !== undefined) {
      version += 1;
      if (method === 'PUT') {
        response.writeHead(303, { location: '/document' }).end();
        return;
      }
      response.writeHead(200, url === '/other' ? { 'content-location': '/document' } : {}).end();
      return;
    }
    if (url === '/moved') {
      response.writeHead(302, { location: '/middle', 'cache-control': 'max-age=60' }).end();
      return;
    }
    if (url === '/middle') {
      response.writeHead(302, { location: '/document', 'cache-control': 'max-age=60' }).end();
      return;
    }
    const own = version;
    if (heldVersion === version) await new Promise<void>((resolve) => waiting.push(resolve));
    if (headers.etag !== undefined && fields['if-none-match'] === headers.etag) {
      response.writeHead(304, { 'cache-control': 'max-age=60', ...headers }).end();
      return;
    }
    sendJson(response, own, { 'cache-control': 'max-age=60', ...headers });
  };
  return {
    handler,
    /** Delays the answers until a release, or until an unsafe request. */
    hold() {
      heldVersion = version;
    },
    release() {
      heldVersion = undefined;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    get waiting() {
      return waiting.length;
    },
  };
}

const INVALIDATIONS: readonly (readonly [string, (api: CachedAxiosInstance, url: string) => Promise<unknown>])[] = [
  ['POST', (api) => api.post('/document')],
  ['PUT answered with 303', (api) => api.put('/changes')],
  ['POST with Content-Location', (api) => api.post('/other')],
  ['invalidates: true', (api) => api.patch('/document', undefined, { invalidates: true })],
  ['invalidates by pattern', (api) => api.post('/x', undefined, { invalidates: ['/doc*'] })],
  ['invalidates by RegExp', (api) => api.post('/x', undefined, { invalidates: [/document$/] })],
  ['invalidates by tag', (api) => api.post('/x', undefined, { invalidates: { tags: ['docs'] } })],
  [
    'a GET with X-HTTP-Method-Override',
    (api) => api.get('/document', { headers: { 'X-HTTP-Method-Override': 'PUT' } }),
  ],
  ['a request of another principal', (api) => api.post('/document', '', { headers: { Authorization: 'other' } })],
  ['a child instance', (api) => api.create().post('/document')],
  ['the fetch adapter', (api) => api.post('/document', undefined, { adapter: 'fetch' })],
  ['delete(key)', async (api) => api.cache.delete(await api.cache.createKey({ url: '/document' }))],
  ['delete({ tags })', (api) => api.cache.delete({ tags: 'docs' })],
  ['delete({ urls }) by pattern', (api, url) => api.cache.delete({ urls: `${url.slice(7)}/doc*` })],
  ['delete({ urls }) by host and port', (api, url) => api.cache.delete({ urls: url.slice(7) })],
  ['delete({ requests })', (api) => api.cache.delete({ requests: { url: '/document' } })],
  ['deleteUrl', (api, url) => api.cache.deleteUrl(`${url}/document`)],
  ['clear()', (api) => api.cache.clear()],
  ['removeExpiredResponses(0)', (api) => api.cache.removeExpiredResponses(0)],
  ['resetExpiration(0)', (api) => api.cache.resetExpiration(0)],
  ['resetExpiration(0, { tags })', (api) => api.cache.resetExpiration(0, { tags: 'docs' })],
  ['resetExpiration(0, { urls })', (api, url) => api.cache.resetExpiration(0, { urls: `${url}/document` })],
];

/** Requests in flight, whose answers the origin delays. */
const IN_FLIGHT: readonly (readonly [string, (bench: Bench) => Promise<() => Promise<unknown>>])[] = [
  [
    'a GET',
    async ({ api }) =>
      () =>
        api.get('/document'),
  ],
  [
    'a GET of the fetch adapter',
    async ({ api }) =>
      () =>
        api.get('/document', { adapter: 'fetch' }),
  ],
  [
    'a stream',
    async ({ api }) =>
      async () => {
        const { data } = await api.get('/document', { responseType: 'stream' });
        for await (const _ of data);
      },
  ],
  [
    'a revalidation',
    async ({ api }) => {
      await api.get('/document');
      return () => api.get('/document', { refresh: true });
    },
  ],
  [
    'a background refresh',
    async ({ api, clock }) => {
      await api.get('/document');
      clock.advance(100);
      return async () => (await api.get('/document', { staleWhileRevalidate: true })).refreshed?.catch(() => {});
    },
  ],
  [
    'a HEAD',
    async ({ api, clock }) => {
      await api.get('/document');
      clock.advance(100);
      return () => api.head('/document');
    },
  ],
];

describe.each(IN_FLIGHT)('%s in flight', (_, prepare) => {
  test.each(INVALIDATIONS)('is not stored after %s', async (_name, invalidate) => {
    const origin = document({ etag: '"1"' });
    await using bench = await startBench({ cacheControl: true, tags: ['docs'] }, origin.handler);
    const { api } = bench;
    const start = await prepare(bench);
    origin.hold();
    const asked = start();
    await until('the origin is asked', () => origin.waiting > 0);
    await invalidate(api, bench.origin.url);
    origin.release();
    await asked;
    const later = await api.get('/document');
    expect(later.fromCache && !later.revalidated).toBe(false);
  });
});

test.each(INVALIDATIONS)('after %s, a later caller does not join the request in flight', async (_, invalidate) => {
  const origin = document();
  await using bench = await startBench({ cacheControl: true, tags: ['docs'] }, origin.handler);
  origin.hold();
  const first = bench.api.get('/document');
  await until('the origin is asked', () => origin.waiting > 0);
  await invalidate(bench.api, bench.origin.url);
  const second = bench.api.get('/document');
  await until(
    'the origin is asked again',
    () => bench.origin.asked.filter(({ url }) => url === '/document').length > 1,
  );
  origin.release();
  await first;
  expect((await second).fromCache).toBe(false);
});

describe.each(['/document', '/middle'])('a redirect chain in flight, of which %s changes', (changed) => {
  test('is not stored, and not shared with a later caller', async () => {
    const origin = document();
    await using bench = await startBench({ cacheControl: true }, origin.handler);
    origin.hold();
    const first = bench.api.get('/moved');
    await until('the origin is asked', () => origin.waiting > 0);
    await bench.api.post(changed);
    const second = bench.api.get('/moved');
    await new Promise((resolve) => setTimeout(resolve, 20));
    origin.release();
    expect((await first).data).toBe(0);
    expect((await second).data).toBe(1);
    for (const url of ['/moved', '/middle', '/document']) expect((await bench.api.get(url)).data).toBe(1);
  });
});

test('delete() of a key that is mapped to a response in flight', async () => {
  const origin = document();
  await using bench = await startBench({}, origin.handler);
  origin.hold();
  const asked = bench.api.get('/moved');
  await until('the origin is asked', () => origin.waiting > 0);
  await bench.api.cache.delete(await bench.api.cache.createKey({ url: '/document' }));
  origin.release();
  await asked;
  expect((await bench.api.get('/document')).fromCache).toBe(false);
});

test('delete({ olderThan }) up to now includes a response in flight, up to an earlier instant it does not', async () => {
  for (const [olderThan, isHit] of [
    [0, false],
    ['1h', true],
  ] as const) {
    const origin = document();
    await using bench = await startBench({}, origin.handler);
    origin.hold();
    const asked = bench.api.get('/document');
    await until('the origin is asked', () => origin.waiting > 0);
    await bench.api.cache.delete({ olderThan });
    origin.release();
    await asked;
    expect((await bench.api.get('/document')).fromCache).toBe(isHit);
  }
});

test('another instance with the same cache invalidates as well', async () => {
  const origin = document();
  await using bench = await startBench({ cacheControl: true }, origin.handler);
  const other = bench.more({ backend: bench.api.cache, cacheControl: true });
  origin.hold();
  const asked = bench.api.get('/document');
  await until('the origin is asked', () => origin.waiting > 0);
  await other.post('/document');
  origin.release();
  await asked;
  expect((await bench.api.get('/document')).data).toBe(1);
});

test('a cached POST is stored although it invalidates its URL and its tag', async () => {
  await using bench = await startBench({ cacheControl: true, allowableMethods: ['GET', 'POST'] }, (_, response) =>
    sendJson(response, 1, { 'cache-control': 'max-age=60' }),
  );
  const config = { tags: ['list'], invalidates: { tags: ['list'] } };
  const [one] = await Promise.all([bench.api.post('/a', 'x', config), bench.api.post('/b', 'y')]);
  expect(one.cacheStatus).toContain('stored');
  expect((await bench.api.post('/b', 'y')).fromCache).toBe(true);
});

describe('of two requests in flight, the one that demands the origin began later', () => {
  test.each(['forceRefresh', 'refresh', 'alwaysRevalidate'])(
    '%s: the older answer does not replace its own',
    async (option) => {
      const releases: (() => void)[] = [];
      await using bench = await startBench({}, async (_, response, count) => {
        await new Promise<void>((resolve) => releases.push(resolve));
        sendJson(response, count);
      });
      const older = bench.api.get('/');
      await until('the origin is asked', () => releases.length === 1);
      const newer = bench.api.get('/', { [option]: true });
      await until('the origin is asked again', () => releases.length === 2);
      releases[1]?.();
      expect((await newer).data).toBe(2);
      releases[0]?.();
      expect((await older).data).toBe(1);
      expect((await bench.api.get('/')).data).toBe(2);
    },
  );
});

describe.each(STORES)('%s', (_, options) => {
  test('a redirect that is followed without the cache invalidates all URLs of its chain', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench(
      { ...options(folder.path), cacheControl: true },
      ({ method, url }, response, count) => {
        if (method === 'POST' && url !== '/c') response.writeHead(307, { location: url === '/a' ? '/b' : '/c' }).end();
        else sendJson(response, count, { 'cache-control': 'max-age=60' });
      },
    );
    for (const url of ['/a', '/b', '/c', '/d']) await bench.api.get(url);
    await bench.api.post('/a', 'x');
    const hits = await Promise.all(['/a', '/b', '/c', '/d'].map(async (url) => (await bench.api.get(url)).fromCache));
    expect(hits).toEqual([false, false, false, true]);
  });
});

/** Replaces methods of the store of a cache until the test ends. */
function intercept(api: CachedAxiosInstance, methods: Partial<Store>): void {
  Object.assign(internalsOf(api.cache).breaker.store, methods);
}

describe('a slow write', () => {
  test('that goes on in the background is undone by an invalidation during it', async () => {
    const origin = document();
    await using bench = await startBench(
      { cacheControl: true, backendOptions: { backendTimeout: 0.05 } },
      origin.handler,
    );
    const { store } = internalsOf(bench.api.cache).breaker;
    const put = store.put.bind(store);
    let write: () => void = () => {};
    const written = new Promise<void>((resolve) => {
      write = resolve;
    });
    intercept(bench.api, { put: (entries) => written.then(() => put(entries)) });
    internalsOf(bench.api.cache)
      .breaker.ready()
      .catch(() => {});
    await bench.api.get('/document');
    await bench.api.cache.ready();
    await bench.api.post('/document');
    intercept(bench.api, { put });
    write();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await bench.api.get('/document')).data).toBe(1);
  });
});

describe('a store that refuses deletions', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function refusing(): Promise<{ bench: Bench; recover: () => Promise<void> } & AsyncDisposable> {
    const origin = document();
    const bench = await startBench({ cacheControl: true, tags: ['docs'] }, origin.handler);
    const { store } = internalsOf(bench.api.cache).breaker;
    const { deleteGroups, delete: deleteOne, clear } = store;
    const fail = async () => {
      throw new Error('refused');
    };
    intercept(bench.api, {
      deleteGroups: fail,
      delete: fail,
      async *clear() {
        yield await fail();
      },
    });
    return {
      bench,
      async recover() {
        intercept(bench.api, { deleteGroups, delete: deleteOne, clear });
        await bench.api.cache.ready();
      },
      [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
    };
  }

  test.each(INVALIDATIONS.filter(([name]) => /^(POST|invalidates by (p|t)|delete\(|clear)/.test(name)))(
    'after %s, responses need validation until it has carried it out',
    async (_name, invalidate) => {
      await using refused = await refusing();
      const { bench, recover } = refused;
      await bench.api.get('/document');
      await bench.api.get('/unrelated', { tags: [] });
      await invalidate(bench.api, bench.origin.url).catch(() => {});
      bench.clock.advance(1);
      intercept(bench.api, { put: () => true });
      const later = await bench.api.get('/document');
      expect(later.fromCache && !later.revalidated).toBe(false);
      await recover();
      await until('it is carried out', async () => !(await bench.api.cache.hasUrl(`${bench.origin.url}/document`)));
    },
  );

  test.each([
    ['staleWhileRevalidate', { staleWhileRevalidate: true }],
    ['oldDataOnError', { oldDataOnError: true }],
    ['networkFirst', { networkFirst: 0.01 }],
    ['max-stale', { headers: { 'Cache-Control': 'max-stale' } }],
  ])('no option serves an invalidated response: %s', async (_name, config) => {
    await using refused = await refusing();
    const { bench } = refused;
    await bench.api.get('/document');
    await bench.api.post('/x', undefined, { invalidates: ['/doc*'] });
    await until('the store refused', () => bench.events.some(({ reason }) => reason === 'invalidation'));
    await bench.origin.stop();
    bench.clock.advance(1);
    await expect(bench.api.get('/document', config)).rejects.toHaveProperty(
      'code',
      expect.stringMatching(/^ECONN(REFUSED|RESET)$/),
    );
  });

  test.each([40, 1_100])('%i patterns or URLs', async (number) => {
    await using refused = await refusing();
    const { bench, recover } = refused;
    await bench.api.get('/document');
    await bench.api.get('/unrelated');
    const urls = Array.from({ length: number }, (_, index) => `${bench.origin.url}/many/${index}`);
    const patterns = urls.slice(0, 40).map((url) => `${url.slice(7)}/*`);
    await bench.api.cache.delete({ urls: [...urls, ...patterns, `${bench.origin.url}/document`] }).catch(() => {});
    bench.clock.advance(1);
    expect((await bench.api.get('/unrelated')).fromCache).toBe(number < 1_000);
    await recover();
    await until('it is carried out', async () => !(await bench.api.cache.hasUrl(`${bench.origin.url}/document`)));
    expect((await bench.api.get('/document')).fromCache).toBe(false);
  });
});

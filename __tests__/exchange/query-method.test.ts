import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { benchOver, describeStores, type OptionsIn } from '../support/stores.js';

/** RFC 10008: QUERY, from the request to the store and back. */

const FRESH = { 'cache-control': 'max-age=60' };

const answer: Handler = ({ method, url, body, headers }, response, count) => {
  if (/^\/30\d$/.test(url)) {
    return void response.writeHead(Number(url.slice(1)), { ...FRESH, location: '/target' }).end();
  }
  const fields = { ...FRESH, etag: `"${Buffer.from(body).toString('hex')}"`, vary: 'Accept-Language' };
  if (headers['if-none-match'] === fields.etag) return void response.writeHead(304, fields).end();
  sendJson(response, { method, url, body, count, language: headers['accept-language'] }, fields);
};

const query = (data: unknown, more: AxiosRequestConfig = {}): AxiosRequestConfig => ({
  method: 'QUERY',
  url: '/',
  data,
  ...more,
  headers: { 'Content-Type': 'application/json', ...more.headers },
});

function queryTests(options: OptionsIn): void {
  const over = benchOver(options);
  const withBench = (own: CacheOptions, work: (bench: Bench) => Promise<void>, handler = answer) =>
    over(own, work, handler);

  test('the same body is a hit, and another body, type or method is not', async () => {
    await withBench({}, async ({ api, origin }) => {
      expect((await api(query({ a: 1, b: 2 }))).data).toMatchObject({ method: 'QUERY', body: '{"a":1,"b":2}' });
      const same = await api(query({ b: 2, a: 1 }));
      expect([same.fromCache, same.data.body, same.data.count]).toEqual([true, '{"a":1,"b":2}', 1]);
      expect((await api(query('{"a":1, "b":2}'))).fromCache).toBe(true);
      const others = [
        query({ a: 1 }),
        query({ a: 1, b: 2 }, { url: '/other' }),
        query({ a: 1, b: 2 }, { headers: { 'Content-Type': 'application/vnd.api+json' } }),
        query({ a: 1, b: 2 }, { method: 'GET' }),
        query({ a: 1, b: 2 }, { headers: { Authorization: 'me' } }),
        query({ a: 1, b: 2 }, { headers: { 'Accept-Language': 'de' } }),
      ];
      for (const other of others) expect((await api(other)).fromCache).toBe(false);
      for (const other of others) expect((await api(other)).fromCache).toBe(true);
      expect(origin.asked).toHaveLength(1 + others.length);
    });
  });

  const JSON_TYPE = 'application/json';
  const asked = (body: string, fields: Record<string, string>): AxiosRequestConfig =>
    query(body, { headers: fields, transformRequest: (data: unknown) => data });

  test.each<[string, [string, Record<string, string>], [string, Record<string, string>], boolean]>([
    ['the same bytes', ['{"a":1}', {}], ['{"a":1}', {}], true],
    ['members of JSON in another order', ['{"a":1,"b":[1]}', {}], ['{"b":[1],"a":1}', {}], true],
    ['an array in another order', ['[1,2]', {}], ['[2,1]', {}], false],
    ['another form of a number', ['[1]', {}], ['[1.0]', {}], false],
    ['duplicate names', ['{"a":1}', {}], ['{"a":2,"a":1}', {}], false],
    [
      'members in another order, with no-transform',
      ['{"a":1,"b":2}', { 'Cache-Control': 'no-transform' }],
      ['{"b":2,"a":1}', { 'Cache-Control': 'no-transform' }],
      false,
    ],
    [
      'the same bytes, with no-transform',
      ['{"a":1}', { 'Cache-Control': 'no-transform' }],
      ['{"a":1}', { 'Cache-Control': 'no-transform' }],
      true,
    ],
    ['another type', ['a', { 'Content-Type': 'text/plain' }], ['a', { 'Content-Type': 'application/sql' }], false],
    ['a type with a suffix', ['{}', {}], ['{}', { 'Content-Type': 'application/vnd.api+json' }], false],
    ['a parameter of the type', ['{}', {}], ['{}', { 'Content-Type': `${JSON_TYPE};charset=utf-8` }], false],
    ['Content-Encoding', ['x', {}], ['x', { 'Content-Encoding': 'gzip' }], false],
    ['Content-Language', ['{}', {}], ['{}', { 'Content-Language': 'de' }], false],
    ['Content-Location', ['{}', {}], ['{}', { 'Content-Location': '/search/1' }], false],
  ])('after a stored QUERY: %s', async (_, first, second, isHit) => {
    await withBench({}, async ({ api }) => {
      expect((await api(asked(...first))).fromCache).toBe(false);
      expect((await api(asked(...second))).fromCache).toBe(isHit);
      expect((await api(asked(...first))).fromCache).toBe(true);
    });
  });

  test.each<[string, AxiosRequestConfig, string]>([
    [
      'without Content-Type',
      { method: 'QUERY', url: '/', data: 'x', headers: { 'Content-Type': false } },
      'content-type',
    ],
    ['with a stream', query(null), 'stream-body'],
  ])('a QUERY %s bypasses the cache', async (_, config, reason) => {
    await withBench({}, async ({ api }) => {
      for (let time = 0; time < 2; time += 1) {
        const data = reason === 'stream-body' ? Readable.from(['{}']) : config.data;
        const { cacheStatus } = await api({ ...config, data });
        expect(cacheStatus).toBe(`axios-keyv-cache; fwd=bypass; fwd-status=200; detail=${reason}`);
      }
      expect(await api.cache.responseCount()).toBe(0);
    });
  });

  test.each<[string, CacheOptions, Record<string, string>, Record<string, string>, string]>([
    ['a lifetime', {}, FRESH, {}, 'stored'],
    ['a heuristic lifetime', {}, { 'last-modified': 'Tue, 01 Jan 1980 00:00:00 GMT' }, {}, 'ttl=604800; stored'],
    ['no lifetime', {}, {}, {}, 'detail=no-lifetime'],
    ['Authorization, private', {}, FRESH, { Authorization: 'Basic x' }, 'stored'],
    ['Authorization, shared', { shared: true }, FRESH, { Authorization: 'Basic x' }, 'detail=authorization'],
    [
      'Authorization, shared and public',
      { shared: true },
      { 'cache-control': 'public, max-age=60' },
      { Authorization: 'Basic x' },
      'stored',
    ],
  ])('a 200 with %s', async (_, own, fields, headers, expected) => {
    await withBench(
      own,
      async ({ api }) => {
        expect((await api(query({}, { headers }))).cacheStatus).toContain(expected);
        expect((await api(query({}, { headers }))).fromCache).toBe(expected.includes('stored'));
      },
      (__, response, count) => sendJson(response, count, fields),
    );
  });

  test.each(['location', 'content-location'])('%s is passed on, and nothing is stored for it', async (name) => {
    await withBench(
      {},
      async ({ api }) => {
        for (const fromCache of [false, true]) {
          const { headers, ...answered } = await api(query({}));
          expect([headers[name], answered.fromCache]).toEqual(['/equivalent', fromCache]);
        }
        expect((await api.get('/equivalent')).fromCache).toBe(false);
      },
      (__, response, count) => sendJson(response, count, { ...FRESH, [name]: '/equivalent' }),
    );
  });

  test('a response to a 303 that may not be stored is mapped under none of the keys', async () => {
    await withBench(
      {},
      async ({ api }) => {
        expect((await api(query({}, { url: '/moved' }))).cacheStatus).toContain('detail=redirect-not-storable');
        expect((await api(query({}, { url: '/moved' }))).fromCache).toBe(false);
        expect((await api.get('/target')).fromCache).toBe(false);
      },
      ({ url }, response, count) => {
        if (url === '/moved') response.writeHead(303, { location: '/target' }).end();
        else sendJson(response, count, FRESH);
      },
    );
  });

  test('a stale response is revalidated with the body, and freshened by a 304', async () => {
    await withBench({}, async ({ api, origin, clock }) => {
      await api(query({ a: 1 }));
      clock.advance(61);
      const { revalidated, fromCache, data } = await api(query({ a: 1 }));
      expect([revalidated, fromCache, data.count]).toEqual([true, true, 1]);
      expect(origin.asked[1]).toMatchObject({ method: 'QUERY', body: '{"a":1}' });
      expect((await api(query({ a: 1 }))).fromCache).toBe(true);
      expect(origin.asked).toHaveLength(2);
    });
  });

  test("the caller's own condition is answered by 304", async () => {
    await withBench({}, async ({ api, origin }) => {
      const { headers } = await api(query({ a: 1 }));
      const condition = { 'If-None-Match': String(headers.etag) };
      const answered = await api(query({ a: 1 }, { headers: condition, validateStatus: null }));
      expect([answered.status, answered.fromCache]).toEqual([304, true]);
      expect(origin.asked).toHaveLength(1);
    });
  });

  test('an unsafe request removes the responses to QUERY of its URL; QUERY removes none', async () => {
    await withBench({}, async ({ api }) => {
      for (const a of [1, 2]) await api(query({ a }));
      await api.get('/');
      await api(query({ a: 3 }));
      for (const a of [1, 2, 3]) expect((await api(query({ a }))).fromCache).toBe(true);
      expect((await api.get('/')).fromCache).toBe(true);
      await api.put('/', {});
      expect(await api.cache.responseCount()).toBe(0);
      await api(query({ a: 1 }));
      await api.post('/other', {}, { invalidates: ['/*'] });
      await until('the pattern is carried out', async () => (await api.cache.responseCount()) === 0);
      expect((await api(query({ a: 1 }))).fromCache).toBe(false);
    });
  });

  test('a QUERY in flight is not stored after its URL was changed', async () => {
    let release: (() => void) | undefined;
    await withBench(
      {},
      async ({ api }) => {
        const pending = api(query({ a: 1 }));
        await until('the origin is asked', () => release !== undefined);
        await api.post('/');
        release?.();
        expect((await pending).cacheStatus).not.toContain('stored');
        expect(await api.cache.responseCount()).toBe(0);
      },
      async (request, response, count) => {
        if (request.method === 'QUERY') {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        return answer(request, response, count);
      },
    );
  });

  test.each([
    ['/301', 'QUERY'],
    ['/302', 'QUERY'],
    ['/303', 'GET'],
    ['/307', 'QUERY'],
    ['/308', 'QUERY'],
  ])('a redirect from %s is followed by %s, whose request is then a hit', async (url, method) => {
    await withBench({}, async ({ api, origin }) => {
      const { data } = await api(query({ a: 1 }, { url }));
      expect([data.method, data.body]).toEqual([method, method === 'QUERY' ? '{"a":1}' : '']);
      const target = method === 'QUERY' ? query({ a: 1 }, { url: '/target' }) : { url: '/target' };
      for (const config of [query({ a: 1 }, { url }), target]) {
        expect(await api(config)).toMatchObject({ fromCache: true, data });
      }
      expect((await api(query({ a: 2 }, { url: '/target' }))).fromCache).toBe(false);
      if (method === 'QUERY') expect((await api.get('/target')).data.method).toBe('GET');
      else expect((await api(query({ a: 1 }, { url: '/target' }))).data.method).toBe('QUERY');
      expect(origin.asked).toHaveLength(4);
    });
  });

  test('management finds responses to QUERY by key, request, URL and tag', async () => {
    await withBench({ tags: ['search'] }, async ({ api, origin }) => {
      const { cache } = api;
      const { cacheKey = '' } = await api(query({ a: 1 }));
      await api(query({ a: 2 }));
      const url = `${origin.url}/`;
      expect(await cache.createKey(query({ a: 1 }))).toBe(cacheKey);
      const stored = await cache.getResponse(cacheKey);
      expect([stored?.request.method, stored?.request.body]).toEqual(['QUERY', '{"a":1}']);
      expect([
        await cache.contains({ request: query({ a: 2 }) }),
        await cache.contains({ request: query({ a: 3 }) }),
        await cache.contains({ request: { url } }),
        await cache.hasUrl(url),
        await cache.responseCount({ tags: 'search' }),
      ]).toEqual([true, false, false, true, 2]);
      expect(await cache.delete({ requests: query({ a: 1 }) })).toBe(1);
      expect((await api(query({ a: 2 }))).fromCache).toBe(true);
      expect(await cache.deleteUrl(url)).toBe(1);
      expect(await cache.hasUrl(url)).toBe(false);
    });
  });
}

describeStores(queryTests);

describe('QUERY', () => {
  test('identical requests in flight share one origin request', async () => {
    await using bench = await startBench({ cacheControl: true }, answer);
    const requests = [1, 2, 1, 2, 1].map((a) => bench.api(query({ a })));
    expect((await Promise.all(requests)).map(({ data }) => data.body)).toEqual(
      [1, 2, 1, 2, 1].map((a) => JSON.stringify({ a })),
    );
    expect(bench.origin.asked).toHaveLength(2);
  });

  test('a stale response answers for a failure of the origin', async () => {
    await using bench = await startBench({ cacheControl: true, oldDataOnError: true }, answer);
    await bench.api(query({ a: 1 }));
    bench.clock.advance(61);
    await bench.origin.stop();
    expect((await bench.api(query({ a: 1 }))).data.body).toBe('{"a":1}');
    await expect(bench.api(query({ a: 2 }))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('is not cached without cacheControl, unless allowableMethods names it', async () => {
    await using bench = await startBench({}, answer);
    for (let time = 0; time < 2; time += 1) expect((await bench.api(query({ a: 1 }))).fromCache).toBe(false);
    const allowed = query({ a: 1 }, { allowableMethods: ['QUERY'] } as AxiosRequestConfig);
    expect([(await bench.api(allowed)).fromCache, (await bench.api(allowed)).fromCache]).toEqual([false, true]);
  });

  test('is cached by the fetch adapter as by http, and in lower case as in upper case', async () => {
    await using bench = await startBench({ cacheControl: true }, answer);
    const first = await bench.api(query({ a: 1 }, { adapter: 'fetch' }));
    expect([first.fromCache, first.data.method, first.data.body]).toEqual([false, 'QUERY', '{"a":1}']);
    expect((await bench.api(query({ a: 1 }, { method: 'query' }))).fromCache).toBe(true);
  });
});

import { describe, expect, test } from '@jest/globals';
import { CookieJar } from 'tough-cookie';
import type { CacheOptions } from '../../lib/index.js';
import { startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { sendJson } from '../support/origin.js';

/** Every option of an instance, by its effect on requests over real HTTP. */

describe('expireAfter', () => {
  test('a response is fresh for that long, then fetched again', async () => {
    await using bench = await startBench({ expireAfter: '1m' });
    await bench.api.get('/');
    bench.clock.advance(59);
    expect((await bench.api.get('/')).fromCache).toBe(true);
    bench.clock.advance(1);
    const third = await bench.api.get('/');
    expect([third.fromCache, third.data.count]).toEqual([false, 2]);
  });

  test('precedence: request, URL, instance', async () => {
    await using bench = await startBench({ expireAfter: 30, urlsExpireAfter: { '*/slow': 20 } });
    const expiry = async (url: string, expireAfter?: number) => {
      const { expires, createdAt } = await bench.api.get(url, expireAfter === undefined ? {} : { expireAfter });
      return (Number(expires) - Number(createdAt)) / 1000;
    };
    expect([await expiry('/a'), await expiry('/slow'), await expiry('/slow?b', 10)]).toEqual([30, 20, 10]);
  });

  test('0 neither reads nor writes', async () => {
    await using bench = await startBench();
    await bench.api.get('/');
    const bypass = await bench.api.get('/', { expireAfter: 0 });
    expect([bypass.fromCache, bypass.data.count, bypass.cacheStatus]).toEqual([
      false,
      2,
      'axios-keyv-cache; fwd=bypass; fwd-status=200; detail=do-not-cache',
    ]);
    expect((await bench.api.get('/')).data.count).toBe(1);
  });

  test('a function gets the response with its data decoded, and undefined means not set here', async () => {
    await using bench = await startBench({
      expireAfter: 60,
      urlsExpireAfter: [
        [/never/, (response) => ((response.data as { url: string }).url === '/never' ? 'P1D' : undefined)],
      ],
    });
    const lifetime = async (url: string) => {
      const { expires, createdAt } = await bench.api.get(url, { responseType: 'arraybuffer' });
      return (Number(expires) - Number(createdAt)) / 1000;
    };
    expect([await lifetime('/never'), await lifetime('/never2')]).toEqual([86_400, 60]);
  });

  test('a function that throws leaves the request uncached, and an event says so', async () => {
    await using bench = await startBench({
      expireAfter: () => {
        throw new Error('mine');
      },
    });
    const response = await bench.api.get('/');
    expect([response.status, response.fromCache, response.createdAt]).toEqual([200, false, undefined]);
    expect(bench.events.find(({ type }) => type === 'error')?.error).toEqual(new Error('mine'));
  });
});

describe('allowableCodes and allowableMethods', () => {
  test('only the listed statuses are stored', async () => {
    await using bench = await startBench({ allowableCodes: [404] }, ({ url }, response, count) => {
      response.statusCode = Number(url.slice(1));
      response.end(String(count));
    });
    const config = { validateStatus: null };
    await bench.api.get('/404', config);
    await bench.api.get('/200', config);
    expect([(await bench.api.get('/404', config)).fromCache, (await bench.api.get('/200', config)).fromCache]).toEqual([
      true,
      false,
    ]);
  });

  test('a replayed error rejects as validateStatus decides, with the extras on its response', async () => {
    await using bench = await startBench({ allowableCodes: [404] }, (_, response) => {
      response.statusCode = 404;
      response.end('none');
    });
    await expect(bench.api.get('/')).rejects.toMatchObject({ response: { status: 404, fromCache: false } });
    await expect(bench.api.get('/')).rejects.toMatchObject({
      code: 'ERR_BAD_REQUEST',
      message: 'Request failed with status code 404',
      response: { status: 404, data: 'none', fromCache: true },
    });
  });

  test('a POST is cached by its body where it is allowed', async () => {
    await using bench = await startBench({ allowableMethods: ['GET', 'POST'] });
    await bench.api.post('/search', { a: 1, b: 2 });
    expect((await bench.api.post('/search', { b: 2, a: 1 })).fromCache).toBe(true);
    expect((await bench.api.post('/search', { a: 2, b: 1 })).fromCache).toBe(false);
  });

  test('other methods bypass the cache', async () => {
    await using bench = await startBench();
    await bench.api.put('/', 'x');
    expect((await bench.api.put('/', 'x')).cacheStatus).toBe(
      'axios-keyv-cache; fwd=method; fwd-status=200; detail=method',
    );
  });
});

describe('filterFn', () => {
  test('a response that it refuses is not stored', async () => {
    await using bench = await startBench({ filterFn: async ({ data }) => (data as { count: number }).count > 1 });
    expect((await bench.api.get('/')).cacheStatus).toContain('detail=filter');
    await bench.api.get('/');
    expect((await bench.api.get('/')).data.count).toBe(2);
  });

  test('a stored response that it refuses is deleted', async () => {
    await using bench = await startBench();
    await bench.api.get('/');
    await bench.api.get('/', { filterFn: () => false });
    expect(await bench.api.cache.responseCount()).toBe(0);
  });

  test('one that throws leaves the request uncached', async () => {
    await using bench = await startBench();
    const filterFn = () => {
      throw new Error('mine');
    };
    expect((await bench.api.get('/', { filterFn })).data.count).toBe(1);
    expect(await bench.api.cache.responseCount()).toBe(0);
  });
});

describe('includeGetHeaders, matchHeaders', () => {
  test.each([
    ['none by default', {}, [true, true]],
    ['all', { includeGetHeaders: true }, [false, false]],
    ['the listed', { matchHeaders: ['X-One'] }, [false, true]],
  ])('%s', async (_, options, expected) => {
    await using bench = await startBench(options);
    await bench.api.get('/', { headers: { 'x-one': '1', 'x-two': '1' } });
    const one = await bench.api.get('/', { headers: { 'x-one': '2', 'x-two': '1' } });
    const two = await bench.api.get('/', { headers: { 'X-One': '1', 'X-Two': '2' } });
    expect([one.fromCache, two.fromCache]).toEqual(expected);
  });
});

test('ignoredParameters are left out of the key and of the store', async () => {
  await using bench = await startBench({ ignoredParameters: ['session', 'X-Trace'], matchHeaders: ['x-trace'] });
  const first = await bench.api.get('/a?session=one&x=1', { headers: { 'X-Trace': 'abc' } });
  const second = await bench.api.get('/a?x=1', { params: { SESSION: 'two' }, headers: { 'X-Trace': 'def' } });
  expect([first.fromCache, second.fromCache]).toEqual([false, true]);
  for await (const { request } of bench.api.cache.values()) {
    expect(request.url).toBe(`${bench.origin.url}/a?session=REDACTED&x=1`);
    expect(request.headers['x-trace']).toBe('REDACTED');
  }
});

describe('credentials', () => {
  const who = [
    ['Authorization', (name: string) => ({ headers: { Authorization: `Bearer ${name}` } })],
    ['config.auth', (name: string) => ({ auth: { username: name, password: 'x' } })],
    ['Cookie', (name: string) => ({ headers: { Cookie: `session=${name}` } })],
    ['an API key', (name: string) => ({ headers: { 'X-API-Key': name } })],
  ] as const;

  test.each(who)('by default different %s never share an entry', async (_, as) => {
    await using bench = await startBench();
    const counts = [];
    for (const name of ['alice', 'bob', 'alice', 'bob']) counts.push((await bench.api.get('/me', as(name))).data.count);
    expect(counts).toEqual([1, 2, 1, 2]);
  });

  test.each(who)('"ignore" shares entries whatever the %s', async (_, as) => {
    await using bench = await startBench({ credentials: 'ignore' });
    await bench.api.get('/me', as('alice'));
    expect((await bench.api.get('/me', as('bob'))).data.count).toBe(1);
  });

  test('userinfo in the URL sets callers apart', async () => {
    await using bench = await startBench();
    const as = (name: string) => bench.api.get(bench.origin.url.replace('//', `//${name}:x@`));
    expect([(await as('alice')).data.count, (await as('bob')).data.count, (await as('alice')).data.count]).toEqual([
      1, 2, 1,
    ]);
  });

  test('cookies that a jar would send set callers apart', async () => {
    await using bench = await startBench();
    const as = async (name: string) => {
      const jar = new CookieJar();
      await jar.setCookie(`session=${name}`, bench.origin.url);
      return (await bench.api.get('/me', { jar } as object)).data.count as number;
    };
    expect([await as('alice'), await as('bob'), await as('alice')]).toEqual([1, 2, 1]);
  });

  test('a function names the principal', async () => {
    await using bench = await startBench({ credentials: (config) => (config as { user?: string }).user });
    const as = async (user: string, token: string) => {
      const config = { user, headers: { Authorization: token } } as object;
      return (await bench.api.get('/me', config)).data.count as number;
    };
    expect([await as('alice', 'one'), await as('bob', 'one'), await as('alice', 'two')]).toEqual([1, 2, 1]);
  });
});

describe('Vary', () => {
  test('every variant is kept, and an absent field is a value', async () => {
    await using bench = await startBench({}, ({ headers }, response) =>
      sendJson(response, headers['x-mode'] ?? null, { Vary: 'X-Mode' }),
    );
    const mode = async (value?: string) => {
      const { data, fromCache } = await bench.api.get('/', value === undefined ? {} : { headers: { 'X-Mode': value } });
      return [data, fromCache];
    };
    for (const value of ['a', 'b', undefined]) expect(await mode(value)).toEqual([value ?? null, false]);
    for (const value of ['a', 'b', undefined]) expect(await mode(value)).toEqual([value ?? null, true]);
    expect(await bench.api.cache.responseCount()).toBe(3);
  });

  test('at most 32 variants of a URL are kept', async () => {
    await using bench = await startBench({}, ({ headers }, response) =>
      sendJson(response, headers['x-mode'], { Vary: 'X-Mode' }),
    );
    for (let mode = 0; mode < 40; mode += 1) {
      bench.clock.advance(1);
      await bench.api.get('/', { headers: { 'X-Mode': String(mode) } });
    }
    expect(await bench.api.cache.responseCount()).toBe(32);
    expect((await bench.api.get('/', { headers: { 'X-Mode': '39' } })).fromCache).toBe(true);
    expect((await bench.api.get('/', { headers: { 'X-Mode': '0' } })).fromCache).toBe(false);
  });

  test('responses that vary by different fields are all found', async () => {
    await using bench = await startBench({}, ({ headers }, response) =>
      sendJson(response, 'x', { Vary: headers['x-mode'] === 'a' ? 'X-Mode' : 'X-Mode, X-Other' }),
    );
    const get = (mode: string) => bench.api.get('/', { headers: { 'X-Mode': mode } });
    await get('a');
    await get('b');
    expect([(await get('a')).fromCache, (await get('b')).fromCache]).toEqual([true, true]);
  });

  test('"*" is never a hit', async () => {
    await using bench = await startBench({}, (_, response, count) => sendJson(response, count, { Vary: '*' }));
    await bench.api.get('/');
    expect((await bench.api.get('/')).cacheStatus).toBe(
      'axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=vary-star',
    );
  });
});

describe('oldDataOnError', () => {
  test.each<[string, CacheOptions, number, boolean]>([
    ['without it an error is an error', { expireAfter: 1 }, 500, false],
    ['a 500 is answered with the old response', { expireAfter: 1, oldDataOnError: true }, 500, true],
    ['so is a 404', { expireAfter: 1, staleIfError: true }, 404, true],
    ['but not a 401', { expireAfter: 1, oldDataOnError: true }, 401, false],
    ['nor a status that is allowed', { expireAfter: 1, oldDataOnError: true, allowableCodes: [200, 500] }, 500, false],
    ['codes replace the list', { expireAfter: 1, oldDataOnError: { codes: [401] } }, 401, true],
    ['and leave out what they do not name', { expireAfter: 1, oldDataOnError: { codes: [401] } }, 500, false],
    ['within a limit', { expireAfter: 1, oldDataOnError: '2m' }, 500, true],
    ['not beyond it', { expireAfter: 1, oldDataOnError: { limit: 30 } }, 500, false],
  ])('%s', async (_, options, status, served) => {
    await using bench = await startBench(options, (_asked, response, count) => {
      response.statusCode = count === 1 ? 200 : status;
      response.end(String(count));
    });
    await bench.api.get('/');
    bench.clock.advance(61);
    const again = await bench.api.get('/', { validateStatus: null });
    expect([again.fromCache, again.status]).toEqual([served, served ? 200 : status]);
    if (served) expect(again.isExpired).toBe(true);
  });

  test('an origin that is gone is answered with the old response', async () => {
    await using bench = await startBench({ expireAfter: 1, oldDataOnError: true });
    await bench.api.get('/');
    bench.clock.advance(2);
    await bench.origin.stop();
    const old = await bench.api.get('/');
    expect([old.fromCache, old.data.count, old.cacheStatus]).toEqual([
      true,
      1,
      'axios-keyv-cache; fwd=stale; ttl=-1; detail=stale-if-error',
    ]);
  });

  test('an elapsed timeout is, an abort is not', async () => {
    await using bench = await startBench({ expireAfter: 1, oldDataOnError: true }, (_, response, count) => {
      if (count === 1) response.end('1');
    });
    await bench.api.get('/');
    bench.clock.advance(2);
    expect((await bench.api.get('/', { timeout: 20 })).fromCache).toBe(true);
    const controller = new AbortController();
    const aborted = bench.api.get('/', { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  });

  test('a refresh that fails over a fresh response serves it', async () => {
    await using bench = await startBench({ oldDataOnError: true });
    await bench.api.get('/');
    await bench.origin.stop();
    expect((await bench.api.get('/', { refresh: true })).data.count).toBe(1);
    await expect(bench.api.get('/', { refresh: true, oldDataOnError: false })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect((await bench.api.get('/')).fromCache).toBe(true);
  });
});

test('staleWhileRevalidate serves the old response and refreshes behind it', async () => {
  await using bench = await startBench({ expireAfter: 10, staleWhileRevalidate: '1m' });
  await bench.api.get('/');
  bench.clock.advance(20);
  const stale = await Promise.all([bench.api.get('/'), bench.api.get('/')]);
  expect(stale.map(({ data }) => data.count)).toEqual([1, 1]);
  await until('the refreshed response is served', async () => (await bench.api.get('/')).data.count > 1);
  expect(bench.origin.asked).toHaveLength(2);
});

describe('refreshing', () => {
  const withEtag = (_: unknown, response: Parameters<typeof sendJson>[0], count: number) =>
    sendJson(response, count, { ETag: '"a"' });

  test('an expired response is refreshed by its validator', async () => {
    await using bench = await startBench({ expireAfter: 10 }, ({ headers }, response, count) => {
      response.setHeader('ETag', '"a"');
      response.setHeader('X-Count', String(count));
      if (headers['if-none-match'] === '"a"') response.writeHead(304).end();
      else sendJson(response, count);
    });
    await bench.api.get('/');
    bench.clock.advance(11);
    const revalidated = await bench.api.get('/');
    expect([revalidated.data, revalidated.fromCache, revalidated.revalidated, revalidated.status]).toEqual([
      1,
      true,
      true,
      200,
    ]);
    expect(revalidated.cacheStatus).toBe('axios-keyv-cache; fwd=stale; fwd-status=304; ttl=10; stored');
    expect((await bench.api.get('/')).headers['x-count']).toBe('2');
    expect(bench.origin.asked).toHaveLength(2);
  });

  test.each([
    ['refresh', { refresh: true }, '"a"'],
    ['forceRefresh', { forceRefresh: true }, undefined],
    ['alwaysRevalidate', { alwaysRevalidate: true }, '"a"'],
  ])('%s asks the origin', async (_, config, condition) => {
    await using bench = await startBench({}, withEtag);
    await bench.api.get('/');
    expect((await bench.api.get('/', config)).data).toBe(2);
    expect(bench.origin.asked[1]?.headers['if-none-match']).toBe(condition);
    expect((await bench.api.get('/')).data).toBe(2);
  });

  test.each(['refresh', 'forceRefresh', 'alwaysRevalidate'])(
    'onlyIfCached serves a fresh response in spite of %s',
    async (option) => {
      await using bench = await startBench({ expireAfter: 10 });
      await bench.api.get('/');
      const served = await bench.api.get('/', { onlyIfCached: true, [option]: true });
      expect([served.fromCache, served.data.count, bench.origin.asked.length]).toEqual([true, 1, 1]);
      bench.clock.advance(11);
      const config = { onlyIfCached: true, [option]: true, validateStatus: null };
      expect([(await bench.api.get('/', config)).status, bench.origin.asked.length]).toEqual([504, 1]);
    },
  );

  test('onlyIfCached answers 504 where nothing is stored', async () => {
    await using bench = await startBench();
    await expect(bench.api.get('/', { onlyIfCached: true })).rejects.toMatchObject({ response: { status: 504 } });
    await bench.api.get('/');
    expect((await bench.api.get('/', { onlyIfCached: true })).fromCache).toBe(true);
    expect(bench.origin.asked).toHaveLength(1);
  });
});

test('readOnly neither writes nor deletes', async () => {
  await using bench = await startBench({ expireAfter: 10 });
  await bench.api.get('/');
  bench.clock.advance(11);
  expect((await bench.api.get('/', { readOnly: true })).data.count).toBe(2);
  await bench.api.get('/', { readOnly: true, filterFn: () => false, forceRefresh: true, invalidates: true });
  expect(await bench.api.cache.responseCount()).toBe(1);
});

test('cache: false bypasses the cache', async () => {
  await using bench = await startBench();
  await bench.api.get('/');
  expect((await bench.api.get('/', { cache: false })).data.count).toBe(2);
  expect((await bench.api.get('/')).data.count).toBe(1);
});

test('maxBodySize lets larger bodies through uncached', async () => {
  await using bench = await startBench({ maxBodySize: 5 }, (_, response) => response.end('123456') as never);
  expect((await bench.api.get('/')).cacheStatus).toContain('detail=body-too-large');
});

test('keyFn makes the key', async () => {
  await using bench = await startBench({ keyFn: ({ url }) => new URL(url).pathname });
  const first = await bench.api.get('/a?x=1');
  expect(first.cacheKey).toBe('/a');
  expect((await bench.api.get('/a?x=2')).fromCache).toBe(true);
});

test('invalidates removes matching responses after a non-error response', async () => {
  await using bench = await startBench();
  for (const url of ['/a', '/a/b', '/c']) await bench.api.get(url);
  await bench.api.post('/x', 'y', { invalidates: ['127.0.0.1/a'] });
  expect((await bench.api.get('/c')).fromCache).toBe(true);
  expect([(await bench.api.get('/a')).fromCache, (await bench.api.get('/a/b')).fromCache]).toEqual([false, false]);
  await bench.api.delete('/c', { invalidates: true });
  expect((await bench.api.get('/c')).fromCache).toBe(false);
});

test('onEvent receives the events, and its errors are ignored', async () => {
  await using bench = await startBench();
  const types: string[] = [];
  const api = bench.more({
    onEvent: ({ type }) => {
      types.push(type);
      throw new Error('mine');
    },
  });
  await api.get('/?token=secret');
  await api.get('/?token=secret');
  expect(types).toEqual(['stored', 'miss', 'hit']);
  expect(api.cache.stats()).toMatchObject({ stored: 1, miss: 1, hit: 1 });
});

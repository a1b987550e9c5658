import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Asked, type Handler, startOrigin } from '../support/origin.js';

/** The origin's response: by default a 200 with the number of the request as its body. */
interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
  /** The connection ends without an answer. */
  readonly disconnect?: boolean;
}

/** Answers each request with the next reply, and repeats the last one; validators are confirmed with 304. */
function replying(...replies: Reply[]): Handler {
  return (request, response, count) => {
    const reply = replies[Math.min(count, replies.length) - 1] ?? {};
    const { status = 200, headers = {}, body = String(count) } = reply;
    if (reply.disconnect) return void response.destroy();
    const confirmed = status === 200 && isConfirmed(request, headers);
    response.writeHead(confirmed ? 304 : status, headers);
    response.end(confirmed || request.method === 'HEAD' ? '' : body);
  };
}

function isConfirmed({ headers: asked }: Asked, headers: NonNullable<Reply['headers']>): boolean {
  const { etag } = headers;
  if (etag !== undefined) return asked['if-none-match']?.includes(String(etag)) ?? false;
  return headers['last-modified'] !== undefined && asked['if-modified-since'] === headers['last-modified'];
}

const BACKENDS = ['memory', 'sqlite'] as const;

/** Runs a test on each backend, with a private cache that follows RFC 9111. */
function onEach(name: string, options: CacheOptions, replies: Reply[], run: (bench: Bench) => Promise<void>): void {
  test.each(BACKENDS)(`${name} (%s)`, async (backend) => {
    await using folder = await temporaryFolder();
    const cacheName = backend === 'memory' ? 'rfc9111' : `${folder.path}/rfc9111`;
    const all = { cacheControl: true, backend, cacheName, ...options };
    await using bench = await startBench(all, replying(...replies));
    await run(bench);
  });
}

async function ask({ api }: Bench, config: AxiosRequestConfig = {}): Promise<AxiosResponse> {
  return api.request({ url: '/a', validateStatus: null, transformResponse: (data) => data, ...config });
}

function withHeaders(headers: Record<string, string>): AxiosRequestConfig {
  return { headers };
}

const FRESH = { 'cache-control': 'max-age=60' };
const TAGGED = { ...FRESH, etag: '"a"' };

describe('section 3: storing', () => {
  onEach('a fresh response is reused, with its Age', {}, [{ headers: { ...FRESH, age: '30' } }], async (bench) => {
    await ask(bench);
    bench.clock.advance(5);
    const { data, headers, cacheStatus } = await ask(bench);
    expect([data, headers.age, bench.origin.asked.length]).toEqual(['1', '35', 1]);
    expect(cacheStatus).toBe('axios-keyv-cache; hit; ttl=25');
  });

  onEach('no-store is not stored, and says why', {}, [{ headers: { 'cache-control': 'no-store' } }], async (bench) => {
    const { cacheStatus } = await ask(bench);
    expect(cacheStatus).toBe('axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=no-store');
    expect((await ask(bench)).data).toBe('2');
  });

  onEach(
    'a shared cache leaves private responses alone',
    { shared: true },
    [{ headers: { 'cache-control': 'private, max-age=60' } }],
    async (bench) => {
      await ask(bench);
      expect((await ask(bench)).data).toBe('2');
    },
  );

  onEach('an unknown final status is stored', {}, [{ status: 599, headers: FRESH }], async (bench) => {
    await ask(bench);
    const { status, fromCache } = await ask(bench);
    expect([status, fromCache]).toEqual([599, true]);
  });

  onEach(
    '3.1: hop-by-hop and listed fields are left out',
    {},
    [{ headers: { ...FRESH, connection: 'x-a', 'x-a': '1', 'x-b': '2' } }],
    async (bench) => {
      await ask(bench);
      const { headers } = await ask(bench);
      expect([headers.connection, headers['x-a'], headers['x-b']]).toEqual([undefined, undefined, '2']);
    },
  );

  onEach(
    'RFC 9110, 9.3.3: a POST may serve later GETs',
    {},
    [{ headers: { ...FRESH, 'content-location': '/a' } }],
    async (bench) => {
      const posted = await ask(bench, { method: 'POST', data: 'x' });
      expect(posted.cacheStatus).toBe('axios-keyv-cache; fwd=method; fwd-status=200; ttl=60; stored');
      const { data, fromCache } = await ask(bench);
      expect([data, fromCache]).toEqual(['1', true]);
      expect((await ask(bench, { method: 'POST', data: 'x' })).data).toBe('2');
    },
  );
});

describe('sections 3.3 and 3.4: partial content', () => {
  const whole = { headers: TAGGED, body: '0123456789' };
  const first = { status: 206, headers: { ...TAGGED, 'content-range': 'bytes 0-4/10' }, body: '01234' };
  const second = { status: 206, headers: { ...TAGGED, 'content-range': 'bytes 5-9/10' }, body: '56789' };

  onEach('a range of a stored response', {}, [whole], async (bench) => {
    await ask(bench);
    const { status, data, headers } = await ask(bench, withHeaders({ range: 'bytes=2-4' }));
    expect([status, data, headers['content-range'], headers['content-length']]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
      '3',
    ]);
    expect(bench.origin.asked).toHaveLength(1);
  });

  onEach('a part serves its ranges, and nothing else', {}, [first, whole], async (bench) => {
    await ask(bench, withHeaders({ range: 'bytes=0-4' }));
    expect((await ask(bench, withHeaders({ range: 'bytes=1-2' }))).data).toBe('12');
    const { status, data, cacheStatus } = await ask(bench);
    expect([status, data]).toEqual([200, '0123456789']);
    expect(cacheStatus).toContain('fwd=partial; fwd-status=200');
    expect(bench.origin.asked[1]?.headers).toMatchObject({ range: 'bytes=5-', 'if-range': '"a"' });
  });

  onEach('what is missing of it is asked for', {}, [first, second], async (bench) => {
    await ask(bench, withHeaders({ range: 'bytes=0-4' }));
    const { status, statusText, data, headers } = await ask(bench);
    expect([status, statusText, data, headers['content-range']]).toEqual([200, 'OK', '0123456789', undefined]);
    const again = await ask(bench);
    expect([again.data, again.fromCache, bench.origin.asked.length]).toEqual(['0123456789', true, 2]);
  });

  const changed = { ...second, headers: { ...second.headers, etag: '"b"' } };
  onEach('what does not fit it is not joined with it', {}, [first, changed, { headers: FRESH }], async (bench) => {
    await ask(bench, withHeaders({ range: 'bytes=0-4' }));
    expect((await ask(bench)).data).toBe('3');
  });

  onEach('two ranges are joined in the store', {}, [first, second], async (bench) => {
    await ask(bench, withHeaders({ range: 'bytes=0-4' }));
    expect((await ask(bench, withHeaders({ range: 'bytes=5-9' }))).data).toBe('56789');
    const { status, data, fromCache } = await ask(bench);
    expect([status, data, fromCache]).toEqual([200, '0123456789', true]);
  });

  const cut = { ...first, headers: { ...first.headers, 'content-range': 'bytes 0-5/10' } };
  onEach('a part whose length is not that of its Content-Range is not stored', {}, [cut, whole], async (bench) => {
    const { status, data, cacheStatus } = await ask(bench, withHeaders({ range: 'bytes=0-5' }));
    expect([status, data]).toEqual([206, '01234']);
    expect(cacheStatus).toBe('axios-keyv-cache; fwd=uri-miss; fwd-status=206; detail=partial');
    expect(await bench.api.cache.responseCount()).toBe(0);
    expect((await ask(bench, withHeaders({ range: 'bytes=0-1' }))).fromCache).toBe(false);
  });

  onEach('a range and the whole never share a request', {}, [whole], async (bench) => {
    const [some, all] = await Promise.all([ask(bench, withHeaders({ range: 'bytes=0-1' })), ask(bench)]);
    expect([some.data, all.data, bench.origin.asked.length]).toEqual(['0123456789', '0123456789', 2]);
  });
});

describe('section 4.1: Vary', () => {
  const varied = { headers: { ...FRESH, vary: 'foo, accept-language', 'content-language': 'de' } };

  onEach('every variant is kept', {}, [varied], async (bench) => {
    for (const foo of ['1', '2', '1', '2']) await ask(bench, withHeaders({ foo }));
    expect((await ask(bench, withHeaders({ foo: '1' }))).data).toBe('1');
    expect((await ask(bench, withHeaders({ foo: '2' }))).data).toBe('2');
    expect((await ask(bench)).data).toBe('3');
  });

  onEach('the language that is preferred selects', {}, [varied], async (bench) => {
    await ask(bench, withHeaders({ 'accept-language': 'en, de' }));
    expect((await ask(bench, withHeaders({ 'accept-language': 'EN , de' }))).data).toBe('1');
    expect((await ask(bench, withHeaders({ 'accept-language': 'fr;q=0.5, de' }))).data).toBe('1');
    expect((await ask(bench, withHeaders({ 'accept-language': 'fr, de;q=0.5' }))).data).toBe('2');
  });

  onEach('a star never matches', {}, [{ headers: { ...FRESH, vary: '*' } }], async (bench) => {
    await ask(bench);
    expect((await ask(bench)).data).toBe('2');
  });
});

describe('section 4.2: freshness', () => {
  onEach('4.2.1: headers go over what is set', { expireAfter: '1h' }, [{ headers: FRESH }], async (bench) => {
    await ask(bench);
    bench.clock.advance(61);
    expect((await ask(bench)).data).toBe('2');
  });

  const old = new Date(Date.now() - 1_000_000).toUTCString();
  onEach(
    '4.2.2: a tenth of the age of Last-Modified',
    {},
    [{ headers: { 'last-modified': old } }, {}],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(90);
      expect((await ask(bench)).fromCache).toBe(true);
      bench.clock.advance(30);
      expect((await ask(bench)).cacheStatus).toContain('fwd=stale; fwd-status=200');
    },
  );

  onEach(
    '4.2.4: must-revalidate lets an error go on',
    { oldDataOnError: true },
    [{ headers: { 'cache-control': 'max-age=1, must-revalidate' } }, { disconnect: true }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(5);
      await expect(ask(bench)).rejects.toMatchObject({ code: 'ECONNRESET' });
    },
  );
});

describe('section 4.3: validation', () => {
  onEach(
    '4.3.4: a 304 freshens what is stored',
    {},
    [{ headers: { ...TAGGED, a: '1', b: '1' } }, { headers: { ...TAGGED, a: '2' } }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(61);
      const confirmed = await ask(bench);
      expect([confirmed.data, confirmed.headers.a, confirmed.headers.b, confirmed.revalidated]).toEqual([
        '1',
        '2',
        '1',
        true,
      ]);
      const { headers, cacheStatus } = await ask(bench);
      expect([headers.a, cacheStatus]).toEqual(['2', 'axios-keyv-cache; hit; ttl=60']);
    },
  );

  onEach("4.3.2: the caller's own conditions are answered", {}, [{ headers: TAGGED }], async (bench) => {
    await ask(bench);
    const { status, data, headers } = await ask(bench, withHeaders({ 'if-none-match': 'W/"a"' }));
    expect([status, data, headers.etag, bench.origin.asked.length]).toEqual([304, '', '"a"', 1]);
    expect((await ask(bench, withHeaders({ 'if-none-match': '"b"' }))).status).toBe(200);
  });

  onEach(
    "4.3.2: a 304 for the caller's own tag is not credited to what is stored",
    {},
    [{ headers: { ...FRESH, 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } }, { headers: { ...TAGGED, a: '2' } }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(61);
      expect((await ask(bench, withHeaders({ 'if-none-match': '"a"' }))).status).toBe(304);
      const { data, headers } = await ask(bench);
      expect([data, headers.etag]).toEqual(['3', '"a"']);
    },
  );

  onEach(
    '4.3.5: HEAD freshens, or makes stale',
    {},
    [
      { headers: TAGGED },
      { headers: { ...TAGGED, a: '2' } },
      { headers: { ...FRESH, etag: '"b"' } },
      { headers: TAGGED },
    ],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(61);
      await ask(bench, { method: 'HEAD' });
      const { fromCache, headers } = await ask(bench);
      expect([fromCache, headers.a, bench.origin.asked.length]).toEqual([true, '2', 2]);
      await ask(bench, { method: 'HEAD', forceRefresh: true });
      expect((await ask(bench)).revalidated).toBe(true);
    },
  );
});

describe('section 4.4: invalidation', () => {
  onEach(
    'an unsafe method removes its target, and what it names',
    {},
    [{ headers: { ...FRESH, location: '/b' } }],
    async (bench) => {
      await ask(bench);
      await ask(bench, { url: '/b' });
      await ask(bench, { method: 'PUT' });
      expect([(await ask(bench)).data, (await ask(bench, { url: '/b' })).data]).toEqual(['4', '5']);
    },
  );

  onEach(
    'an unsafe method removes the stored responses to every method of its target',
    { allowableMethods: ['GET', 'HEAD', 'QUERY', 'POST', 'PATCH'] },
    [{ headers: FRESH }],
    async (bench) => {
      const query = { method: 'QUERY', data: 'x', headers: { 'content-type': 'text/plain' } };
      const requests = [{ method: 'HEAD' }, { method: 'GET' }, query, { method: 'POST' }];
      const hits = async () => {
        const found = [];
        for (const request of requests) found.push((await ask(bench, request)).fromCache);
        return found;
      };
      // A POST that is cached removes what is stored for other methods.
      expect((await ask(bench, { method: 'POST' })).fromCache).toBe(false);
      expect(await hits()).toEqual([false, false, false, true]);
      expect(await hits()).toEqual([true, true, true, true]);
      await ask(bench, { method: 'DELETE' });
      expect(await bench.api.cache.responseCount()).toBe(0);
      expect((await hits()).slice(0, 3)).toEqual([false, false, false]);
      await ask(bench, { method: 'PATCH' });
      expect([await bench.api.cache.responseCount(), (await ask(bench, { method: 'PATCH' })).fromCache]).toEqual([
        1,
        true,
      ]);
    },
  );

  onEach('an error removes nothing', {}, [{ headers: FRESH }, { status: 500 }], async (bench) => {
    await ask(bench);
    await ask(bench, { method: 'DELETE' });
    expect((await ask(bench)).fromCache).toBe(true);
  });
});

describe('RFC 9875: cache groups', () => {
  const grouped = { headers: { ...FRESH, 'cache-groups': '"news"' } };
  const invalidating = { headers: { 'cache-group-invalidation': '"news"' } };
  const fresh = { headers: FRESH };

  onEach('a group is invalidated at its own origin alone', {}, [grouped, invalidating, fresh], async (bench) => {
    await using other = await startOrigin(replying(grouped, invalidating, fresh));
    const elsewhere = { url: `${other.url}/a` };
    await ask(bench);
    await ask(bench, elsewhere);
    await ask(bench, { url: '/changes', method: 'POST' });
    expect([(await ask(bench, elsewhere)).fromCache, (await ask(bench)).fromCache]).toEqual([true, false]);
    await ask(bench, { url: `${other.url}/changes`, method: 'POST' });
    expect([(await ask(bench, elsewhere)).fromCache, (await ask(bench)).fromCache]).toEqual([false, true]);
  });

  const list = (count: number) => Array.from({ length: count }, (_, index) => `"${index}"`).join(', ');
  const many = [129, 128].map((count) => ({ headers: { ...FRESH, 'cache-groups': list(count) } }));
  onEach('a response with more than 128 groups is not stored', {}, many, async (bench) => {
    expect((await ask(bench)).cacheStatus).toBe('axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=groups');
    expect((await ask(bench)).cacheStatus).toContain('stored');
    expect((await ask(bench)).fromCache).toBe(true);
  });
});

describe('section 5.2.1: request directives', () => {
  test.each<[string, number, string]>([
    ['max-age=5', 10, 'axios-keyv-cache; fwd=request; fwd-status=200; ttl=60; stored; detail=request-max-age'],
    ['min-fresh=55', 10, 'axios-keyv-cache; fwd=request; fwd-status=200; ttl=60; stored; detail=request-min-fresh'],
    ['no-cache', 0, 'axios-keyv-cache; fwd=request; fwd-status=200; ttl=60; stored; detail=request-no-cache'],
    ['no-store', 0, 'axios-keyv-cache; fwd=bypass; fwd-status=200; detail=request-no-store'],
    ['max-stale=10', 65, 'axios-keyv-cache; hit; ttl=-5; detail=max-stale'],
    ['max-stale=10', 75, 'axios-keyv-cache; fwd=stale; fwd-status=200; ttl=60; stored'],
    ['only-if-cached', 65, 'axios-keyv-cache; detail=only-if-cached'],
  ])('%p, %d seconds later', async (cacheControl, seconds, expected) => {
    for (const backend of BACKENDS) {
      await using folder = await temporaryFolder();
      const options = { cacheControl: true, backend, cacheName: `${folder.path}/rfc9111` };
      await using bench = await startBench(options, replying({ headers: FRESH }));
      await ask(bench);
      bench.clock.advance(seconds);
      expect((await ask(bench, withHeaders({ 'cache-control': cacheControl }))).cacheStatus).toBe(expected);
    }
  });

  test('only-if-cached without a stored response is a 504', async () => {
    await using bench = await startBench({ cacheControl: true });
    expect((await ask(bench, withHeaders({ 'cache-control': 'only-if-cached' }))).status).toBe(504);
    expect(bench.origin.asked).toHaveLength(0);
  });
});

describe('RFC 5861', () => {
  const lenient = { 'cache-control': 'max-age=1, stale-while-revalidate=60, stale-if-error=60' };

  onEach(
    'stale-while-revalidate refreshes in the background',
    {},
    [{ headers: lenient }, { headers: FRESH }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(5);
      const { data, cacheStatus } = await ask(bench);
      expect([data, cacheStatus]).toEqual(['1', 'axios-keyv-cache; hit; ttl=-4; detail=stale-while-revalidate']);
      await until('the refreshed response is served', async () => (await ask(bench)).data === '2');
      expect(bench.origin.asked).toHaveLength(2);
    },
  );

  const onError = { 'cache-control': 'max-age=1, stale-if-error=60' };
  onEach(
    'stale-if-error answers for a closed connection and a 503',
    {},
    [{ headers: onError }, { disconnect: true }, { status: 503, headers: FRESH }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(5);
      expect((await ask(bench)).cacheStatus).toBe('axios-keyv-cache; fwd=stale; ttl=-4; detail=stale-if-error');
      const { data, cacheStatus } = await ask(bench);
      expect([data, cacheStatus]).toEqual([
        '1',
        'axios-keyv-cache; fwd=stale; fwd-status=503; ttl=-4; detail=stale-if-error',
      ]);
      bench.clock.advance(120);
      expect((await ask(bench)).status).toBe(503);
    },
  );
});

describe('the other rows of docs/rfc9111.md', () => {
  const reuses = async (bench: Bench, config: AxiosRequestConfig = {}) => {
    await ask(bench, config);
    return (await ask(bench, config)).fromCache;
  };

  onEach(
    '1.2.2: a lifetime beyond all numbers is a long one',
    {},
    [{ headers: { 'cache-control': 'max-age=99999999999' } }],
    async (bench) => {
      expect(await reuses(bench)).toBe(true);
      bench.clock.advance(365 * 86_400);
      expect((await ask(bench)).fromCache).toBe(true);
    },
  );

  onEach(
    '3.5: a shared cache keeps what is authorized to itself',
    { shared: true },
    [{ headers: FRESH }],
    async (bench) => {
      expect(await reuses(bench, withHeaders({ authorization: 'x' }))).toBe(false);
    },
  );

  onEach(
    '3.5: unless the response allows it',
    { shared: true },
    [{ headers: { 'cache-control': 'max-age=60, public' } }],
    async (bench) => {
      expect(await reuses(bench, withHeaders({ authorization: 'x' }))).toBe(true);
    },
  );

  onEach(
    '4.2.1: s-maxage is for shared caches',
    { shared: true },
    [{ headers: { 'cache-control': 'max-age=1, s-maxage=60' } }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(30);
      expect((await ask(bench)).fromCache).toBe(true);
    },
  );

  onEach('4.2.3 and 5.1: Age counts, and grows', {}, [{ headers: { ...FRESH, age: '50' } }], async (bench) => {
    await ask(bench);
    bench.clock.advance(5);
    expect((await ask(bench)).headers.age).toBe('55');
    bench.clock.advance(5);
    expect((await ask(bench)).fromCache).toBe(false);
  });

  onEach(
    '4.3.3: a whole answer to a validation takes its place',
    {},
    [{ headers: TAGGED }, { headers: { ...FRESH, etag: '"b"' } }],
    async (bench) => {
      await ask(bench);
      bench.clock.advance(61);
      const replaced = await ask(bench);
      expect([replaced.data, replaced.revalidated, (await ask(bench)).headers.etag]).toEqual(['2', false, '"b"']);
    },
  );

  onEach(
    '5.2: broken directives are read strictly',
    {},
    [{ headers: { 'cache-control': 'max-age=sixty, immutable', etag: '"a"' } }],
    async (bench) => {
      await ask(bench);
      expect((await ask(bench)).revalidated).toBe(true);
    },
  );

  onEach(
    '5.2.2: no-cache asks each time, must-understand needs a status that is',
    {},
    [
      { headers: { 'cache-control': 'no-cache, max-age=60', etag: '"a"' } },
      { status: 599, headers: { 'cache-control': 'max-age=60, must-understand' } },
    ],
    async (bench) => {
      await ask(bench);
      expect((await ask(bench, { url: '/b' })).cacheStatus).toContain('detail=must-understand');
      expect((await ask(bench)).fromCache).toBe(false);
    },
  );

  onEach(
    '5.3: Expires, and an invalid one',
    {},
    [{ headers: { expires: 'Thu, 01 Jan 2099 00:00:00 GMT' } }, { headers: { expires: '0', etag: '"a"' } }],
    async (bench) => {
      expect(await reuses(bench)).toBe(true);
      await ask(bench, { url: '/b' });
      expect((await ask(bench, { url: '/b' })).revalidated).toBe(true);
    },
  );

  onEach('5.4: Pragma', {}, [{ headers: FRESH }], async (bench) => {
    await ask(bench);
    expect((await ask(bench, withHeaders({ pragma: 'no-cache' }))).fromCache).toBe(false);
  });

  onEach(
    'RFC 8246: immutable is not asked about as long as it is fresh',
    { alwaysRevalidate: true },
    [{ headers: { 'cache-control': 'max-age=60, immutable', etag: '"a"' } }],
    async (bench) => {
      await ask(bench);
      expect((await ask(bench)).cacheStatus).toBe('axios-keyv-cache; hit; ttl=60');
      const reload = withHeaders({ 'cache-control': 'max-age=0' });
      expect((await ask(bench, reload)).cacheStatus).toBe('axios-keyv-cache; hit; ttl=60');
    },
  );

  onEach(
    'RFC 9110, 5.6.7: the obsolete forms of dates',
    {},
    [{ headers: { expires: 'Thu Jan  1 00:00:00 2099' } }],
    async (bench) => {
      expect(await reuses(bench)).toBe(true);
    },
  );

  onEach(
    'RFC 9110, 13.1.5: If-Range of another revision gets the whole',
    {},
    [{ headers: TAGGED, body: '0123456789' }],
    async (bench) => {
      await ask(bench);
      const part = await ask(bench, withHeaders({ range: 'bytes=0-1', 'if-range': '"a"' }));
      const whole = await ask(bench, withHeaders({ range: 'bytes=0-1', 'if-range': '"b"' }));
      expect([part.status, part.data, whole.status, whole.data]).toEqual([206, '01', 200, '0123456789']);
    },
  );
});

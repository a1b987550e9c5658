import { describe, expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';

/** Options of version 2 of the design, by their effect on requests over real HTTP. */

/** Answers with these header fields. */
function sending(headers: Record<string, string>): Handler {
  return ({ url }, response, count) => sendJson(response, { url, count }, headers);
}

describe('maxAge', () => {
  test.each([false, true])(
    'a response that was received longer ago is fetched; cacheControl: %p',
    async (cacheControl) => {
      await using bench = await startBench({ cacheControl }, sending({ 'cache-control': 'max-age=600' }));
      await bench.api.get('/');
      bench.clock.advance(31);
      expect((await bench.api.get('/', { maxAge: 60 })).fromCache).toBe(true);
      const { data, cacheStatus } = await bench.api.get('/', { maxAge: '30s' });
      expect(data.count).toBe(2);
      expect(cacheStatus).toContain('fwd=request; fwd-status=200');
      expect((await bench.api.get('/', { maxAge: '30s' })).data.count).toBe(2);
    },
  );

  test('as an option of the instance, which a request overrides', async () => {
    await using bench = await startBench({ maxAge: 0 });
    await bench.api.get('/');
    expect((await bench.api.get('/', { maxAge: -1 })).data.count).toBe(1);
    expect((await bench.api.get('/')).data.count).toBe(2);
  });
});

describe('networkFirst', () => {
  test('asks the origin although the response is fresh, and answers from the store if that fails', async () => {
    await using bench = await startBench({ networkFirst: true });
    expect((await bench.api.get('/')).data.count).toBe(1);
    expect((await bench.api.get('/')).data.count).toBe(2);
    await bench.origin.stop();
    const offline = await bench.api.get('/');
    expect([offline.fromCache, offline.data.count]).toEqual([true, 2]);
    await expect(bench.api.get('/other')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('urlsExpireAfter', () => {
  test('paths belong to the baseURL; undefined leaves it to the instance, null never expires', async () => {
    const urlsExpireAfter = { '/fast': 5, '/slow': undefined, '/for-ever': null };
    await using bench = await startBench();
    const api = bench.more({ expireAfter: 60, urlsExpireAfter });
    const lifetime = async (url: string) => {
      const { expires, createdAt } = await api.get(url);
      return expires === null ? null : (Number(expires) - Number(createdAt)) / 1000;
    };
    expect(await Promise.all(['/fast', '/slow', '/for-ever/x', '/other'].map(lifetime))).toEqual([5, 60, null, 60]);
  });

  test('0 for a pattern with letters beyond ASCII', async () => {
    await using bench = await startBench();
    const api = bench.more({ urlsExpireAfter: { '/wiki/Käse': 0 } });
    expect((await api.get('/wiki/Käse')).cacheStatus).toContain('detail=do-not-cache');
    expect((await api.get('/wiki/Milch')).cacheStatus).toContain('stored');
  });
});

describe('invalidates', () => {
  test.each([
    ['a path', '/posts'],
    ['a list of paths', ['/posts']],
    ['urls', { urls: '/posts' }],
    ['a path with a star', ['/po*']],
    ['a RegExp', /posts/],
  ])('%s', async (_, invalidates) => {
    await using bench = await startBench();
    for (const url of ['/posts/1', '/users']) await bench.api.get(url);
    await bench.api.post('/x', {}, { invalidates });
    expect((await bench.api.get('/posts/1')).fromCache).toBe(false);
    expect((await bench.api.get('/users')).fromCache).toBe(true);
  });

  test('the own URL, by true and by { urls: true }', async () => {
    await using bench = await startBench();
    for (const invalidates of [true, { urls: true }] as const) {
      await bench.api.get('/posts');
      await bench.api.post('/posts', {}, { invalidates });
      expect((await bench.api.get('/posts')).fromCache).toBe(false);
    }
  });
});

describe('targetedFields', () => {
  test('a targeted field replaces Cache-Control and Expires', async () => {
    const headers = { 'cdn-cache-control': 'max-age=600', 'cache-control': 'no-store' };
    await using bench = await startBench({}, sending(headers));
    const gateway = bench.more({ cacheControl: true, targetedFields: 'CDN-Cache-Control' });
    await gateway.get('/');
    bench.clock.advance(599);
    expect((await gateway.get('/')).fromCache).toBe(true);
    bench.clock.advance(1);
    expect((await gateway.get('/')).fromCache).toBe(false);
    const plain = bench.more({ cacheControl: true });
    expect((await plain.get('/')).cacheStatus).toContain('detail=no-store');
  });
});

describe('cacheControl of a single request', () => {
  test('replaces the defaults of options that are not set', async () => {
    await using bench = await startBench({}, ({ url }, response) => {
      response.writeHead(404, { 'cache-control': 'max-age=10' });
      response.end(url);
    });
    const config = { validateStatus: null, cacheControl: true };
    await bench.api.get('/a', config);
    const hit = await bench.api.get('/a', config);
    expect([hit.status, hit.fromCache, Number(hit.expires) - Number(hit.createdAt)]).toEqual([404, true, 10_000]);
    await bench.api.get('/b', { validateStatus: null });
    expect((await bench.api.get('/b', { validateStatus: null })).fromCache).toBe(false);
  });
});

describe('an origin that refuses fields which the cache added', () => {
  test('412 to a condition: the request is repeated without it, once', async () => {
    await using bench = await startBench({ expireAfter: 10 }, ({ headers }, response, count) => {
      if (headers['if-none-match']) response.writeHead(412).end();
      else sendJson(response, count, { etag: `"${count}"` });
    });
    await bench.api.get('/');
    bench.clock.advance(11);
    expect((await bench.api.get('/')).data).toBe(3);
    expect((await bench.api.get('/')).fromCache).toBe(true);
    expect(bench.origin.asked).toHaveLength(3);
  });

  test('412 to every request is passed on', async () => {
    await using bench = await startBench({ expireAfter: 10 }, (_, response, count) => {
      if (count > 1) response.writeHead(412).end();
      else sendJson(response, count, { etag: '"a"' });
    });
    await bench.api.get('/');
    bench.clock.advance(11);
    await expect(bench.api.get('/')).rejects.toMatchObject({ response: { status: 412 } });
    expect(bench.origin.asked).toHaveLength(3);
  });

  test('416 to the range that completes a stored part', async () => {
    await using bench = await startBench({ cacheControl: true }, ({ headers }, response) => {
      const fields = { etag: '"a"', 'cache-control': 'max-age=60' };
      if (headers.range === 'bytes=0-4') {
        response.writeHead(206, { ...fields, 'content-range': 'bytes 0-4/10' }).end('01234');
      } else if (headers.range) response.writeHead(416, { 'content-range': 'bytes */5' }).end();
      else response.writeHead(200, fields).end('whole');
    });
    await bench.api.get('/', { headers: { Range: 'bytes=0-4' } });
    const { status, data } = await bench.api.get('/');
    expect([status, data]).toEqual([200, 'whole']);
  });
});

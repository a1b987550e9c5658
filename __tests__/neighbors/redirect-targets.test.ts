import { expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { type Handler, startOrigin } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** Answers with the field that decides. X-Mode is no credential: only Vary and matchHeaders name it. */
const echo: Handler = ({ headers }, response) => {
  const { authorization, cookie, host, 'x-mode': mode } = headers;
  response.setHeader('vary', 'X-Mode').end([authorization ?? cookie ?? mode ?? 'nobody', host].join());
};

/** Requests with fields that clients do not send to another origin. */
test.each<[string, CacheOptions, AxiosRequestConfig]>([
  ['Cookie in matchHeaders', { credentials: 'ignore', matchHeaders: ['Cookie'] }, { headers: { Cookie: 'alice' } }],
  [
    'one of sensitiveHeaders in matchHeaders',
    { matchHeaders: ['X-Mode'] },
    { sensitiveHeaders: ['X-Mode'], headers: { 'X-Mode': 'alice' } } as AxiosRequestConfig,
  ],
  [
    'one of sensitiveHeaders in Vary',
    {},
    { sensitiveHeaders: ['X-Mode'], headers: { 'X-Mode': 'alice' } } as AxiosRequestConfig,
  ],
  ['Host', {}, { headers: { Host: 'alice.example' } }],
])('another origin that did not get %s is not mapped', async (_, options, config) => {
  const target = await startOrigin(echo);
  try {
    await using bench = await startBench(options, (_request, response) => {
      response.writeHead(302, { location: `${target.url}/x` }).end();
    });
    await bench.api.get('/', config);
    const { data, fromCache } = await bench.api.get(`${target.url}/x`, config);
    expect(data).toContain('alice');
    expect(fromCache).toBe(false);
  } finally {
    await target.stop();
  }
});

test('the asked origin is not mapped after another one, where credentials were dropped', async () => {
  let back = '';
  const other = await startOrigin((_, response) => void response.writeHead(302, { location: back }).end());
  try {
    await using bench = await startBench({}, ({ url, headers }, response) => {
      if (url === '/start') response.writeHead(302, { location: `${other.url}/` }).end();
      else response.end(headers.authorization ?? 'nobody');
    });
    back = `${bench.origin.url}/account`;
    const headers = { Authorization: 'alice' };
    expect((await bench.api.get('/start', { headers })).data).toBe('nobody');
    expect((await bench.api.get('/account', { headers })).data).toBe('alice');
  } finally {
    await other.stop();
  }
});

test('parts of two targets of a redirect are never combined', async () => {
  let target = '/v1';
  const fresh = { etag: '"1"', 'cache-control': 'max-age=60' };
  await using bench = await startBench({ cacheControl: true }, ({ url, headers }, response) => {
    if (url === '/latest') return void response.writeHead(302, { location: target, ...fresh }).end();
    const body = (url === '/v1' ? 'a' : 'b').repeat(100);
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
    if (first === undefined) return void response.writeHead(200, fresh).end(body);
    const [start, end] = [Number(first), Number(last || 99)];
    response.writeHead(206, { ...fresh, 'content-range': `bytes ${start}-${end}/100` });
    response.end(body.slice(start, end + 1));
  });
  const part = async (Range?: string) => (await bench.api.get('/latest', { headers: Range ? { Range } : {} })).data;
  expect(await part('bytes=0-49')).toBe('a'.repeat(50));
  target = '/v2';
  expect(await part('bytes=50-79')).toBe('b'.repeat(30));
  expect(await part()).toBe('b'.repeat(100));
  target = '/v3';
  bench.clock.advance(100);
  expect(new Set(await part('bytes=0-49')).size).toBe(1);
});

function removalTests(options: OptionsIn): void {
  test('mappings are removed with their responses, by age and by clear() of the view', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench(options(folder.path), ({ url }, response) => {
      if (url === '/from') response.writeHead(302, { location: '/to' }).end();
      else response.setHeader('vary', 'X-Mode').end('x');
    });
    const { api, clock } = bench;
    const left = async () => [await api.cache.responseCount(), await api.cache.redirects.count()];
    for (const remove of [() => api.cache.delete({ olderThan: 5 }), () => api.cache.responses.clear()]) {
      for (const mode of ['one', 'two']) await api.get('/from', { headers: { 'X-Mode': mode } });
      expect(await left()).toEqual([2, 1]);
      clock.advance(10);
      await remove();
      expect(await left()).toEqual([0, 0]);
    }
  });

  test('clear() of the view applies to requests in flight', async () => {
    await using folder = await temporaryFolder();
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await using bench = await startBench(options(folder.path), async (_request, response, count) => {
      arrive();
      if (count === 1) await answered;
      response.end(`${count}`);
    });
    const first = bench.api.get('/');
    await arrived;
    await bench.api.cache.responses.clear();
    answer();
    await first;
    expect((await bench.api.get('/')).fromCache).toBe(false);
  });
}

describeStores(removalTests);

test('a redirect of unknown status maps no other method than GET and HEAD (fetch)', async () => {
  await using bench = await startBench({ allowableMethods: ['GET', 'POST'] }, ({ method, url, body }, response) => {
    if (url === '/form') response.writeHead(303, { location: '/result' }).end();
    else response.end(`${method} ${body}`);
  });
  const post = async (url: string) => (await bench.api.post(url, 'a=1', { adapter: 'fetch' })).data;
  expect([await post('/form'), await post('/result')]).toEqual(['GET ', 'POST a=1']);
});

test('mappings are removed with the last variant that filterFn refuses', async () => {
  let accepts = true;
  await using bench = await startBench({ filterFn: () => accepts }, ({ url }, response) => {
    if (url === '/from') response.writeHead(302, { location: '/to' }).end();
    else response.setHeader('vary', 'X-Mode').end('x');
  });
  const { api } = bench;
  for (const mode of ['one', 'two']) await api.get('/from', { headers: { 'X-Mode': mode } });
  accepts = false;
  const left: number[][] = [];
  for (const mode of ['one', 'two']) {
    // Nothing is stored meanwhile: only the refusal deletes.
    await api.get('/from', { headers: { 'X-Mode': mode }, onlyIfCached: true, validateStatus: null });
    left.push([await api.cache.responseCount(), await api.cache.redirects.count()]);
  }
  expect(left).toEqual([
    [1, 1],
    [0, 0],
  ]);
});

test.each(['/two', '/three'])('a URL with a lifetime of its own is not mapped: %s', async (own) => {
  const next: Record<string, string> = { '/one': '/two', '/two': '/three' };
  await using bench = await startBench(
    { urlsExpireAfter: { '127.0.0.1/one': '1h', [`127.0.0.1${own}`]: '1m' } },
    ({ url }, response) => {
      const location = next[url];
      if (location) response.writeHead(302, { location }).end();
      else response.end('x');
    },
  );
  await bench.api.get('/one');
  bench.clock.advance(90);
  expect((await bench.api.get('/one')).fromCache).toBe(true);
  expect((await bench.api.get(own)).fromCache).toBe(false);
});

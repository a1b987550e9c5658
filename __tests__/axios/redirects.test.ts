import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { type Handler, sendJson, startOrigin } from '../support/origin.js';

const handler: Handler = ({ url }, response, count) => {
  if (url.startsWith('/one')) response.writeHead(302, { location: '/two?access_token=secret' }).end();
  else if (url.startsWith('/two')) response.writeHead(301, { location: '/three' }).end();
  else sendJson(response, { url, count });
};

test('every URL of a chain is a hit, and the history is returned', async () => {
  await using bench = await startBench({}, handler);
  const first = await bench.api.get('/one');
  expect(first.history?.map(({ url, status }) => [new URL(url).pathname + new URL(url).search, status])).toEqual([
    ['/one', 302],
    ['/two?access_token=REDACTED', 301],
  ]);
  for (const url of ['/one', '/two?access_token=secret', '/three']) {
    const hit = await bench.api.get(url);
    expect(() => (hit.history as unknown[]).pop()).toThrow(TypeError);
    expect([hit.fromCache, hit.data, hit.history?.length]).toEqual([true, { url: '/three', count: 3 }, 2]);
  }
  expect(bench.origin.asked).toHaveLength(3);
});

test("the user's own beforeRedirect is called", async () => {
  await using bench = await startBench({}, handler);
  const seen: string[] = [];
  await bench.api.get('/one', { beforeRedirect: (options) => void seen.push(String(options.path)) });
  expect(seen).toEqual(['/two?access_token=secret', '/three']);
});

test('no redirects followed is a request of its own', async () => {
  await using bench = await startBench({ allowableCodes: [200, 302] }, handler);
  await bench.api.get('/one');
  const bare = await bench.api.get('/one', { maxRedirects: 0, validateStatus: null });
  expect([bare.status, bare.fromCache]).toEqual([302, false]);
});

test('with credentials only URLs of the same origin are mapped', async () => {
  await using other = await startOrigin();
  await using bench = await startBench({}, ({ url }, response) => {
    response.writeHead(302, { location: url === '/away' ? `${other.url}/end` : '/end' });
    response.end();
  });
  await bench.api.get('/away', { headers: { Authorization: 'x' } });
  expect(await bench.api.cache.redirects.count()).toBe(0);
  await bench.api.get('/away');
  expect((await bench.api.get(`${other.url}/end`)).fromCache).toBe(true);
});

test('the fetch adapter reports the final URL', async () => {
  await using bench = await startBench({}, handler);
  const first = await bench.api.get('/one', { adapter: 'fetch' });
  expect(first.history).toEqual([]);
  expect((await bench.api.get('/three', { adapter: 'fetch' })).fromCache).toBe(true);
});

test('with cacheControl the shortest lifetime of the chain counts', async () => {
  await using bench = await startBench({ cacheControl: true }, ({ url }, response) => {
    if (url === '/short') response.writeHead(302, { location: '/end', 'cache-control': 'max-age=10' }).end();
    else if (url === '/never') response.writeHead(302, { location: '/end', 'cache-control': 'no-store' }).end();
    else sendJson(response, url, { 'cache-control': 'max-age=100' });
  });
  const { expires, createdAt } = await bench.api.get('/short');
  expect(Number(expires) - Number(createdAt)).toBe(10_000);
  expect((await bench.api.get('/never')).cacheStatus).toContain('detail=redirect-not-storable');
});

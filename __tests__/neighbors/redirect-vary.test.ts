import { expect, test } from '@jest/globals';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import type { Handler } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

const FRESH = { 'cache-control': 'max-age=60' };

/** `/` redirects to a page in the language of the request, `/middle` to `/`. */
const byLanguage: Handler = ({ url, headers }, response) => {
  if (url === '/middle') return void response.writeHead(302, { ...FRESH, location: '/' }).end();
  if (url !== '/') return void response.writeHead(200, FRESH).end(url);
  const location = `/${headers['accept-language'] ?? 'none'}`;
  response.writeHead(302, { ...FRESH, vary: 'Accept-Language', location }).end();
};

async function read({ api }: Bench, url: string, language: string, config = {}) {
  const { data, fromCache } = await api.get(url, { ...config, headers: { 'Accept-Language': language } });
  return [data, fromCache];
}

function varyTests(options: OptionsIn): void {
  test.each([
    ['http', '/', false],
    ['http', '/middle', false],
    ['http', '/', true],
    ['http', '/middle', true],
    ['fetch', '/', false],
    ['fetch', '/middle', true],
  ] as const)(
    'Vary of a redirect selects its target (%s, %s, cacheControl: %s)',
    async (adapter, url, cacheControl) => {
      await using folder = await temporaryFolder();
      await using bench = await startBench({ ...options(folder.path), cacheControl }, byLanguage);
      const seen = [];
      for (const language of ['de', 'en', 'de', 'en']) seen.push(await read(bench, url, language, { adapter }));
      expect(seen).toEqual([
        ['/de', false],
        ['/en', false],
        ['/de', true],
        ['/en', true],
      ]);
      if (adapter === 'http') expect((await read(bench, '/', 'fr'))[0]).toBe('/fr');
    },
  );
}

describeStores(varyTests);

test('callers with different languages do not share a redirected request', async () => {
  await using bench = await startBench({}, byLanguage);
  const both = await Promise.all(['de', 'en'].map((language) => read(bench, '/', language)));
  expect(both.map(([data]) => data)).toEqual(['/de', '/en']);
});

test('a redirect with Vary: * is not stored', async () => {
  await using bench = await startBench({}, ({ url }, response, count) => {
    if (url === '/') response.writeHead(302, { vary: '*', location: `/${count}` }).end();
    else response.end(url);
  });
  const get = async () => (await bench.api.get('/')).data;
  expect(await get()).not.toBe(await get());
});

test('a redirect that sets a cookie is for one caller', async () => {
  let waiting: (() => void)[] = [];
  await using bench = await startBench({}, async ({ url }, response, count) => {
    if (url !== '/') return void response.end(url);
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      setImmediate(() => {
        for (const go of waiting) go();
        waiting = [];
      });
    });
    response.writeHead(302, { 'set-cookie': `sid=${count}`, location: `/user/${count}` }).end();
  });
  const both = await Promise.all([bench.api.get('/'), bench.api.get('/')]);
  expect(new Set(both.map(({ data }) => data)).size).toBe(2);
});

test('recreateKeys keeps the variants of redirects', async () => {
  await using folder = await temporaryFolder();
  const options = { backend: 'sqlite', cacheName: `${folder.path}/cache` } as const;
  await using bench = await startBench({ ...options, keyFn: ({ url }) => `own ${url}` }, byLanguage);
  for (const language of ['de', 'en']) await read(bench, '/', language);
  await bench.api.detachCache();
  const later = bench.more(options);
  expect(await later.cache.recreateKeys()).toEqual({ changed: 2, kept: 0 });
  for (const language of ['de', 'en', 'fr']) {
    const { data, fromCache } = await later.get('/', { headers: { 'Accept-Language': language } });
    expect([data, fromCache]).toEqual([`/${language}`, language !== 'fr']);
  }
});

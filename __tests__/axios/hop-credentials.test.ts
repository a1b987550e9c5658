import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { type Handler, startOrigin } from '../support/origin.js';
import { STORES } from '../support/stores.js';

type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

/** `/start` redirects to `/middle` and that to `/account`, which returns the name of the account. */
const handler: Handler = ({ url, headers }, response) => {
  const next = { '/start': '/middle', '/middle': '/account' }[url];
  if (next) return void response.writeHead(302, { location: next }).end();
  const { authorization, cookie, 'x-other': other } = headers;
  response.end(`account of ${authorization ?? cookie ?? other ?? 'nobody'}`);
};

const CHANGES: readonly (readonly [string, (user: string) => BeforeRedirect])[] = [
  [
    'a header',
    (user) =>
      ({ headers }) =>
        void Object.assign(headers, { Authorization: user }),
  ],
  [
    'headers as a whole',
    (user) => (options) => void Object.assign(options, { headers: { ...options.headers, 'X-Other': user } }),
  ],
  ['auth', (user) => (options) => void Object.assign(options, { auth: `${user}:x` })],
  ['the path', (user) => (options) => void Object.assign(options, { path: `${options.path}?${user}` })],
];

describe.each(STORES)('over %s', (_, optionsIn) => {
  test.each(CHANGES)(
    'an answer that depends on %s of beforeRedirect is neither stored nor mapped',
    async (_, change) => {
      await using folder = await temporaryFolder();
      await using bench = await startBench({ ...optionsIn(folder.path) } as CacheOptions, handler);
      for (const user of ['alice', 'bob']) {
        const response = await bench.api.get('/start', { beforeRedirect: change(user) });
        expect([response.fromCache, response.cacheStatus]).toEqual([
          false,
          expect.stringContaining('redirect-credentials'),
        ]);
      }
      expect(await bench.api.cache.responseCount()).toBe(0);
      expect(await bench.api.cache.redirects.count()).toBe(0);
      expect((await bench.api.get('/account')).data).toBe('account of nobody');
      const stream = await bench.api.get('/start', { beforeRedirect: change('eve'), responseType: 'stream' });
      for await (const __ of stream.data);
      expect((await bench.api.get('/start')).data).toBe('account of nobody');
    },
  );
});

test('a beforeRedirect that only looks changes nothing', async () => {
  await using bench = await startBench({}, handler);
  const seen: string[] = [];
  const first = await bench.api.get('/start', { beforeRedirect: ({ path }) => void seen.push(String(path)) });
  expect(first.cacheStatus).toContain('stored');
  expect(seen).toEqual(['/middle', '/account']);
  expect((await bench.api.get('/start')).fromCache).toBe(true);
});

test('a response without credentials does not serve a request whose redirects would add some', async () => {
  await using bench = await startBench({}, handler);
  await bench.api.get('/start');
  const beforeRedirect: BeforeRedirect = ({ headers }) => void Object.assign(headers, { Authorization: 'alice' });
  for (const url of ['/start', '/middle']) {
    const { data, cacheStatus } = await bench.api.get(url, { beforeRedirect });
    expect([data, cacheStatus]).toEqual(['account of alice', expect.stringContaining('fwd=uri-miss')]);
  }
  // Without a redirect there are no credentials to add.
  expect((await bench.api.get('/account', { beforeRedirect })).fromCache).toBe(true);
  expect((await bench.api.get('/start')).data).toBe('account of nobody');
});

test('a request in flight is not shared with one whose beforeRedirect is another', async () => {
  await using bench = await startBench({}, handler);
  const as = async (user: string) => {
    const beforeRedirect: BeforeRedirect = ({ headers }) => void Object.assign(headers, { Authorization: user });
    return (await bench.api.get('/start', { beforeRedirect })).data;
  };
  const anyone = bench.api.get('/start');
  expect(await Promise.all([as('alice'), as('bob')])).toEqual(['account of alice', 'account of bob']);
  expect((await anyone).data).toBe('account of nobody');
});

test('fields that the adapter removes for another host do not count', async () => {
  await using other = await startOrigin(handler);
  await using bench = await startBench({}, ({ url }, response) => {
    response.writeHead(302, { location: `${other.url}${url}` }).end();
  });
  const first = await bench.api.get('/account', { headers: { Authorization: 'alice' } });
  expect([first.data, first.cacheStatus]).toEqual(['account of nobody', expect.stringContaining('stored')]);
});

/** In a separate process, since Jest cannot load the dependencies of the wrapper. */
const CLIENT = `
  import { createRequire } from 'node:module';
  import axios from 'axios';
  import { wrapper } from 'axios-cookiejar-support';
  import { HttpCookieAgent } from 'http-cookie-agent/http';
  import { CookieJar } from 'tough-cookie';
  import { MemoryCache, setupCache } from './lib/index.js';

  const [, , baseURL, how, users] = process.argv;
  const cache = new MemoryCache();
  const as = async (user) => {
    const jar = new CookieJar();
    if (user !== 'nobody') jar.setCookieSync('sid=' + user + '; Path=/account', baseURL + '/account');
    const instance = how === 'config.jar'
      ? wrapper(axios.create({ baseURL, jar }))
      : axios.create({ baseURL, httpAgent: new HttpCookieAgent({ cookies: { jar } }) });
    const { data, fromCache } = await setupCache(instance, { backend: cache }).get('/start');
    return [data, fromCache];
  };
  const seen = [];
  for (const user of users.split(',')) seen.push(await as(user));
  console.log(JSON.stringify(seen));
`;

describe.each([['config.jar'], ['an agent']])('cookies of %s for a later URL', (how) => {
  test.each(['alice,bob,nobody,alice,nobody', 'nobody,alice,bob,nobody'])(
    '%s: each gets an own answer',
    async (users) => {
      await using origin = await startOrigin(handler);
      await using client = program(CLIENT);
      const seen = JSON.parse(await client.run(origin.url, how, users)) as [string, boolean][];
      const names = users.split(',');
      expect(seen.map(([data]) => data)).toEqual(
        names.map((name) => `account of ${name === 'nobody' ? name : `sid=${name}`}`),
      );
      const again = names.map((name, index) => name === 'nobody' && names.indexOf(name) < index);
      expect(seen.map(([, fromCache]) => fromCache)).toEqual(again);
    },
  );
});

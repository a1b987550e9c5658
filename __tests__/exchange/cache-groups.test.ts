import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson, startOrigin, type TestOrigin } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/**
 * The table of cases of RFC 9875, end to end. Stored: A to F with the groups below; C belongs to another port, D to another
 * host.
 */
const GROUPS: Readonly<Record<string, string>> = {
  '/A': '"x", "y"',
  '/B': '"y", "w"',
  '/C': '"y"',
  '/D': '"y"',
  '/E': '"x"',
  '/F': '"w"',
};
const FRESH = { 'cache-control': 'max-age=60' };

/** The answer that a request asks for by its field X-Answer. */
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
}

const handler: Handler = ({ method, url, headers }, response, count) => {
  const { status, headers: fields = {} } = JSON.parse(String(headers['x-answer'] ?? '{}')) as Answer;
  const [, moved, target = 'x'] = /^\/moved\?(\d+)(?:&(.+))?$/.exec(url) ?? [];
  if (moved !== undefined) return void response.writeHead(Number(moved), { location: `/${target}` }).end();
  const groups = GROUPS[url] === undefined ? {} : { 'cache-groups': GROUPS[url] };
  if (status !== undefined) return void response.writeHead(status, fields).end();
  if (method === 'HEAD') return void response.writeHead(200, { ...FRESH, ...groups, ...fields }).end();
  sendJson(response, { method, count }, { ...FRESH, etag: '"1"', ...groups, ...fields });
};

const asking = (answer: Answer, more: AxiosRequestConfig = {}): AxiosRequestConfig => ({
  validateStatus: null,
  ...more,
  headers: { 'X-Answer': JSON.stringify(answer), ...more.headers },
});
const invalidating = (field: string, more: AxiosRequestConfig = {}) =>
  asking({ headers: { 'cache-group-invalidation': field } }, more);

/** A bench with a second origin, and the six stored responses. */
interface Case extends Bench {
  readonly other: TestOrigin;
}

const letters = Object.keys(GROUPS).map((url) => url.slice(1));

function urlOf({ origin, other }: Case, letter: string): string {
  if (letter === 'C') return `${other.url}/C`;
  return `${letter === 'D' ? origin.url.replace('127.0.0.1', 'localhost') : origin.url}/${letter}`;
}

/** The letters of the responses that are stored. */
async function left(one: Case, config: AxiosRequestConfig = {}): Promise<string> {
  let found = '';
  for (const letter of letters) {
    const { status } = await one.api.get(urlOf(one, letter), { onlyIfCached: true, validateStatus: null, ...config });
    if (status === 200) found += letter;
  }
  return found;
}

async function fill(one: Case, config: AxiosRequestConfig = {}): Promise<void> {
  for (const letter of letters) await one.api.get(urlOf(one, letter), config);
  expect(await left(one, config)).toBe('ABCDEF');
}

type Act = (one: Case) => Promise<unknown>;
const method = (name: string): Act => {
  const content = name === 'QUERY' ? { data: '{}', headers: { 'Content-Type': 'application/json' } } : {};
  return ({ api }) => api.request({ url: '/x', method: name, ...invalidating('"y"', content) });
};

function groupTests(options: OptionsIn): void {
  async function withCase(own: CacheOptions, work: (one: Case) => Promise<void>): Promise<void> {
    await using folder = await temporaryFolder();
    const all = { ...options(folder.path), cacheControl: true, ...own } as CacheOptions;
    await using bench = await startBench(all, handler);
    await using other = await startOrigin(handler);
    const one: Case = { ...bench, other };
    await fill(one);
    await work(one);
  }

  test.each<[string, Act, string]>([
    ['POST: 200, "y"', method('POST'), 'CDEF'],
    ['the same with "Y"', ({ api }) => api.post('/x', 0, invalidating('"Y"')), 'ABCDEF'],
    ['the same with "y", z', ({ api }) => api.post('/x', 0, invalidating('"y", z')), 'ABCDEF'],
    ['the same with two groups', ({ api }) => api.post('/x', 0, invalidating('"x";a, "w"')), 'CD'],
    ['GET', method('GET'), 'ABCDEF'],
    ['HEAD', method('HEAD'), 'ABCDEF'],
    ['OPTIONS', method('OPTIONS'), 'ABCDEF'],
    ['TRACE', method('TRACE'), 'ABCDEF'],
    ['QUERY', method('QUERY'), 'ABCDEF'],
    ['PROPFIND', method('PROPFIND'), 'ABCDEF'],
    ['REPORT', method('REPORT'), 'ABCDEF'],
    ['SEARCH', method('SEARCH'), 'ABCDEF'],
    ['a method that is not known', method('PURGE'), 'CDEF'],
    ...[404, 500, 503].map((status): [string, Act, string] => [
      `POST: ${status} (a group field of an error is ignored)`,
      ({ api }) => api.post('/x', 0, asking({ status, headers: { 'cache-group-invalidation': '"y"' } })),
      'ABCDEF',
    ]),
    [
      'POST 303 with "y", then GET with "x"',
      ({ api }) => {
        const answer = { status: 303, headers: { location: '/x', 'cache-group-invalidation': '"y"' } };
        const beforeRedirect = (next: Record<string, unknown>) => {
          (next.headers as Record<string, string>)['X-Answer'] = JSON.stringify({
            headers: { 'cache-group-invalidation': '"x"' },
          });
        };
        return api.post('/x', 0, { ...asking(answer), beforeRedirect });
      },
      'CDEF',
    ],
    [
      'POST 307, then POST to another origin with "y"',
      ({ api, other }) => {
        const beforeRedirect = (next: Record<string, unknown>) => {
          (next.headers as Record<string, string>)['X-Answer'] = JSON.stringify({
            headers: { 'cache-group-invalidation': '"y"' },
          });
        };
        const answer = { status: 307, headers: { location: `${other.url}/x` } };
        return api.post('/x', 'content', { ...asking(answer), beforeRedirect });
      },
      'ABDEF',
    ],
    [
      'the fetch adapter, without a redirect',
      ({ api }) => api.post('/x', 0, invalidating('"y"', { adapter: 'fetch' })),
      'CDEF',
    ],
    ...[303, 307].map((status): [string, Act, string] => [
      `the fetch adapter, after a redirect by ${status}: the method of the last request is not known`,
      ({ api }) => api.post(`/moved?${status}`, 'content', invalidating('"y"', { adapter: 'fetch' })),
      'ABCDEF',
    ]),
    [
      'the fetch adapter, after a redirect of a DELETE: likewise',
      ({ api }) => api.delete('/moved?307', invalidating('"y"', { adapter: 'fetch' })),
      'ABCDEF',
    ],
    ['the fetch adapter, a DELETE', ({ api }) => api.delete('/x', invalidating('"y"', { adapter: 'fetch' })), 'CDEF'],
    [
      'the fetch adapter, a redirect to A',
      ({ api }) => api.post('/moved?307&A', 'content', asking({}, { adapter: 'fetch' })),
      'CDF',
    ],
    ['POST to A: 200, no field', ({ api }) => api.post('/A', 0, asking({})), 'CDF'],
    ['POST to A: 204, no field', ({ api }) => api.post('/A', 0, asking({ status: 204 })), 'CDF'],
    ['POST to A: 500', ({ api }) => api.post('/A', 0, asking({ status: 500 })), 'ABCDEF'],
    ['delete(key)', async ({ api }) => api.cache.delete(await api.cache.createKey({ url: '/A' })), 'BCDEF'],
    ['delete({ urls })', ({ api, origin }) => api.cache.delete({ urls: `${origin.url}/A` }), 'BCDEF'],
    ['delete({ urls }) by pattern', ({ api }) => api.cache.delete({ urls: /\/A$/ }), 'BCDEF'],
    ['delete({ tags }) of the name of a group', ({ api }) => api.cache.delete({ tags: ['x', 'y'] }), 'ABCDEF'],
    ['replacement', ({ api }) => api.get('/A', { forceRefresh: true }), 'ABCDEF'],
    ['readOnly', ({ api }) => api.post('/x', 0, invalidating('"y"', { readOnly: true })), 'ABCDEF'],
    ['cacheControl: false', ({ api }) => api.post('/x', 0, invalidating('"y"', { cacheControl: false })), 'ABCDEF'],
    ['invalidates', ({ api }) => api.post('/x', 0, asking({}, { invalidates: { urls: /\/A$/ } })), 'BCDEF'],
  ])('%s', async (_, act, expected) => {
    await withCase({}, async (one) => {
      await act(one);
      expect(await left(one)).toBe(expected);
    });
  });

  test('expiry takes nothing along', async () => {
    await withCase({ cacheControl: true }, async (one) => {
      const { api, clock } = one;
      await api.get('/A', { forceRefresh: true, ...asking({ headers: { 'cache-control': 'max-age=1' } }) });
      clock.advance(5);
      expect(await api.removeExpiredResponses()).toEqual({ removed: 1, kept: 5 });
      expect(await left(one)).toBe('BCDEF');
    });
  });

  test('the responses of other principals go too', async () => {
    await withCase({}, async (one) => {
      const other = { headers: { Authorization: 'Basic other' } };
      await fill(one, other);
      await one.api.post('/x', 0, invalidating('"y"'));
      expect([await left(one), await left(one, other)]).toEqual(['CDEF', 'CDEF']);
    });
  });

  test('a POST that is served from the store invalidates nothing', async () => {
    await withCase({ allowableMethods: ['GET', 'POST'] }, async (one) => {
      expect((await one.api.post('/x', 'one', invalidating('"y"'))).fromCache).toBe(false);
      expect(await left(one)).toBe('CDEF');
      await fill(one);
      expect((await one.api.post('/x', 'one', invalidating('"y"'))).fromCache).toBe(true);
      expect(await left(one)).toBe('ABCDEF');
    });
  });

  test('a POST that is stored invalidates its own groups before', async () => {
    await withCase({ allowableMethods: ['GET', 'POST'] }, async (one) => {
      const { api } = one;
      const config = asking({ headers: { 'cache-groups': '"y"', 'cache-group-invalidation': '"y"' } });
      expect((await api.post('/x', 'one', config)).cacheStatus).toContain('stored');
      expect([await left(one), (await api.post('/x', 'one', config)).fromCache]).toEqual(['CDEF', true]);
      await api.post('/y', 'two', invalidating('"y"'));
      expect((await api.post('/x', 'one', config)).fromCache).toBe(false);
    });
  });

  describe.each(['304', 'HEAD'])('a %s', (update) => {
    const groupsAfter = async (one: Case, fields: Record<string, string>) => {
      const { api, clock } = one;
      clock.advance(61);
      const headers = { ...FRESH, etag: '"1"', ...fields };
      if (update === 'HEAD') await api.head('/B', asking({ status: 200, headers }));
      else expect((await api.get('/B', asking({ status: 304, headers }))).revalidated).toBe(true);
      const invalidates = async (group: string) => {
        await api.post('/x', 0, invalidating(`"${group}"`));
        return !(await left(one)).includes('B');
      };
      return invalidates;
    };

    test('replaces the groups of the stored response', async () => {
      await withCase({}, async (one) => {
        const invalidates = await groupsAfter(one, { 'cache-groups': '"new"' });
        expect([await invalidates('y'), await invalidates('w'), await invalidates('new')]).toEqual([
          false,
          false,
          true,
        ]);
      });
    });

    test('without the field leaves the groups as they are', async () => {
      await withCase({}, async (one) => {
        const invalidates = await groupsAfter(one, {});
        expect([await invalidates('new'), await invalidates('w')]).toEqual([false, true]);
      });
    });
  });
}

describeStores(groupTests);

test.each<[string, OptionsIn]>([
  ['memory', () => ({ backend: 'memory' })],
  ['sqlite', (folder) => ({ backend: 'sqlite', cacheName: path.join(folder, 'cache.sqlite') })],
  ['filesystem', (folder) => ({ backend: 'filesystem', cacheName: path.join(folder, 'cache') })],
])('eviction takes nothing along: %s', async (_, options) => {
  await using folder = await temporaryFolder();
  const bounded = { ...options(folder.path), cacheControl: true, backendOptions: { maxEntries: 6 } } as CacheOptions;
  await using bench = await startBench(bounded, handler);
  await using other = await startOrigin(handler);
  const one: Case = { ...bench, other };
  for (const letter of letters) await one.api.get(urlOf(one, letter));
  await one.api.get('/another');
  await until('one is evicted', async () => (await one.api.cache.responseCount()) === 6);
  expect(await left(one)).toBe('BCDEF');
  // Its groups went with it.
  await one.api.post('/A', 0, asking({}));
  expect(await left(one)).toBe('BCDEF');
});

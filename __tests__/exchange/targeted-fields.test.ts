import { expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** The table of cases of RFC 9213, end to end: A is App-Cache-Control, C is CDN-Cache-Control, CC is Cache-Control. */

const LONG = '9'.repeat(16);
const PAST = new Date(0).toUTCString();
const FUTURE = 'Thu, 01 Jan 2099 00:00:00 GMT';
const LONG_AGO = 'Tue, 01 Jan 1980 00:00:00 GMT';

interface Case {
  readonly A?: string;
  readonly C?: string;
  readonly CC?: string;
  readonly more?: Record<string, string>;
  /** Seconds for which the response is fresh; 0 or less: stored but stale; undefined: not stored. */
  readonly fresh: number | undefined;
  readonly settings?: CacheOptions;
}

const CASES: readonly (readonly [string, Case])[] = [
  ['a targeted field replaces no-store', { C: 'max-age=600', CC: 'no-store', fresh: 600 }],
  ['no-store of a targeted field counts', { C: 'no-store', CC: 'max-age=60', fresh: undefined }],
  ['the first of the list counts', { A: 'max-age=1', C: 'max-age=600', fresh: 1 }],
  ['an empty field is left out', { A: '', C: 'max-age=6', fresh: 6 }],
  ['a broken field is left out', { A: 'max-age=1, &&&', C: 'max-age=6', fresh: 6 }],
  ['a field that cannot be parsed leaves Cache-Control', { C: 'max-age=600, &&&', CC: 'max-age=60', fresh: 60 }],
  ['upper case cannot be parsed', { C: 'MAX-AGE=600', CC: 'max-age=60', fresh: 60 }],
  ['a space around the equals sign cannot be parsed', { C: 'max-age = 600', CC: 'max-age=60', fresh: 60 }],
  ['a number of 16 digits cannot be parsed', { C: `max-age=${LONG}`, CC: 'max-age=60', fresh: 60 }],
  ['a String for a number makes the field ignored', { C: 'max-age="6"', CC: 'max-age=60', fresh: 60 }],
  ['a Decimal for a number makes the field ignored', { C: 'max-age=6.5', CC: 'max-age=60', fresh: 60 }],
  ['a negative number makes the field ignored', { C: 'max-age=-1', CC: 'max-age=60', fresh: 60 }],
  ['a false directive makes the field ignored', { C: 'max-age=6, no-store=?0', CC: 'max-age=60', fresh: 60 }],
  ['a Token for field names makes the field ignored', { C: 'max-age=6, no-cache=x', CC: 'max-age=60', fresh: 60 }],
  ['of equal names the last counts', { C: 'max-age=60, max-age=5;v=1', fresh: 5 }],
  ['Expires is ignored', { C: 'max-age=600', more: { expires: PAST }, fresh: 600 }],
  ['Age may exceed the lifetime', { C: 'max-age=600', more: { expires: PAST, age: '1800' }, fresh: -1_200 }],
  ['Age counts', { C: 'max-age=600', more: { age: '500' }, fresh: 100 }],
  ['a private cache stores private responses', { C: 'private, max-age=9', fresh: 9 }],
  ['a shared cache does not', { C: 'private, max-age=9', fresh: undefined, settings: { shared: true } }],
  ['a private cache ignores s-maxage', { C: 's-maxage=9, max-age=5', fresh: 5 }],
  ['a shared cache does not ignore it', { C: 's-maxage=9, max-age=5', fresh: 9, settings: { shared: true } }],
  [
    'without directives neither Expires nor no-store counts: heuristics decide',
    { C: 'none', CC: 'no-store', more: { expires: FUTURE, 'last-modified': LONG_AGO }, fresh: 604_800 },
  ],
  [
    'without directives a lifetime is that of the settings',
    { C: 'none', CC: 'no-store', more: { expires: FUTURE }, fresh: 30, settings: { expireAfter: 30 } },
  ],
  [
    'fields that are not listed have no effect',
    { C: 'max-age=600', CC: 'max-age=60', fresh: 60, settings: { targetedFields: [] } },
  ],
];

const TARGETED: CacheOptions = { cacheControl: true, targetedFields: ['App-Cache-Control', 'CDN-Cache-Control'] };

function targetedTests(options: OptionsIn): void {
  async function withBench(own: CacheOptions, work: (bench: Bench) => Promise<void>, handler: Handler): Promise<void> {
    await using folder = await temporaryFolder();
    const all = { ...options(folder.path), ...TARGETED, ...own } as CacheOptions;
    await using bench = await startBench(all, handler);
    await work(bench);
  }

  test.each(CASES)('%s', async (_, { A, C, CC, more, fresh, settings = {} }) => {
    const headers = {
      ...(A === undefined ? {} : { 'app-cache-control': A }),
      ...(C === undefined ? {} : { 'cdn-cache-control': C }),
      ...(CC === undefined ? {} : { 'cache-control': CC }),
      ...more,
    };
    await withBench(
      settings,
      async ({ api, clock }) => {
        const first = await api.get('/');
        // Targeted fields are passed on.
        expect(first.headers).toMatchObject(headers);
        expect(await api.cache.responseCount()).toBe(fresh === undefined ? 0 : 1);
        if (fresh === undefined) return;
        expect(Math.round((Number(first.expires) - clock.now()) / 1000)).toBe(fresh);
        clock.advance(Math.max(fresh, 0) - 0.5);
        expect((await api.get('/')).data).toEqual({ count: fresh > 0 ? 1 : 2 });
        clock.advance(1.5);
        expect((await api.get('/')).data).toEqual({ count: fresh > 0 ? 2 : 3 });
      },
      (__, response, count) => sendJson(response, { count }, headers),
    );
  });

  test('no-cache with field names leaves these out, and serves the rest', async () => {
    const headers = { 'cdn-cache-control': 'no-cache="x-session", max-age=60', 'x-session': '1', 'x-other': '2' };
    await withBench(
      {},
      async ({ api }) => {
        expect((await api.get('/')).headers).toMatchObject(headers);
        const { fromCache, headers: served } = await api.get('/');
        expect([fromCache, served['x-session'], served['x-other']]).toEqual([true, undefined, '2']);
      },
      (__, response) => sendJson(response, 1, headers),
    );
  });

  test('a 304 is merged, and the field chosen anew', async () => {
    await withBench(
      {},
      async ({ api, clock, origin }) => {
        await api.get('/');
        clock.advance(2);
        expect((await api.get('/')).revalidated).toBe(true);
        clock.advance(500);
        expect((await api.get('/')).fromCache).toBe(true);
        expect(origin.asked).toHaveLength(2);
      },
      ({ headers }, response) => {
        const fields = { etag: '"1"', 'cache-control': 'max-age=1' };
        if (headers['if-none-match'] === undefined) sendJson(response, {}, fields);
        else response.writeHead(304, { ...fields, 'cdn-cache-control': 'max-age=600' }).end();
      },
    );
  });

  test.each<[string, string, CacheOptions, string]>([
    ['prohibits it', 'max-age=1, must-revalidate', { oldDataOnError: true }, 'detail=must-revalidate'],
    ['prohibits it, and nothing allows it', 'max-age=1, must-revalidate', {}, 'detail=status'],
    ['allows it', 'max-age=1, stale-if-error=60', {}, 'ttl=-4; detail=stale-if-error'],
  ])('a failure, if a stale answer is asked for and the field %s', async (_, field, settings, outcome) => {
    await withBench(
      settings,
      async ({ api, clock }) => {
        await api.get('/');
        clock.advance(5);
        const { status, cacheStatus } = await api.get('/', { validateStatus: null });
        expect(cacheStatus).toBe(`axios-keyv-cache; fwd=stale; fwd-status=503; ${outcome}`);
        expect(status).toBe(outcome.includes('stale-if-error') ? 200 : 503);
      },
      (__, response, count) => {
        if (count > 1) response.writeHead(503).end();
        else sendJson(response, count, { 'cdn-cache-control': field });
      },
    );
  });
}

describeStores(targetedTests);

import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { redis } from '../../scripts/services/redis.mjs';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';
import { describeService } from '../support/services.js';

/** The table of cases of RFC 9213, end to end: A is App-Cache-Control, C is CDN-Cache-Control, CC is Cache-Control. */

const LONG = '9'.repeat(16);
const PAST = new Date(0).toUTCString();

interface Case {
  readonly A?: string;
  readonly C?: string;
  readonly CC?: string;
  readonly more?: Record<string, string>;
  /** Seconds for which the response is fresh; 0: stored but stale; undefined: not stored. */
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
  ['a number of 16 digits cannot be parsed', { C: `max-age=${LONG}`, CC: 'max-age=60', fresh: 60 }],
  ['a member of a wrong type makes the field ignored', { C: 'max-age="6"', CC: 'max-age=60', fresh: 60 }],
  ['of equal names the last counts', { C: 'max-age=60, max-age=5;v=1', fresh: 5 }],
  ['Expires is ignored', { C: 'max-age=600', more: { expires: PAST }, fresh: 600 }],
  ['Age counts', { C: 'max-age=600', more: { age: '500' }, fresh: 100 }],
  ['a private cache stores private responses', { C: 'private, max-age=9', fresh: 9 }],
  ['a shared cache does not', { C: 'private, max-age=9', fresh: undefined, settings: { shared: true } }],
  ['a private cache ignores s-maxage', { C: 's-maxage=9, max-age=5', fresh: 5 }],
  ['a shared cache does not ignore it', { C: 's-maxage=9, max-age=5', fresh: 9, settings: { shared: true } }],
  [
    'without directives a lifetime is that of the settings',
    { C: 'none', CC: 'no-store', fresh: 30, settings: { expireAfter: 30 } },
  ],
  [
    'fields that are not listed have no effect',
    { C: 'max-age=600', CC: 'max-age=60', fresh: 60, settings: { targetedFields: [] } },
  ],
];

function describeTargetedFields(name: string, options: () => Promise<CacheOptions> | CacheOptions): void {
  describe(`targetedFields over ${name}`, () => {
    test.each(CASES)('%s', async (_, { A, C, CC, more, fresh, settings }) => {
      const headers = {
        ...(A === undefined ? {} : { 'app-cache-control': A }),
        ...(C === undefined ? {} : { 'cdn-cache-control': C }),
        ...(CC === undefined ? {} : { 'cache-control': CC }),
        ...more,
      };
      await using bench = await startBench(
        {
          ...(await options()),
          cacheControl: true,
          targetedFields: ['App-Cache-Control', 'CDN-Cache-Control'],
          ...settings,
        },
        (__, response, count) => sendJson(response, { count }, headers),
      );
      const { api, clock } = bench;
      const first = await api.get('/');
      // Targeted fields are passed on.
      expect(first.headers).toMatchObject(headers);
      expect(await api.cache.responseCount()).toBe(fresh === undefined ? 0 : 1);
      if (fresh === undefined) return;
      clock.advance(fresh - 0.5);
      expect((await api.get('/')).data).toEqual({ count: 1 });
      clock.advance(1);
      expect((await api.get('/')).data).toEqual({ count: 2 });
    });

    test('a 304 is merged, and the field chosen anew', async () => {
      await using bench = await startBench(
        { ...(await options()), cacheControl: true, targetedFields: ['CDN-Cache-Control'] },
        ({ headers }, response) => {
          const fields = { etag: '"1"', 'cache-control': 'max-age=1' };
          if (headers['if-none-match'] === undefined) sendJson(response, {}, fields);
          else response.writeHead(304, { ...fields, 'cdn-cache-control': 'max-age=600' }).end();
        },
      );
      const { api, clock, origin } = bench;
      await api.get('/');
      clock.advance(2);
      expect((await api.get('/')).revalidated).toBe(true);
      clock.advance(500);
      expect((await api.get('/')).fromCache).toBe(true);
      expect(origin.asked).toHaveLength(2);
    });
  });
}

describeTargetedFields('memory', () => ({}));
describe('in a file', () => {
  const folder = temporaryFolder();
  afterAll(async () => (await folder)[Symbol.asyncDispose]());
  describeTargetedFields('sqlite', async () => ({
    backend: 'sqlite',
    cacheName: path.join((await folder).path, randomBytes(4).toString('hex')),
  }));
});
describeService(redis, (server) => {
  describeTargetedFields('redis', () => ({
    backend: 'redis',
    cacheName: `targeted_${randomBytes(4).toString('hex')}`,
    backendOptions: { url: server().url },
  }));
});

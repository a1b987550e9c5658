import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { Bench } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';
import { benchOver, describeStores, type OptionsIn } from '../support/stores.js';

/** Clauses of RFC 9211, 8246, 5861, 9111 section 4.2.2 and 9110 section 12.5.4, and Lists of RFC 9651, end to end. */

type Fields = Record<string, string>;

const DAY = 86_400;
const daysAgo = ({ clock }: Bench, days: number) => new Date(clock.now() - days * DAY * 1000).toUTCString();

function clauseTests(options: OptionsIn): void {
  const withBench = benchOver(options);
  const answering =
    (fields: Fields, status = 200): Handler =>
    (_, response, count) =>
      void response.writeHead(status, { 'content-type': 'application/json', ...fields }).end(String(count));
  const get = ({ api }: Bench, config: AxiosRequestConfig = {}) => api.get('/', { validateStatus: null, ...config });

  describe('RFC 9211: Cache-Status', () => {
    test('the outcome is never both a hit and forwarded, and names no key; the field of the origin stays', async () => {
      const own = 'Origin; hit';
      const fields = { 'cache-control': 'max-age=10', etag: '"1"', 'cache-status': own };
      await withBench(
        { staleWhileRevalidate: true },
        async (bench) => {
          const outcomes: string[] = [];
          const ask = async (config: AxiosRequestConfig = {}) => {
            const { cacheStatus = '', headers, refreshed } = await get(bench, config);
            expect(headers['cache-status']).toBe(own);
            await refreshed;
            outcomes.push(cacheStatus.replace('axios-keyv-cache; ', ''));
          };
          await ask();
          await ask();
          bench.clock.advance(15);
          await ask();
          await ask({ refresh: true });
          await Promise.all([ask({ params: { a: 1 } }), ask({ params: { a: 1 } })]);
          expect(outcomes.slice(0, 4)).toEqual([
            'fwd=uri-miss; fwd-status=200; ttl=10; stored',
            'hit; ttl=10',
            'hit; ttl=-5; detail=stale-while-revalidate',
            'fwd=request; fwd-status=304; ttl=10; stored; detail=refresh',
          ]);
          expect(outcomes.slice(4).sort()).toEqual([
            'fwd=uri-miss; fwd-status=200; ttl=10; stored',
            'fwd=uri-miss; fwd-status=200; ttl=10; stored; collapsed',
          ]);
        },
        ({ headers }, response, count) => {
          if (headers['if-none-match'] === undefined) sendJson(response, count, fields);
          else response.writeHead(304, fields).end();
        },
      );
    });
  });

  describe('RFC 8246: immutable', () => {
    test.each<[string, Fields, Fields, number, string]>([
      [
        'max-age=0 is answered',
        { 'cache-control': 'max-age=60, immutable' },
        { 'cache-control': 'max-age=0' },
        0,
        'hit',
      ],
      [
        'no-cache is not',
        { 'cache-control': 'max-age=60, immutable' },
        { 'cache-control': 'no-cache' },
        0,
        'request-no-cache',
      ],
      [
        'an argument has no meaning',
        { 'cache-control': 'max-age=60, immutable=0' },
        { 'cache-control': 'max-age=0' },
        0,
        'hit',
      ],
      [
        'it has no meaning in requests',
        { 'cache-control': 'max-age=60' },
        { 'cache-control': 'max-age=0, immutable' },
        0,
        'request-max-age',
      ],
      ['a stale response is revalidated', { 'cache-control': 'max-age=60, immutable' }, {}, 61, 'fwd=stale'],
    ])('%s', async (_, fields, headers, seconds, expected) => {
      await withBench(
        {},
        async (bench) => {
          await get(bench);
          bench.clock.advance(seconds);
          expect((await get(bench, { headers })).cacheStatus).toContain(expected);
        },
        answering(fields),
      );
    });
  });

  describe('RFC 5861: max-age=600, stale-if-error=1200', () => {
    const fields = { 'cache-control': 'max-age=600, stale-if-error=1200' };

    test.each<[number, number | 'no connection', string, boolean]>([
      [900, 500, '', true],
      [900, 502, '', true],
      [900, 503, '', true],
      [900, 504, '', true],
      [900, 'no connection', '', true],
      [1_801, 503, '', false],
      [1_801, 'no connection', '', false],
      [900, 501, '', false],
      [900, 404, '', false],
      [900, 503, ', must-revalidate', false],
      [900, 'no connection', ', must-revalidate', false],
    ])('after %d s: %p%s', async (seconds, failure, more, isServed) => {
      await withBench(
        {},
        async (bench) => {
          await get(bench);
          bench.clock.advance(seconds);
          const asked = get(bench);
          if (isServed) expect(await asked).toMatchObject({ status: 200, data: 1, fromCache: true, isExpired: true });
          else if (failure === 'no connection') await expect(asked).rejects.toMatchObject({ code: 'ECONNRESET' });
          else expect((await asked).status).toBe(failure);
        },
        (_, response, count) => {
          const caching = { 'cache-control': fields['cache-control'] + more };
          if (count === 1) sendJson(response, 1, caching);
          else if (failure === 'no connection') response.destroy();
          else response.writeHead(failure).end();
        },
      );
    });

    test('stale-while-revalidate serves stale that long, and refreshes without waiting', async () => {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      await withBench(
        {},
        async (bench) => {
          await get(bench);
          bench.clock.advance(40);
          const stale = await get(bench);
          expect(stale).toMatchObject({ data: 1, isExpired: true });
          release();
          expect(await stale.refreshed).toMatchObject({ data: 2 });
          bench.clock.advance(41);
          expect((await get(bench)).data).toBe(3);
        },
        async (_, response, count) => {
          if (count === 2) await held;
          sendJson(response, count, { 'cache-control': 'max-age=10, stale-while-revalidate=30' });
        },
      );
    });
  });

  describe('RFC 9111 section 4.2.2: heuristic lifetimes', () => {
    test.each<[string, (bench: Bench) => Fields, number, string, number | undefined]>([
      ['Last-Modified 10 days ago', (bench) => ({ 'last-modified': daysAgo(bench, 10) }), 200, '/', DAY],
      ['the same with a query', (bench) => ({ 'last-modified': daysAgo(bench, 10) }), 200, '/?a=1', DAY],
      ['Last-Modified in the future', (bench) => ({ 'last-modified': daysAgo(bench, -1) }), 200, '/', 0],
      ['Last-Modified of 1971', () => ({ 'last-modified': 'Fri, 01 Jan 1971 00:00:00 GMT' }), 200, '/', 7 * DAY],
      ['Last-Modified of 1970', () => ({ 'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT' }), 200, '/', 0],
      ['max-age=0', (bench) => ({ 'last-modified': daysAgo(bench, 10), 'cache-control': 'max-age=0' }), 200, '/', 0],
      ['Expires: 0', (bench) => ({ 'last-modified': daysAgo(bench, 10), expires: '0' }), 200, '/', 0],
      ['a 302', (bench) => ({ 'last-modified': daysAgo(bench, 10) }), 302, '/', undefined],
      [
        'a 302 with public',
        (bench) => ({ 'last-modified': daysAgo(bench, 10), 'cache-control': 'public' }),
        302,
        '/',
        DAY,
      ],
    ])('%s', async (_, fieldsOf, status, url, seconds) => {
      let fields: Fields = {};
      await withBench(
        {},
        async (bench) => {
          fields = fieldsOf(bench);
          const { expires } = await get(bench, { url });
          const lifetime = expires instanceof Date ? (expires.getTime() - bench.clock.now()) / 1000 : undefined;
          // HTTP-dates have whole seconds.
          if (seconds === undefined) expect(lifetime).toBeUndefined();
          else expect(Math.abs((lifetime ?? Number.NaN) - seconds)).toBeLessThan(1);
          expect((await get(bench, { url })).fromCache).toBe((seconds ?? 0) > 0);
        },
        (_asked, response, count) =>
          void response.writeHead(status, { 'content-type': 'application/json', ...fields }).end(String(count)),
      );
    });
  });

  describe('RFC 9110 section 12.5.4: languages', () => {
    test.each([
      ['en;q=.5, de', 'DE,en;q=0.5', true],
      ['en, de', 'de, en', false],
    ])('%p and %p select one variant: %p', async (one, two, isHit) => {
      await withBench(
        {},
        async (bench) => {
          await get(bench, { headers: { 'Accept-Language': one } });
          expect((await get(bench, { headers: { 'Accept-Language': two } })).fromCache).toBe(isHit);
          expect((await get(bench, { headers: { 'Accept-Language': one } })).fromCache).toBe(true);
        },
        answering({ 'cache-control': 'max-age=60', vary: 'Accept-Language' }),
      );
    });
  });

  describe('RFC 9651: Cache-Groups as a List of Strings', () => {
    test.each<[string | string[], string[], string[]]>([
      ['"a", "b";x=1', ['a', 'b'], ['A', 'x']],
      ['"a", "b";x=1, c', [], ['a', 'b', 'c']],
      ['("a" "b")', [], ['a', 'b']],
      ['"a", 1', [], ['a']],
      ['"a", @1', [], ['a']],
      ['"a",', [], ['a']],
      ["'a'", [], ['a']],
      ['"a" "b"', [], ['a', 'b']],
      ['"a\u00e9"', [], ['a']],
      ['"a\tb"', [], ['a']],
      ['"a", "A"', ['a', 'A'], []],
      [['"a"', '"A"'], ['a', 'A'], []],
      [['"a"', 'b'], [], ['a', 'b']],
    ])('%j has the groups %j, and not %j', async (field, groups, others) => {
      await withBench(
        {},
        async (bench) => {
          for (const group of [...others, ...groups]) {
            await get(bench);
            await bench.api.post('/changed', group);
            expect([group, (await get(bench)).fromCache]).toEqual([group, others.includes(group)]);
          }
        },
        ({ method, body }, response, count) => {
          const fields = method === 'POST' ? { 'cache-group-invalidation': `"${body}"` } : { 'cache-groups': field };
          response.writeHead(200, { 'cache-control': 'max-age=60', ...fields }).end(String(count));
        },
      );
    });
  });
}

describeStores(clauseTests);

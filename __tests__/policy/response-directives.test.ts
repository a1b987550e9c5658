import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../lib/policy/decide.js';
import { freshnessOf } from '../../lib/policy/lifetime.js';
import { responseDirectives } from '../../lib/policy/response-directives.js';
import type { Rules } from '../../lib/policy/rules.js';
import { mayServeOnError } from '../../lib/policy/stale.js';
import { storageObstacle, storedFields } from '../../lib/policy/storable.js';
import { freshen } from '../../lib/policy/validation.js';
import { httpDate, NOW, request, response, rules, stored } from '../support/messages.js';

type Headers = Record<string, unknown>;

const TARGETED: Partial<Rules> = { targetedFields: ['app-cache-control', 'cdn-cache-control'] };
const TIMES = { requestTime: NOW, responseTime: NOW };
const LATER = NOW + 90_000;

/** Returns fields: A is App-Cache-Control, C is CDN-Cache-Control, CC is Cache-Control. */
function headersOf({ A, C, CC, ...others }: Headers): Headers {
  return { 'app-cache-control': A, 'cdn-cache-control': C, 'cache-control': CC, ...others };
}

/** Returns the seconds of freshness of a response, or the reason for not storing it. */
function outcome(headers: Headers, changes: Partial<Rules> = {}, set?: { seconds: number }): number | string {
  const all = rules({ ...TARGETED, ...changes });
  const message = response(headersOf(headers));
  const obstacle = storageObstacle(request(), message, all, set);
  return obstacle ?? ((freshnessOf(message, all, set, TIMES)?.staleAt ?? Number.NaN) - NOW) / 1000;
}

describe('RFC 9213 section 2.2: the first valid field that is not empty decides alone', () => {
  const EXPIRES = { expires: httpDate(300) };
  const SHARED = { shared: true };

  test.each<[Headers, Partial<Rules>, number | string]>([
    [{ C: 'max-age=600', CC: 'no-store' }, {}, 600],
    [{ C: 'no-store', CC: 'max-age=60' }, {}, 'no-store'],
    [{ A: 'max-age=1', C: 'max-age=600' }, {}, 1],
    [{ A: '', C: 'max-age=6' }, {}, 6],
    [{ A: '&&&', C: 'max-age=6' }, {}, 6],
    [{ C: 'max-age=600, &&&', CC: 'max-age=60' }, {}, 60],
    [{ C: 'MAX-AGE=6', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age = 6', CC: 'max-age=60' }, {}, 60],
    [{ C: `max-age=${'9'.repeat(16)}`, CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age="6"', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=6.5', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=-1', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=6, no-store=?0', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=6, no-cache=x', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=6, private=("a")', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=60, max-age=5;v=1' }, {}, 5],
    [{ C: ['max-age=60', 'max-age=5'] }, {}, 5],
    [{ C: ['max-age=6', '&'], CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=600, unknown=x, other=("a" 1)' }, {}, 600],
    [{ C: 'max-age=600', expires: httpDate(-5) }, {}, 600],
    [{ C: 'max-age=600', expires: httpDate(-5), age: '1800' }, {}, -1_200],
    [{ C: 'private, max-age=9' }, {}, 9],
    [{ C: 'private, max-age=9' }, SHARED, 'private'],
    [{ C: 's-maxage=9, max-age=5' }, SHARED, 9],
    [{ C: 's-maxage=9, max-age=5' }, {}, 5],
    [{ C: 'none', CC: 'no-store', ...EXPIRES }, {}, 'no-lifetime'],
    [{ C: 'none', CC: 'no-store', etag: '"a"', ...EXPIRES }, {}, 0],
    [{ C: 'none', 'last-modified': httpDate(-1_000), ...EXPIRES }, {}, 100],
    [{ 'surrogate-cache-control': 'max-age=5', CC: 'max-age=60' }, {}, 60],
    [{ C: 'max-age=600', CC: 'max-age=60' }, { targetedFields: [] }, 60],
  ])('%j, %j: %p', (headers, changes, expected) => {
    expect(outcome(headers, changes)).toBe(expected);
  });

  test('a field without a lifetime leaves it to the setting', () => {
    expect(outcome({ C: 'none', CC: 'max-age=60', ...EXPIRES }, {}, { seconds: 7 })).toBe(7);
  });

  test('a targeted field does not apply without cacheControl', () => {
    expect(outcome({ C: 'no-store' }, { cacheControl: false }, { seconds: 7 })).toBe(7);
  });
});

describe('every reader uses the same directives', () => {
  const decided = (headers: Headers, now: number, changes: Partial<Rules> = {}) =>
    decide(request(), stored(headersOf({ etag: '"a"', ...headers })), rules({ ...TARGETED, ...changes }), now).reason;

  test('no-cache', () => {
    expect(decided({ C: 'no-cache', CC: 'max-age=60' }, NOW)).toBe('no-cache');
    expect(decided({ C: 'max-age=60', CC: 'no-cache' }, NOW)).toBe('fresh');
  });

  test('immutable', () => {
    const always = { alwaysRevalidate: true };
    expect(decided({ C: 'immutable', CC: 'max-age=60' }, NOW, always)).toBe('fresh');
    expect(decided({ C: 'max-age=60', CC: 'immutable' }, NOW, always)).toBe('always-revalidate');
  });

  test('stale-while-revalidate and must-revalidate', () => {
    expect(decided({ C: 'stale-while-revalidate=60', CC: 'must-revalidate' }, LATER)).toBe('stale-while-revalidate');
    expect(decided({ C: 'must-revalidate', CC: 'stale-while-revalidate=60' }, LATER)).toBe('stale');
  });

  test('stale-if-error', () => {
    const serves = (headers: Headers) =>
      mayServeOnError(request(), stored(headersOf(headers)), { status: 503 }, rules(TARGETED), LATER);
    expect(serves({ C: 'stale-if-error=60', CC: 'must-revalidate' })).toBe(true);
    expect(serves({ C: 'max-age=60', CC: 'stale-if-error=60' })).toBe(false);
  });

  test('Authorization in a shared cache', () => {
    const reason = (headers: Headers) =>
      storageObstacle(
        request({ authorization: 'Basic x' }),
        response(headersOf(headers)),
        rules({ ...TARGETED, shared: true }),
        undefined,
      ) ?? 'storable';
    expect(reason({ C: 'public, max-age=60', CC: 'no-store' })).toBe('storable');
    expect(reason({ C: 'max-age=60', CC: 'public, max-age=60' })).toBe('authorization');
  });

  test('must-understand', () => {
    const reason = (headers: Headers, status: number) =>
      storageObstacle(request(), response(headersOf(headers), status), rules(TARGETED), undefined) ?? 'storable';
    expect(reason({ C: 'must-understand, max-age=60' }, 299)).toBe('must-understand');
    expect(reason({ C: 'max-age=60', CC: 'must-understand' }, 299)).toBe('storable');
  });

  test('field names in no-cache', () => {
    const { headers } = response(headersOf({ C: 'no-cache="x-a"', CC: 'no-cache="x-b"', 'x-a': '1', 'x-b': '2' }));
    expect(Object.keys(storedFields(headers, rules(TARGETED)))).toEqual(['cdn-cache-control', 'cache-control', 'x-b']);
  });

  test('a 304 is merged first, then a field is chosen anew', () => {
    const before = response(headersOf({ CC: 'max-age=60' })).headers;
    const after = freshen(before, response(headersOf({ C: 'max-age=5' })).headers);
    expect(freshnessOf({ status: 200, headers: after }, rules(TARGETED), undefined, TIMES)?.staleAt).toBe(NOW + 5_000);
  });
});

test('the same headers are read anew for other names', () => {
  const { headers } = response(headersOf({ A: 'max-age=1', C: 'max-age=2', CC: 'max-age=3' }));
  const maxAge = (targetedFields: string[]) =>
    responseDirectives(headers, { targetedFields }).directives.get('max-age');
  expect([maxAge(['app-cache-control']), maxAge(['cdn-cache-control']), maxAge([])]).toEqual(['1', '2', '3']);
});

test('never throws, whatever the field is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(() => outcome({ A: value, C: value, CC: value })).not.toThrow();
    }),
  );
});

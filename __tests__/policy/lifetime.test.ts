import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Expiration } from '../../lib/policy/expiration.js';
import { allowsHeuristics, explicitLifetime, freshnessOf } from '../../lib/policy/lifetime.js';
import { httpDate, MINUTE, NOW, response } from '../support/messages.js';

const TIMES = { requestTime: NOW, responseTime: NOW };
const DAY = 86_400;
const RULES = { cacheControl: true, shared: true, targetedFields: [] };

describe('RFC 9111 section 4.2.1: explicit lifetimes', () => {
  test.each<[string, Record<string, unknown>, number | undefined]>([
    ['nothing', {}, undefined],
    ['max-age', { 'cache-control': 'max-age=60' }, 60],
    ['max-age over Expires', { 'cache-control': 'max-age=60', expires: httpDate(-5) }, 60],
    ['max-age=0 over Expires', { 'cache-control': 'max-age=0', expires: httpDate(500) }, 0],
    ['a malformed max-age over Expires', { 'cache-control': 'max-age=x', expires: httpDate(500) }, 0],
    ['s-maxage, which is for shared caches', { 'cache-control': 's-maxage=60' }, undefined],
    ['s-maxage beside max-age', { 'cache-control': 's-maxage=60, max-age=1' }, 1],
    ['Expires, against Date', { expires: httpDate(100), date: httpDate(40) }, 60],
    ['Expires, the clocks apart', { expires: httpDate(-1_000), date: httpDate(-1_060) }, 60],
    ['Expires before Date', { expires: httpDate(300), date: httpDate(400) }, -100],
    ['Expires without Date', { expires: httpDate(60) }, 60],
    ['Expires, and a Date that is none', { expires: httpDate(60), date: 'foo' }, 60],
    ['Expires in RFC 850 form', { expires: 'Thursday, 01-Jan-26 12:01:00 GMT' }, 60],
    ['Expires in asctime form', { expires: 'Thu Jan  1 12:01:00 2026' }, 60],
    ['Expires: 0', { expires: '0' }, 0],
    ['Expires: -1', { expires: '-1' }, 0],
    ['Expires, empty', { expires: '' }, 0],
    ['Expires twice', { expires: [httpDate(60), httpDate(60)] }, 0],
    ['Expires in UTC', { expires: httpDate(60).replace('GMT', 'UTC') }, 0],
  ])('%s', (_, headers, expected) => {
    expect(explicitLifetime(response(headers), { shared: false, targetedFields: [] }, NOW)).toBe(expected);
  });

  test.each([
    ['s-maxage=60', 60],
    ['s-maxage=60, max-age=1', 60],
    ['s-maxage=1, max-age=60', 1],
    ['s-maxage=x, max-age=60', 0],
    ['max-age=60', 60],
  ])('a shared cache: %p', (cacheControl, expected) => {
    expect(
      explicitLifetime(response({ 'cache-control': cacheControl }), { shared: true, targetedFields: [] }, NOW),
    ).toBe(expected);
  });
});

describe('RFC 9111 section 4.2.2: which statuses may have a heuristic lifetime', () => {
  test.each([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])('%d may', (status) => {
    expect(allowsHeuristics(response({}, status), RULES)).toBe(true);
  });

  test.each([201, 202, 299, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599])('%d may if it is public', (status) => {
    expect(allowsHeuristics(response({}, status), RULES)).toBe(false);
    expect(allowsHeuristics(response({ 'cache-control': 'public' }, status), RULES)).toBe(true);
  });
});

/** Seconds until the response expires. */
function lifeOf(
  headers: Record<string, unknown>,
  set?: Expiration,
  { status = 200, cacheControl = true, shared = false, requestTime = NOW } = {},
): number | undefined {
  const times = { requestTime, responseTime: NOW };
  const life = freshnessOf(response(headers, status), { cacheControl, shared, targetedFields: [] }, set, times);
  return life && (life.staleAt - NOW) / 1000;
}

describe('RFC 9111 section 4.2.2: 10 % of the time since the last modification', () => {
  test.each<[string, Record<string, unknown>, number]>([
    ['a day ago', { 'last-modified': httpDate(-DAY), date: httpDate(0) }, DAY / 10],
    ['a day before Date', { 'last-modified': httpDate(-DAY - 50), date: httpDate(-50) }, DAY / 10 - 50],
    ['without Date', { 'last-modified': httpDate(-100) }, 10],
    ['in the future', { 'last-modified': httpDate(100) }, 0],
    ['70 days ago', { 'last-modified': httpDate(-70 * DAY) }, 7 * DAY],
    ['71 days ago: at most 7 days', { 'last-modified': httpDate(-71 * DAY) }, 7 * DAY],
    ['in 1980', { 'last-modified': 'Tue, 01 Jan 1980 00:00:00 GMT' }, 7 * DAY],
    ['at the epoch', { 'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    ['before the epoch', { 'last-modified': 'Wed, 31 Dec 1969 23:59:59 GMT' }, 0],
    ['one second after it', { 'last-modified': 'Thu, 01 Jan 1970 00:00:01 GMT' }, 7 * DAY],
    ['no date', { 'last-modified': 'yesterday' }, 0],
    ['absent', {}, 0],
  ])('%s', (_, headers, expected) => {
    expect(lifeOf(headers)).toBe(expected);
  });

  test.each<[string, Record<string, unknown>]>([
    ['max-age=0', { 'cache-control': 'max-age=0' }],
    ['Expires: 0', { expires: '0' }],
  ])('not beside an explicit lifetime: %s', (_, headers) => {
    expect(lifeOf({ 'last-modified': httpDate(-DAY), ...headers })).toBe(0);
  });

  test('not for other statuses', () => {
    expect(lifeOf({ 'last-modified': httpDate(-DAY) }, undefined, { status: 503 })).toBe(0);
  });
});

describe('precedence: headers, settings, heuristics', () => {
  const modified = { 'last-modified': httpDate(-1_000) };

  test.each<[string, Record<string, unknown>, Expiration | undefined, number | undefined]>([
    ['headers over what is set', { 'cache-control': 'max-age=5' }, MINUTE, 5],
    ['headers over "never expires"', { 'cache-control': 'max-age=5' }, { seconds: Number.POSITIVE_INFINITY }, 5],
    ['headers over an instant', { expires: httpDate(5) }, { at: NOW + 60_000 }, 5],
    ['what is set over heuristics', modified, MINUTE, 60],
    ['an instant over heuristics', modified, { at: NOW + 5_000 }, 5],
    ['heuristics at last', modified, undefined, 100],
    ['"do not cache" over headers', { 'cache-control': 'max-age=5' }, { seconds: 0 }, undefined],
    ['only validators: usable when confirmed', { etag: '"a"' }, undefined, 0],
  ])('%s', (_, headers, set, expected) => {
    expect(lifeOf(headers, set)).toBe(expected);
  });

  test('without cacheControl headers are ignored', () => {
    const headers = { 'cache-control': 'max-age=5', age: '3', expires: '0' };
    expect(lifeOf(headers, MINUTE, { cacheControl: false })).toBe(60);
    expect(lifeOf(headers, undefined, { cacheControl: false })).toBe(Number.POSITIVE_INFINITY);
    expect(lifeOf(headers, { seconds: 0 }, { cacheControl: false })).toBeUndefined();
  });
});

describe('RFC 9111 section 4.2.3: the age reduces the lifetime', () => {
  test.each<[string, Record<string, unknown>, number, number]>([
    ['Age', { 'cache-control': 'max-age=60', age: '20' }, 0, 40],
    ['an Age beyond it', { 'cache-control': 'max-age=10', age: '15' }, 0, -5],
    ['a slow Date', { expires: httpDate(10), date: httpDate(-10), age: '25' }, 0, -5],
    ['a fast Date', { expires: httpDate(20), date: httpDate(10), age: '15' }, 0, -5],
    ['the delay of the response', { 'cache-control': 'max-age=60' }, 7, 53],
  ])('%s', (_, headers, delay, expected) => {
    expect(lifeOf(headers, undefined, { requestTime: NOW - delay * 1000 })).toBe(expected);
  });

  test('a setting counts from the receipt, whatever the age', () => {
    const life = freshnessOf(
      response({ age: '20' }),
      { cacheControl: true, shared: false, targetedFields: [] },
      MINUTE,
      TIMES,
    );
    expect(life).toEqual({ staleAt: NOW + 60_000, initialAge: 20 });
  });
});

test('whatever the headers are, a lifetime is a number of milliseconds', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('max-age=1', httpDate(0), '0', 'public'));
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      const headers = { 'cache-control': a, expires: b, 'last-modified': c, date: a, age: b };
      expect(Number.isSafeInteger(freshnessOf(response(headers), RULES, undefined, TIMES)?.staleAt)).toBe(true);
    }),
  );
});

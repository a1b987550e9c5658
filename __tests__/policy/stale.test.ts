import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Rules } from '../../lib/policy/rules.js';
import {
  mayServeOnError,
  mayServeWhileRevalidating,
  prohibitsStale,
  staleness,
  staleOnError,
} from '../../lib/policy/stale.js';
import { NOW, request, rules, stored } from '../support/messages.js';

const FOR_EVER = { limit: Number.POSITIVE_INFINITY };
/** Half a minute after the stored response went stale. */
const LATER = NOW + 90_000;

function storedWith(cacheControl: string | undefined) {
  return stored({ 'cache-control': cacheControl });
}

test.each([
  [0, 0],
  [60, 0],
  [61, 1],
  [90, 30],
])('staleness after %d seconds is %d', (after, expected) => {
  expect(staleness(stored(), NOW + after * 1000)).toBe(expected);
  expect(staleness(stored({}, { staleAt: Number.POSITIVE_INFINITY }), NOW + after * 1000)).toBe(0);
});

describe('RFC 9111 section 4.2.4: which directives prohibit stale responses', () => {
  test.each<[string, boolean, boolean]>([
    ['max-age=60', false, false],
    ['must-revalidate', true, true],
    ['no-cache', true, true],
    ['no-cache="a"', false, false],
    ['no-cache="a', true, true],
    ['proxy-revalidate', false, true],
    ['s-maxage=60', false, true],
  ])('%p: private %p, shared %p', (cacheControl, isPrivate, isShared) => {
    const response = storedWith(cacheControl);
    expect([
      prohibitsStale(response, rules({ shared: false })),
      prohibitsStale(response, rules({ shared: true })),
    ]).toEqual([isPrivate, isShared]);
  });
});

function serves(
  cacheControl: string | undefined,
  status: number | undefined,
  changes: Partial<Rules>,
  asked: Record<string, unknown> = {},
  now = LATER,
): boolean {
  const failure = status === undefined ? {} : { status };
  return mayServeOnError(request(asked), storedWith(cacheControl), failure, rules(changes), now);
}

describe('RFC 5861 section 4: settings, request and response allow it up to a staleness', () => {
  test.each<[string, string | undefined, Partial<Rules>, Record<string, unknown>, boolean]>([
    ['nobody', undefined, {}, {}, false],
    ['the setting', undefined, { staleIfError: FOR_EVER }, {}, true],
    ['the setting, long enough', undefined, { staleIfError: { limit: 30 } }, {}, true],
    ['the setting, not long enough', undefined, { staleIfError: { limit: 29 } }, {}, false],
    ['the response', 'stale-if-error=30', {}, {}, true],
    ['the response, not long enough', 'stale-if-error=29', {}, {}, false],
    ['the response, malformed', 'stale-if-error=x', {}, {}, false],
    ['the request', undefined, {}, { 'cache-control': 'stale-if-error=30' }, true],
    ['the request, not long enough', undefined, {}, { 'cache-control': 'stale-if-error=29' }, false],
    ['the longest of them', 'stale-if-error=1', { staleIfError: { limit: 30 } }, {}, true],
    ['not over must-revalidate', 'must-revalidate, stale-if-error=60', { staleIfError: FOR_EVER }, {}, false],
    ['not over no-cache', 'no-cache, stale-if-error=60', { staleIfError: FOR_EVER }, {}, false],
    ['not over s-maxage, shared', 's-maxage=1', { staleIfError: FOR_EVER, shared: true }, {}, false],
    ['over s-maxage, private', 's-maxage=1', { staleIfError: FOR_EVER }, {}, true],
  ])('%s', (_, cacheControl, changes, asked, expected) => {
    expect(serves(cacheControl, 503, changes, asked)).toBe(expected);
    expect(serves(cacheControl, undefined, changes, asked)).toBe(expected);
  });

  test('without cacheControl only the setting counts', () => {
    const off = { cacheControl: false };
    expect(serves('stale-if-error=60', 503, off, { 'cache-control': 'stale-if-error=60' })).toBe(false);
    expect(serves('must-revalidate', 503, { ...off, staleIfError: FOR_EVER })).toBe(true);
  });
});

describe('a stored response that settings allow, and that prohibits being served stale, is the cause of the refusal', () => {
  test.each<[string, Partial<Rules>, number, string]>([
    ['must-revalidate', { staleIfError: FOR_EVER }, 503, 'prohibited'],
    ['no-cache', { staleIfError: FOR_EVER }, 503, 'prohibited'],
    ['must-revalidate, stale-if-error=60', {}, 503, 'prohibited'],
    ['s-maxage=1', { staleIfError: FOR_EVER, shared: true }, 503, 'prohibited'],
    ['must-revalidate', {}, 503, 'not-allowed'],
    ['must-revalidate', { staleIfError: { limit: 29 } }, 503, 'not-allowed'],
    ['must-revalidate', { staleIfError: FOR_EVER }, 404, 'not-allowed'],
    ['max-age=1', { staleIfError: FOR_EVER }, 503, 'allowed'],
  ])('%p, %p, %d: %s', (cacheControl, changes, status, expected) => {
    expect(staleOnError(request(), storedWith(cacheControl), { status }, rules(changes), LATER)).toBe(expected);
  });

  test('not after an invalidation', () => {
    const message = stored({ 'cache-control': 'must-revalidate' }, { isInvalidated: true });
    expect(staleOnError(request(), message, {}, rules({ staleIfError: FOR_EVER }), LATER)).toBe('not-allowed');
  });
});

describe('a failed refresh of a fresh response', () => {
  test.each<[string | undefined, boolean]>([
    [undefined, true],
    ['must-revalidate', true],
    ['no-cache', false],
  ])('%p: %p', (cacheControl, expected) => {
    expect(serves(cacheControl, 503, { staleIfError: { limit: 0 } }, {}, NOW)).toBe(expected);
    expect(serves(cacheControl, 503, {}, {}, NOW)).toBe(false);
  });
});

describe('which statuses are failures', () => {
  const limit = Number.POSITIVE_INFINITY;

  test.each<[string, Partial<Rules>, readonly number[], readonly number[]]>([
    ['with cacheControl those of RFC 5861', {}, [500, 502, 503, 504], [200, 304, 400, 404, 429, 499, 501, 505, 599]],
    [
      'otherwise 4xx and 5xx, but for those about the caller or the resource',
      { cacheControl: false },
      [400, 404, 408, 429, 500, 503],
      [200, 304, 401, 403, 407, 410],
    ],
    [
      'not those that may be cached',
      { cacheControl: false, allowableCodes: new Set([200, 404, 500]) },
      [400, 502],
      [404, 500],
    ],
    ['with cacheControl not those that may be cached', { allowableCodes: new Set([503]) }, [500], [503]],
    [
      'with cacheControl `codes` replaces the list too',
      { staleIfError: { limit, codes: new Set([404]) } },
      [404],
      [500, 503],
    ],
    [
      '`codes` replaces the list and its exceptions',
      { cacheControl: false, allowableCodes: new Set([500]), staleIfError: { limit, codes: new Set([401, 500]) } },
      [401, 500],
      [400, 502],
    ],
  ])('%s', (_, changes, failures, others) => {
    const all = { staleIfError: { limit }, ...changes };
    expect(failures.filter((status) => !serves(undefined, status, all))).toEqual([]);
    expect(others.filter((status) => serves(undefined, status, all))).toEqual([]);
  });
});

describe('RFC 5861 section 4: the examples', () => {
  const message = (now: number, status?: number) =>
    serves('max-age=600, stale-if-error=1200', status, {}, {}, NOW + now * 1000 - 540_000);

  test.each<[number, number | undefined, boolean]>([
    [900, 500, true],
    [900, 502, true],
    [900, 503, true],
    [900, 504, true],
    [900, undefined, true],
    [900, 501, false],
    [900, 404, false],
    [1_801, 500, false],
    [1_801, undefined, false],
  ])('after %d s, status %p: %p', (after, status, expected) => {
    expect(message(after, status)).toBe(expected);
  });
});

describe('networkFirst answers failures as `oldDataOnError: true` does', () => {
  test.each<[string, string | undefined, Partial<Rules>, boolean]>([
    ['by itself', undefined, {}, true],
    ['without cacheControl', undefined, { cacheControl: false }, true],
    ['within the limit of oldDataOnError', undefined, { staleIfError: { limit: 30 } }, true],
    ['not beyond it', undefined, { staleIfError: { limit: 29 } }, false],
    ['not over must-revalidate', 'must-revalidate', {}, false],
  ])('%s', (_, cacheControl, changes, expected) => {
    const networkFirst = Number.POSITIVE_INFINITY;
    expect(serves(cacheControl, 503, { networkFirst, ...changes })).toBe(expected);
    expect(serves(cacheControl, undefined, { networkFirst, ...changes })).toBe(expected);
  });
});

test('RFC 9111 section 3.3: a stored part does not replace the whole', () => {
  const part = stored({ 'content-range': 'bytes 0-9/20' }, { status: 206 });
  const lenient = rules({ staleIfError: FOR_EVER });
  expect(mayServeOnError(request(), part, {}, lenient, LATER)).toBe(false);
  expect(mayServeOnError(request({ range: 'bytes=0-5' }), part, {}, lenient, LATER)).toBe(true);
});

describe('RFC 5861 section 3: serving stale during a refresh', () => {
  test.each<[string | undefined, Partial<Rules>, boolean]>([
    [undefined, {}, false],
    [undefined, { staleWhileRevalidate: 30 }, true],
    [undefined, { staleWhileRevalidate: 29 }, false],
    [undefined, { staleWhileRevalidate: Number.POSITIVE_INFINITY }, true],
    ['stale-while-revalidate=30', {}, true],
    ['stale-while-revalidate=29', {}, false],
    ['stale-while-revalidate=x', {}, false],
    ['stale-while-revalidate=1', { staleWhileRevalidate: 30 }, true],
    ['stale-while-revalidate=30', { cacheControl: false }, false],
    ['must-revalidate', { staleWhileRevalidate: 30 }, false],
    ['must-revalidate', { staleWhileRevalidate: 30, cacheControl: false }, true],
    ['proxy-revalidate', { staleWhileRevalidate: 30, shared: true }, false],
  ])('%p, %p: %p', (cacheControl, changes, expected) => {
    expect(mayServeWhileRevalidating(storedWith(cacheControl), rules(changes), LATER)).toBe(expected);
  });
});

test('never throws, whatever the headers are', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (asked, said) => {
      const cacheControl = `stale-if-error=${said}, ${said}`;
      expect(typeof serves(cacheControl, 503, {}, { 'cache-control': asked, range: asked })).toBe('boolean');
      expect(typeof mayServeWhileRevalidating(storedWith(said), rules(), LATER)).toBe('boolean');
    }),
  );
});

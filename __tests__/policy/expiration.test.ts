import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { expiresAt, isDoNotCache, parseExpiration } from '../../lib/policy/expiration.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600;

describe('durations', () => {
  test.each<[unknown, number]>([
    [-1, Infinity],
    [Infinity, Infinity],
    [0, 0],
    [1.5, 1.5],
    [60, 60],
    ['30s', 30],
    ['5m', 300],
    ['1h30m', 5_400],
    ['1h 30m', 5_400],
    ['2d', 172_800],
    ['1w', 604_800],
    ['250ms', 0.25],
    ['1.5h', 5_400],
    ['PT5M', 300],
    ['P1D', 86_400],
    ['P1DT12H', 129_600],
    ['P1M', 2_592_000],
    ['P1Y', 31_536_000],
    ['PT0.5S', 0.5],
    [{ hours: 1, minutes: 30 }, 5_400],
    [{ days: 1, milliseconds: 500 }, 86_400.5],
    [{ seconds: 0 }, 0],
  ])('%p is %d seconds', (value, seconds) => {
    expect(parseExpiration(value)).toEqual({ seconds });
  });
});

describe('instants', () => {
  test.each<[unknown, string]>([
    [new Date(NOW), '2026-01-01T00:00:00.000Z'],
    ['2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T12:30', '2026-01-01T12:30:00.000Z'],
    ['2026-01-01 12:30:15.5', '2026-01-01T12:30:15.500Z'],
    ['2026-01-01T12:00:00+02:00', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T12:00:00-0130', '2026-01-01T13:30:00.000Z'],
    ['Thu, 01 Jan 2026 00:00:00 GMT', '2026-01-01T00:00:00.000Z'],
    ['Thursday, 01-Jan-26 00:00:00 GMT', '2026-01-01T00:00:00.000Z'],
    ['Thu Jan  1 00:00:00 2026', '2026-01-01T00:00:00.000Z'],
  ])('%p', (value, iso) => {
    expect(parseExpiration(value)).toEqual({ at: Date.parse(iso) });
  });
});

describe('other values throw, and the message shows them', () => {
  test.each<[unknown, string]>([
    ['60', '"60"'],
    ['', '""'],
    ['   ', '"   "'],
    ['tomorrow', '"tomorrow"'],
    ['2026-02-30', '"2026-02-30"'],
    ['2026-13-01', '"2026-13-01"'],
    ['P', '"P"'],
    ['PT', '"PT"'],
    ['5m1h', '"5m1h"'],
    [-2, '-2'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [{}, '{}'],
    [{ hour: 1 }, '{"hour":1}'],
    [{ hours: '1' }, '{"hours":"1"}'],
    [{ hours: -1 }, '{"hours":-1}'],
    [new Date('no'), 'an invalid Date'],
    [null, 'null'],
    [true, 'true'],
    [10n, '10n'],
    ['9'.repeat(500), ''],
  ])('%p', (value, shown) => {
    expect(() => parseExpiration(value, 'expireAfter')).toThrow(TypeError);
    expect(() => parseExpiration(value, 'expireAfter')).toThrow(`expireAfter: ${shown}`);
    expect(() => parseExpiration(value, 'expireAfter')).toThrow(/expected seconds \(-1 for never/);
  });
});

test('undefined means not set here', () => {
  expect(parseExpiration(undefined)).toBeUndefined();
});

test('only own members of a duration object count', () => {
  const polluted = Object.create({ hours: 1 }) as object;
  expect(() => parseExpiration(polluted)).toThrow(TypeError);
});

test('only zero seconds mean DO_NOT_CACHE', () => {
  expect([{ seconds: 0 }, { seconds: 0.001 }, { at: 0 }].map(isDoNotCache)).toEqual([true, false, false]);
});

describe('expiresAt', () => {
  test.each([
    [{ seconds: HOUR }, NOW + HOUR * 1000],
    [{ seconds: 0.0001 }, NOW + 1],
    [{ seconds: Infinity }, Infinity],
    [{ seconds: 1e15 }, Infinity],
    [{ at: 5.5 }, 5],
  ])('%p', (expiration, at) => {
    expect(expiresAt(expiration, NOW)).toBe(at);
  });
});

test('a Date of another realm is a Date', () => {
  const at = runInNewContext('new Date(86400000)');
  expect(at instanceof Date).toBe(false);
  expect(parseExpiration(at)).toEqual({ at: 86_400_000 });
});

import { describe, expect, test } from '@jest/globals';
import { lifetimeHint, waitHint } from '../../lib/policy/units.js';

describe('lifetimes', () => {
  test.each([
    60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 86_400_000, 604_800_000, 2_592_000_000,
  ])('%d is a usual number of milliseconds', (value) => {
    expect(lifetimeHint('expireAfter', value)).toBe(
      `expireAfter: ${value} is ${Math.round(value / 8_640) / 10} days, since numbers are seconds; write "${value / 60_000}m" if milliseconds were meant`,
    );
  });

  test.each([
    [-1, 0, 1, 60, 300, 600, 3_600, 7_200, 43_200],
    [86_400, 172_800, 259_200, 432_000, 604_800, 864_000, 1_209_600, 2_592_000, 5_184_000, 7_776_000, 31_536_000],
    [Number.POSITIVE_INFINITY, Number.NaN, '60000', { minutes: 60_000 }, undefined],
  ])('%p and others are usual numbers of seconds, or no numbers', (...values: unknown[]) => {
    expect(values.map((value) => lifetimeHint('expireAfter', value))).toEqual(values.map(() => undefined));
  });
});

test('the time for which a request waits', () => {
  expect(waitHint('backendTimeout', 1_000)).toBe(
    'backendTimeout: 1000 is 17 minutes, since numbers are seconds; write 1 if milliseconds were meant',
  );
  for (const value of [0, 0.5, 10, 120, Number.POSITIVE_INFINITY, true, '1000', undefined])
    expect(waitHint('backendTimeout', value)).toBeUndefined();
});

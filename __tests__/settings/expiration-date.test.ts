import { afterEach, expect, jest, test } from '@jest/globals';
import { toExpirationDate } from '../../lib/index.js';

const FROM = new Date('2026-01-01T00:00:00Z');

afterEach(() => {
  jest.useRealTimers();
});

test('toExpirationDate counts from the given instant', () => {
  expect(toExpirationDate('1h', FROM)).toEqual(new Date('2026-01-01T01:00:00Z'));
  expect(toExpirationDate({ minutes: 5 }, FROM)).toEqual(new Date('2026-01-01T00:05:00Z'));
  expect(toExpirationDate('2026-03-01', FROM)).toEqual(new Date('2026-03-01T00:00:00Z'));
  expect(toExpirationDate(0, FROM)).toEqual(FROM);
});

test('from now by default', () => {
  jest.useFakeTimers({ now: FROM });
  expect(toExpirationDate(90)).toEqual(new Date('2026-01-01T00:01:30Z'));
});

test.each([-1, Number.POSITIVE_INFINITY, null])('%p never expires', (value) => {
  expect(toExpirationDate(value, FROM)).toBeNull();
});

test.each(['soon', '', '60', {}, -2])('refuses %p', (value) => {
  expect(() => toExpirationDate(value as never, FROM)).toThrow(TypeError);
});

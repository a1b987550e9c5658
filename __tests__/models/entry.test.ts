import { expect, test } from '@jest/globals';
import { storedInstant } from '../../lib/models/entry.js';

test.each([
  [1_700_000_000_000, 1_700_000_000_000],
  [1_700_000_000_000.9, 1_700_000_000_000],
  [-1, 0],
  [9_999_999_999_998, 9_999_999_999_998],
  [9_999_999_999_999, Number.POSITIVE_INFINITY],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('the instant %d is stored as %d', (instant, stored) => {
  expect(storedInstant(instant)).toBe(stored);
});

import { expect, test } from '@jest/globals';
import { randomHex16 } from '../../lib/platform/random.js';

test('16 hex digits, each of which varies', () => {
  const all = Array.from({ length: 1_000 }, randomHex16);
  expect(all.every((text) => /^[0-9a-f]{16}$/.test(text))).toBe(true);
  expect(new Set(all).size).toBe(1_000);
  for (let digit = 0; digit < 16; digit += 1) expect(new Set(all.map((text) => text[digit])).size).toBe(16);
});

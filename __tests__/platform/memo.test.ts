import { expect, jest, test } from '@jest/globals';
import { memoize } from '../../lib/platform/memo.js';

test('a result is computed once, also if it is false', () => {
  const compute = jest.fn((text: string) => text === 'yes');
  const memo = memoize(compute);
  expect([memo('yes'), memo('no'), memo('yes'), memo('no')]).toEqual([true, false, true, false]);
  expect(compute).toHaveBeenCalledTimes(2);
});

test('the number and the length of the kept values are bounded', () => {
  const compute = jest.fn((text: string) => text.length);
  const memo = memoize(compute, 2);
  for (const text of ['a', 'b', 'c', 'a']) memo(text);
  expect(compute).toHaveBeenCalledTimes(4);
  const long = 'x'.repeat(10_000);
  memo(long);
  memo(long);
  expect(compute).toHaveBeenCalledTimes(6);
});

test('errors are not kept', () => {
  let fails = true;
  const memo = memoize((text) => {
    if (fails) throw new Error(text);
    return text;
  });
  expect(() => memo('a')).toThrow('a');
  fails = false;
  expect(memo('a')).toBe('a');
});

import { expect, test } from '@jest/globals';
import { Limit } from '../../lib/platform/limit.js';

test('so many functions run at once, in their order, whether they succeed or fail', async () => {
  const limit = new Limit(3);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = (number: number) => async () => {
    begun.push(number);
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    if (number % 2 === 1) throw new Error(String(number));
    return number;
  };
  const numbers = Array.from({ length: 10 }, (_, number) => number);
  const results = await Promise.allSettled(numbers.map((number) => limit.run(work(number))));
  expect([begun, most]).toEqual([numbers, 3]);
  expect(results.map(({ status }) => status)).toEqual(
    numbers.map((number) => (number % 2 === 1 ? 'rejected' : 'fulfilled')),
  );
});

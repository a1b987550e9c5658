import { expect, test } from '@jest/globals';
import { RetentionSweep } from '../../lib/stores/retention.js';
import { TestClock } from '../support/clock.js';

test('a sweep is due once a minute, also after the clock was set back', async () => {
  const clock = new TestClock();
  const sweep = new RetentionSweep(60, clock.now);
  const due: (number | undefined)[] = [];
  for (const seconds of [0, 30, 31, -86_400, 30, 31]) {
    clock.advance(seconds);
    due.push(sweep.due() === undefined ? undefined : seconds);
  }
  expect(due).toEqual([0, undefined, 31, -86_400, undefined, 31]);
  expect(new RetentionSweep(undefined, clock.now).due()).toBeUndefined();
});

test('a sweep that fails does not reject', async () => {
  const clock = new TestClock();
  const sweep = new RetentionSweep(60, clock.now);
  const until: number[] = [];
  sweep.start(async function* (instant) {
    until.push(instant);
    yield 1;
    throw new Error('failed');
  });
  await sweep.settled();
  expect(until).toEqual([clock.now() - 60_000]);
});

import { expect, test } from '@jest/globals';
import { deleteExpiredOneByOne, RetentionSweep } from '../../lib/stores/retention.js';
import { unreadable } from '../../lib/stores/stored-form.js';
import { TestClock } from '../support/clock.js';
import { entryOf, idOf } from '../support/entries.js';

test('a sweep is due once a minute, also after the clock was set back', async () => {
  const clock = new TestClock();
  const sweep = new RetentionSweep(60, clock.now);
  const due: (number | undefined)[] = [];
  for (const seconds of [0, 30, 29, 1, -86_400, 30, 30]) {
    clock.advance(seconds);
    due.push(sweep.due() === undefined ? undefined : seconds);
  }
  expect(due).toEqual([0, undefined, undefined, 1, -86_400, undefined, 30]);
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

test('entries that cannot be read are not expired', async () => {
  const deleted: string[] = [];
  const store = {
    async *list() {
      yield* [entryOf('a'), unreadable(idOf('b'), 1)];
    },
    async delete(ids: readonly string[]) {
      deleted.push(...ids);
      return ids.length;
    },
  };
  for await (const _ of deleteExpiredOneByOne(store, 1));
  expect(deleted).toEqual([idOf('a')]);
});

import { expect, test } from '@jest/globals';
import { SilenceWatch } from '../../../lib/stores/redis/silence.js';

const PERIOD = 50;

function block(milliseconds: number): void {
  for (const began = performance.now(); performance.now() - began < milliseconds; );
}

/** A watch of one command, and a promise of its silence. */
function watching() {
  let isSilent = false;
  const watch = new SilenceWatch(PERIOD, () => {
    isSilent = true;
  });
  watch.begin();
  return { watch, isSilent: () => isSilent };
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test.each([
  ['one turn', 1],
  ['two turns', 2],
])('an answer that is read %s of the event loop after the process was busy is no silence', async (_, turns) => {
  const { watch, isSilent } = watching();
  const read = (async () => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    watch.finish();
  })();
  block(3 * PERIOD);
  await read;
  await later(3 * PERIOD);
  expect(isSilent()).toBe(false);
});

test('no answer is silence', async () => {
  const { isSilent } = watching();
  for (const began = performance.now(); !isSilent() && performance.now() - began < 5_000; ) await later(5);
  expect(isSilent()).toBe(true);
});

import { expect, test } from '@jest/globals';
import { together } from '../../../lib/stores/redis/together.js';

/** Sources of numbers that record how many of them run, and how far they are ahead of their reader. */
function sourcesOf(number: number, length: number) {
  const state = { running: 0, most: 0, made: 0, read: 0, furthest: 0 };
  const source = async function* () {
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    try {
      for (let value = 0; value < length; value += 1) {
        state.made += 1;
        state.furthest = Math.max(state.furthest, state.made - state.read);
        yield value;
      }
    } finally {
      state.running -= 1;
    }
  };
  return { state, sources: Array.from({ length: number }, () => source) };
}

test('all values of many sources are read, with few sources at once and one value of each ahead', async () => {
  const { state, sources } = sourcesOf(64, 100);
  for await (const _ of together(sources, 16)) state.read += 1;
  expect(state).toMatchObject({ read: 6_400, running: 0, most: 16 });
  expect(state.furthest).toBeLessThanOrEqual(16);
});

test('sources end if their reader ends', async () => {
  const { state, sources } = sourcesOf(8, 100);
  for await (const _ of together(sources, 4)) {
    state.read += 1;
    if (state.read === 10) break;
  }
  expect(state).toMatchObject({ read: 10, running: 0, most: 4 });
});

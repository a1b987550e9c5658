import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from './support/api.js';
import { runModel, shareFile, shareMemory } from './support/model-run.js';

/** Random programs against a reference model: no response is wrong, and many come from the cache. */

const SEED = Number(process.env.MODEL_SEED ?? 1);
const STEPS = Number(process.env.MODEL_STEPS ?? 20_000);

test.each([
  ['by settings', false],
  ['by RFC 9111', true],
] as const)('in memory, %s', async (_, cacheControl) => {
  const { steps, requests, hits } = await runModel(shareMemory, { steps: STEPS / 2, seed: SEED, cacheControl });
  expect(steps).toBeGreaterThan(STEPS / 3);
  expect(hits / requests).toBeGreaterThan(0.2);
});

test.each([
  ['by settings', false],
  ['by RFC 9111', true],
] as const)('two caches on one SQLite file, %s', async (_, cacheControl) => {
  await using folder = await temporaryFolder();
  let opened = 0;
  const open: typeof shareMemory = (options, clock) => {
    opened += 1;
    return shareFile(path.join(folder.path, `cache-${opened}`))(options, clock);
  };
  const { requests, hits } = await runModel(open, { steps: STEPS / 20, seed: SEED, cacheControl });
  expect(hits / requests).toBeGreaterThan(0.2);
});

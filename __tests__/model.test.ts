import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './support/api.js';
import { runModel, shareFile, shareMemory } from './support/model-run.js';

/**
 * Random programs against a reference model: no response is wrong, and many come from the cache. `MODEL_SEED` selects other
 * programs; `slow/model.slow.ts` runs many more.
 */

const SEED = Number(process.env.MODEL_SEED ?? 1);
const STEPS = Number(process.env.MODEL_STEPS ?? 20_000);
/** Caches on a file are slower. */
const STEPS_ON_FILES = STEPS / 10;
/** Milliseconds: a machine may be busy. */
const TIMEOUT = 600_000;

describe.each([
  ['by settings', false],
  ['by RFC 9111', true],
] as const)('%s', (_, cacheControl) => {
  test(
    'in memory',
    async () => {
      const steps = (STEPS - STEPS_ON_FILES) / 2;
      const run = await runModel(shareMemory, { steps, seed: SEED, cacheControl });
      expect(run.steps).toBeGreaterThan(steps / 2);
      expect(run.hits / run.requests).toBeGreaterThan(0.1);
    },
    TIMEOUT,
  );

  test(
    'two caches on one SQLite file',
    async () => {
      await using folder = await temporaryFolder();
      const open = shareFile(path.join(folder.path, 'cache'));
      const run = await runModel(open, { steps: STEPS_ON_FILES / 2, seed: SEED, cacheControl });
      expect(run.hits / run.requests).toBeGreaterThan(0.1);
    },
    TIMEOUT,
  );
});

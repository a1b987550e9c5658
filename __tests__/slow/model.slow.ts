import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/api.js';
import { runModel, shareFile, shareMemory } from '../support/model-run.js';

/** As the model test of the normal run, with other programs in each run: `MODEL_SEED` repeats one. */

const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31);
const STEPS = Number(process.env.MODEL_STEPS ?? 2_000_000);
/** Caches on a file are slower. */
const STEPS_ON_FILES = STEPS / 20;
const HOURS = 3_600_000;

describe.each([
  ['by settings', false],
  ['by RFC 9111', true],
] as const)('%s', (_, cacheControl) => {
  test(
    `in memory, seed ${SEED}`,
    async () => {
      const steps = (STEPS - STEPS_ON_FILES) / 2;
      const run = await runModel(shareMemory, { steps, seed: SEED, cacheControl });
      expect(run.hits / run.requests).toBeGreaterThan(0.1);
    },
    6 * HOURS,
  );

  test(
    `two caches on one SQLite file, seed ${SEED}`,
    async () => {
      await using folder = await temporaryFolder();
      const open = shareFile(path.join(folder.path, 'cache'));
      const run = await runModel(open, { steps: STEPS_ON_FILES / 2, seed: SEED, cacheControl });
      expect(run.hits / run.requests).toBeGreaterThan(0.1);
    },
    6 * HOURS,
  );
});

import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { mongo } from '../../scripts/services/mongo.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import { temporaryFolder } from '../support/api.js';
import { describeService } from '../support/services.js';
import { raceTags } from '../support/tag-race.js';

const HOUR = 3_600_000;
/** Long enough that no write continues in the background. */
const backendTimeout = 30;

/** No response that was asked for before a tag was invalidated by another process is served after it. */
export function describeTagRaces(invalidations: number): void {
  const cacheName = () => `race_${randomBytes(4).toString('hex')}`;

  const races = (options: (folder: string) => CacheOptions) => {
    test.each([
      ['ahead', HOUR],
      ['behind', -HOUR],
    ])('the clock of the other process is an hour %s', async (_, ahead) => {
      await using folder = await temporaryFolder();
      const { hits, refused, outdated } = await raceTags(options(folder.path), invalidations / 2, ahead);
      expect(outdated).toEqual([]);
      // Otherwise nothing was at stake.
      expect(hits + refused).toBeGreaterThan(0);
    });
  };

  describe(`${invalidations} invalidations of a tag while another process stores responses with it`, () => {
    describe('sqlite', () => {
      races((folder) => ({
        backend: 'sqlite',
        cacheName: path.join(folder, 'cache'),
        backendOptions: { backendTimeout },
      }));
    });

    for (const [backend, service] of [
      ['redis', redis],
      ['mongodb', mongo],
    ] as const) {
      describeService(service, (server) => {
        races(() => ({ backend, cacheName: cacheName(), backendOptions: { url: server().url, backendTimeout } }));
      });
    }
  });
}

import { expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import type { CachedAxiosInstance } from '../../lib/setup-cache.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';

/** Invalidates `/document`. */
const INVALIDATIONS: readonly (readonly [name: string, (other: CachedAxiosInstance) => Promise<unknown>])[] = [
  ['a POST of', (other) => other.post('/document', {}, { invalidates: true })],
  [
    'the deletion of its key by',
    async (other) => {
      await other.post('/document', {});
      await other.cache.delete(await other.cache.createKey({ url: '/document' }));
    },
  ],
];

/**
 * Tests that an invalidation by another process reaches requests in flight.
 *
 * @param options returns those of one cache, perhaps in a folder of the test
 */
export function testSharedInvalidation(options: (folder: string) => CacheOptions): void {
  test.each(INVALIDATIONS)(
    'a response that was requested before %s another process is not stored after it',
    async (_, invalidate) => {
      await using folder = await temporaryFolder();
      let version = 1;
      let arrived = () => {};
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await using bench = await startBench(options(folder.path), async ({ method }, response) => {
        if (method === 'POST') version += 1;
        const answer = { version };
        if (method === 'GET' && version === 1) {
          arrived();
          await released;
        }
        sendJson(response, answer);
      });
      // Instances with stores of their own, as in two processes.
      const other = bench.more(options(folder.path));
      const slow = bench.api.get('/document');
      await arrival;
      await invalidate(other);
      release();
      expect((await slow).data).toEqual({ version: 1 });
      const next = await other.get('/document');
      expect([next.data, next.fromCache]).toEqual([{ version: 2 }, false]);
      expect((await bench.api.get('/document')).fromCache).toBe(true);
    },
  );
}

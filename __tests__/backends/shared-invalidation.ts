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
    (other) => changed(other, async ({ cache }) => cache.delete(await cache.createKey({ url: '/document' }))),
  ],
  ['the deletion of all that is old by', (other) => changed(other, ({ cache }) => cache.delete({ olderThan: 0 }))],
  ['a new lifetime by', (other) => changed(other, ({ cache }) => cache.resetExpiration(0))],
];

/** A promise that `resolve` resolves. */
function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Changes the document without an invalidation, and then invalidates. */
async function changed(other: CachedAxiosInstance, invalidate: (other: CachedAxiosInstance) => Promise<unknown>) {
  await other.post('/document', {});
  await invalidate(other);
}

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
      const [arrived, released] = [signal(), signal()];
      await using bench = await startBench(options(folder.path), async ({ method }, response) => {
        if (method === 'POST') version += 1;
        const answer = { version };
        if (method === 'GET' && version === 1) {
          arrived.resolve();
          await released.promise;
        }
        sendJson(response, answer);
      });
      // Instances with stores of their own, as in two processes.
      const other = bench.more(options(folder.path));
      const slow = bench.api.get('/document');
      await arrived.promise;
      await invalidate(other);
      released.resolve();
      expect((await slow).data).toEqual({ version: 1 });
      const next = await other.get('/document');
      expect([next.data, next.fromCache]).toEqual([{ version: 2 }, false]);
      expect((await bench.api.get('/document')).fromCache).toBe(true);
    },
  );

  test('a response that was requested before another process changed the stored body is not stored after it', async () => {
    await using folder = await temporaryFolder();
    const [arrived, released] = [signal(), signal()];
    await using bench = await startBench(options(folder.path), async (_, response, count) => {
      if (count > 1) {
        arrived.resolve();
        await released.promise;
      }
      sendJson(response, { version: 1 });
    });
    const other = bench.more(options(folder.path));
    const { cacheKey = '' } = await bench.api.get('/document');
    const slow = bench.api.get('/document', { forceRefresh: true });
    await arrived.promise;
    expect(await other.cache.updateResponse(cacheKey, () => ({ version: 2 }))).toBe(1);
    released.resolve();
    expect((await slow).data).toEqual({ version: 1 });
    const next = await other.get('/document');
    expect([next.data, next.fromCache]).toEqual([{ version: 2 }, true]);
  });
}

import { expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench } from '../support/api.js';
import { sendJson } from '../support/origin.js';

/** Tests that an invalidation by another process reaches requests in flight. @param options returns those of one cache */
export function testSharedInvalidation(options: () => CacheOptions): void {
  test('a response that was requested before a POST of another process is not stored after it', async () => {
    let version = 1;
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using bench = await startBench(options(), async ({ method }, response) => {
      if (method === 'POST') version += 1;
      const answer = { version };
      if (method === 'GET' && version === 1) {
        arrived();
        await released;
      }
      sendJson(response, answer);
    });
    // Instances with stores of their own, as in two processes.
    const other = bench.more(options());
    const slow = bench.api.get('/document');
    await arrival;
    await other.post('/document', {}, { invalidates: true });
    release();
    expect((await slow).data).toEqual({ version: 1 });
    const next = await other.get('/document');
    expect([next.data, next.fromCache]).toEqual([{ version: 2 }, false]);
    expect((await bench.api.get('/document')).fromCache).toBe(true);
  });
}

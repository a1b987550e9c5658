import { expect, test } from '@jest/globals';
import type { Store } from '../../lib/stores/store.js';
import { until } from '../support/faults.js';

const DAY = 24 * 60 * 60 * 1000;
/** Seconds. */
const LEASE = 0.4;

/** Tests that no process's clock decides when a lease ends. @param open opens a store of one cache, with a clock */
export function testLeaseClocks(open: (now: () => number) => Store): void {
  test.each([
    ['back', -DAY],
    ['forward', DAY],
  ])('a lease of a process whose clock is a day %s ends with its time', async (_, offset) => {
    const [owner, waiting] = [open(() => Date.now() + offset), open(Date.now)];
    const name = `clock${offset}`;
    try {
      expect(await owner.acquireLease?.(name, 'owner', LEASE)).toBe(true);
      const acquired = performance.now();
      expect(await waiting.acquireLease?.(name, 'waiting', LEASE)).toBe(false);
      await until('the lease has ended', async () => (await waiting.acquireLease?.(name, 'waiting', 60)) === true);
      const waited = (performance.now() - acquired) / 1000;
      expect(waited).toBeGreaterThan(LEASE * 0.9);
      expect(await owner.acquireLease?.(name, 'owner', LEASE)).toBe(false);
    } finally {
      await Promise.all([owner.close(), waiting.close()]);
    }
  });

  test('a lease that is renewed does not end', async () => {
    const [owner, waiting] = [open(Date.now), open(Date.now)];
    try {
      for (let renewal = 0; renewal < 8; renewal += 1) {
        expect(await owner.acquireLease?.('renewed', 'owner', LEASE)).toBe(true);
        expect(await waiting.acquireLease?.('renewed', 'waiting', LEASE)).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, LEASE * 200));
      }
    } finally {
      await Promise.all([owner.close(), waiting.close()]);
    }
  });
}

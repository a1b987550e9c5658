import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { temporaryFolder } from '../../support/api.js';
import { DRIVERS } from '../../support/sqlite.js';

describe.each(DRIVERS)('leases with driver %s', (driver) => {
  test.each([
    ['a day ahead', 86_400_000],
    ['a day behind', -86_400_000],
  ])('the lease of a dead process whose clock was %s ends with its time', async (_, difference) => {
    await using folder = await temporaryFolder();
    const file = path.join(folder.path, 'cache');
    const dead = new SqliteStore(file, { driver }, () => Date.now() + difference);
    expect(await dead.acquireLease('a', 'dead', 0.3)).toBe(true);
    await dead.close();
    const store = new SqliteStore(file, { driver }, Date.now);
    expect(await store.acquireLease('a', 'alive', 10)).toBe(false);
    await pause(350);
    expect(await store.acquireLease('a', 'alive', 10)).toBe(true);
    await store.close();
  });

  test('a lease that is renewed, or acquired again by its holder, does not end', async () => {
    await using folder = await temporaryFolder();
    const [one, other] = [1, 2].map(() => new SqliteStore(path.join(folder.path, 'cache'), { driver }, Date.now)) as [
      SqliteStore,
      SqliteStore,
    ];
    await one.acquireLease('a', 'one', 0.3);
    for (let round = 0; round < 6; round += 1) {
      expect(await other.acquireLease('a', 'other', 0.3)).toBe(false);
      await pause(100);
      if (round === 3) await one.releaseLease('a', 'one');
      await one.acquireLease('a', 'one', 0.3);
    }
    expect(await other.acquireLease('a', 'other', 0.3)).toBe(false);
    await one.close();
    await other.close();
  });
});

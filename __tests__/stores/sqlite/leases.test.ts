import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { testLeaseClocks } from '../../backends/lease-clocks.js';
import { temporaryFolder } from '../../support/api.js';
import { DRIVERS } from '../../support/sqlite.js';

describe.each(DRIVERS)('leases with driver %s', (driver) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const open = (now = Date.now) => new SqliteStore(path.join(folder.path, 'cache'), { driver }, now);

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  testLeaseClocks(open);

  test('a lease that its holder released and acquired again is renewed', async () => {
    const [one, other] = [open(), open()];
    expect(await one.acquireLease('a', 'one', 60)).toBe(true);
    await one.releaseLease('a', 'one');
    expect([await one.acquireLease('a', 'one', 60), await other.acquireLease('a', 'other', 60)]).toEqual([true, false]);
    await one.close();
    await other.close();
  });
});

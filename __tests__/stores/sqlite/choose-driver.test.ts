import { isBuiltin } from 'node:module';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SqliteCache } from '../../../lib/cache/backends/sqlite-cache.js';
import { temporaryFolder } from '../../support/api.js';
import { program } from '../../support/child.js';
import { DRIVERS, rawQuery } from '../../support/sqlite.js';

const hasNodeSqlite = isBuiltin('node:sqlite');

describe('the driver', () => {
  test.each([['better-sqlite3'], [4], [null], ['']])('%p is refused', (driver) => {
    expect(() => new SqliteCache({ driver: driver as never })).toThrow(
      /^driver: .* is not accepted; expected "node" \(node:sqlite\) or "keyv" \(@keyv\/sqlite\)/,
    );
  });

  test('that is forced opens the file', async () => {
    await using folder = await temporaryFolder();
    for (const driver of DRIVERS) {
      const cache = new SqliteCache({ cacheName: path.join(folder.path, driver), driver });
      await cache.ready();
      expect(await rawQuery(path.join(folder.path, `${driver}.sqlite`), 'PRAGMA auto_vacuum')).toEqual([
        { auto_vacuum: 2 },
      ]);
      await cache.close();
    }
  });

  test(`"node" ${hasNodeSqlite ? 'is there' : 'is refused at set-up where the runtime lacks it'}`, () => {
    const open = () => new SqliteCache({ driver: 'node', cacheName: ':memory:' });
    if (hasNodeSqlite) open();
    else {
      expect(open).toThrow(expect.objectContaining({ code: 'ERR_CACHE_MISSING_PACKAGE' }) as never);
      expect(open).toThrow(/needs node:sqlite, which Node.js has from version 22.13/);
    }
  });
});

/** A runtime whose `node:sqlite` is experimental, also with a copied `process`, or not, shown by a process of its own. */
describe('without a forced driver', () => {
  const source = `
    import { loadDriver, loadNodeSqlite } from './lib/stores/sqlite/choose-driver.js';
    const [, , kind] = process.argv;
    const runtime = process;
    // Test runners give programs a copy, whose functions the runtime does not call.
    if (kind === 'copied') globalThis.process = Object.create(process);
    const builtin = runtime.getBuiltinModule;
    const own = builtin?.('node:module');
    const isBuiltin = own.isBuiltin;
    own.isBuiltin = (name) => (name === 'node:sqlite' ? kind !== 'none' : isBuiltin(name));
    own.syncBuiltinESMExports();
    let isFirst = true;
    runtime.getBuiltinModule = (name) => {
      if (name !== 'node:sqlite') return builtin(name);
      if (isFirst && kind !== 'stable')
        runtime.emitWarning('SQLite is an experimental feature', 'ExperimentalWarning');
      runtime.emitWarning('another warning', { code: 'OTHER' });
      isFirst = false;
      return { DatabaseSync: class {} };
    };
    const warnings = [];
    runtime.on('warning', ({ name, code }) => warnings.push(code ?? name));
    const names = [];
    for (let time = 0; time < 2; time += 1) names.push((await loadDriver(undefined)).name);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(JSON.stringify([names, [...new Set(warnings)]]));
  `;
  const other = DRIVERS.includes('keyv') ? 'keyv' : 'node';

  test.each([
    ['stable', ['node', 'node'], ['OTHER']],
    ['experimental', [other, other], ['OTHER']],
    ['copied', [other, other], ['OTHER']],
  ])('a runtime whose node:sqlite is %s', async (kind, drivers, warnings) => {
    await using code = program(source);
    expect(JSON.parse(await code.run(kind))).toEqual([drivers, warnings]);
  });

  test('a runtime without node:sqlite needs @keyv/sqlite 4', async () => {
    await using code = program(source);
    if (DRIVERS.includes('keyv')) expect(JSON.parse(await code.run('none'))).toEqual([['keyv', 'keyv'], []]);
    else await expect(code.run('none')).rejects.toThrow(/ERR_CACHE_BROKEN_PACKAGE/);
  });
});

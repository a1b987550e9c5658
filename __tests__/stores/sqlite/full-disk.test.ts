import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../support/api.js';
import { type Program, program } from '../../support/child.js';
import { describeWithSmallDisk, runOnSmallDisk } from '../../support/small-disk.js';
import { DRIVERS } from '../../support/sqlite.js';

/** Prints what each action returned, or the kind of its failure. */
const START = `
  import { execFileSync } from 'node:child_process';
  import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
  import { setTimeout as pause } from 'node:timers/promises';
  import { SqliteStore } from './lib/stores/sqlite/index.js';
  import { entryOf, idOf } from './__tests__/support/entries.js';
  import { rawConnection, rawQuery } from './__tests__/support/sqlite.js';
  const [, , disk, driver, size] = process.argv;
  const results = {};
  const note = async (name, work) => {
    try {
      const value = await work();
      results[name] = value?.kind ?? value ?? null;
    } catch (error) {
      results[name] = error.kind ?? String(error);
    }
  };
  const all = async (steps) => {
    let sum = 0;
    for await (const number of steps) sum += Number(number) || 0;
    return sum;
  };
  const put = (store, number) =>
    store.put([entryOf(number, { body: Buffer.alloc(Number(size)), staleAt: number % 2 ? 2_000 : 9_000 })]);
  const open = () => new SqliteStore(disk + '/cache', { driver }, Date.now);
  let store = open();
`;

const DELETIONS = `
  await note('find', () => store.find(idOf(2)));
  await note('delete', () => store.delete([idOf(2)]));
  await note('find deleted', () => store.find(idOf(2)));
  await note('invalidate', () => store.invalidate(['1'.repeat(32)]));
  await note('expired', async () => (await all(store.deleteExpired(3_000))) > 5);
  await note('find after', () => store.find(idOf(4)));
  await note('put after', () => put(store, 9_999));
  await note('clear', async () => { await all(store.clear()); return store.count(); });
  await note('put at last', () => put(store, 9_998));
  await store.close();
  console.log(JSON.stringify(results));
`;

const EMPTIED = {
  find: 'response',
  delete: 1,
  'find deleted': null,
  invalidate: null,
  expired: true,
  'find after': 'response',
  'put after': true,
  clear: 0,
  'put at last': true,
};

describeWithSmallDisk('a full or read-only disk', () => {
  const resultsOf = async (source: string, ...args: readonly string[]): Promise<unknown> => {
    await using folder = await temporaryFolder();
    await using code: Program = program(START + source);
    return JSON.parse(await runOnSmallDisk(code, folder.path, 4, ...args));
  };

  test.each(DRIVERS.flatMap((driver) => [3_000, 30_000].map((size) => [driver, size] as const)))(
    'driver %s, filled by entries of %d bytes: reads go on, deletions work, and make room',
    async (driver, size) => {
      const source = `
        let refused;
        for (let number = 0; refused === undefined; number += 1) {
          try { await put(store, number); } catch (error) { refused = error.kind; }
        }
        results.refused = refused;
        ${DELETIONS}`;
      expect(await resultsOf(source, driver, String(size))).toEqual({ refused: 'refusal', ...EMPTIED });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, filled by other programs: the same',
    async (driver) => {
      const source = `
        for (let number = 0; number < 20; number += 1) await put(store, number);
        try { writeFileSync(disk + '/filler', Buffer.alloc(10_000_000)); } catch {}
        await note('refused', () => put(store, 21));
        ${DELETIONS}`;
      expect(await resultsOf(source, driver, '10000')).toEqual({ refused: 'refusal', ...EMPTIED });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, read-only: a new process reads, writes are refused until the disk can be written to again',
    async (driver) => {
      const source = `
        for (let number = 0; number < 5; number += 1) await put(store, number);
        await store.close();
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        store = open();
        await note('find', () => store.find(idOf(2)));
        await note('find none', () => store.find(idOf(7)));
        await note('ready', () => store.ready());
        await note('put', () => put(store, 7));
        await note('delete', () => store.delete([idOf(2)]));
        await note('obstacle', async () => (await store.findObstacle())?.kind);
        await note('find again', () => store.find(idOf(2)));
        execFileSync('mount', ['-o', 'remount,rw', disk]);
        await pause(1_100);
        await note('put again', () => put(store, 7));
        await note('find new', () => store.find(idOf(7)));
        await store.close();
        console.log(JSON.stringify(results));`;
      expect(await resultsOf(source, driver, '10000')).toEqual({
        find: 'response',
        'find none': null,
        ready: null,
        put: 'refusal',
        delete: 'refusal',
        obstacle: 'refusal',
        'find again': 'response',
        'put again': true,
        'find new': 'response',
      });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, read-only for this process: what another process writes is read',
    async (driver) => {
      const source = `
        const write = async (number) => {
          const writer = new SqliteStore(disk + '/writable/cache', { driver }, Date.now);
          await put(writer, number);
          await writer.close();
        };
        await write(1);
        mkdirSync(disk + '/readable');
        execFileSync('mount', ['--bind', disk + '/writable', disk + '/readable']);
        execFileSync('mount', ['-o', 'remount,ro,bind', disk + '/readable']);
        store = new SqliteStore(disk + '/readable/cache', { driver }, Date.now);
        await note('first', () => store.find(idOf(1)));
        await note('none', () => store.find(idOf(2)));
        await write(2);
        await note('second', () => store.find(idOf(2)));
        await note('first again', () => store.find(idOf(1)));
        await note('put', () => put(store, 3));
        await store.close();
        console.log(JSON.stringify(results));`;
      expect(await resultsOf(source, driver, '10000')).toEqual({
        first: 'response',
        none: null,
        second: 'response',
        'first again': 'response',
        put: 'refusal',
      });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, full before a new process starts: it reads',
    async (driver) => {
      const source = `
        for (let number = 0; number < 5; number += 1) await put(store, number);
        await store.close();
        try { writeFileSync(disk + '/filler', Buffer.alloc(10_000_000)); } catch {}
        store = open();
        await note('find', () => store.find(idOf(2)));
        await note('put', () => put(store, 7));
        await store.close();
        console.log(JSON.stringify(results));`;
      expect(await resultsOf(source, driver, '10000')).toEqual({ find: 'response', put: 'refusal' });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, full of tables of another program: clear() does not remove them',
    async (driver) => {
      const source = `
        const other = await rawConnection(store.file);
        await other.run('CREATE TABLE accounts (name BLOB)');
        await other.run('INSERT INTO accounts VALUES (zeroblob(100000))');
        await put(store, 1);
        await store.close();
        try { writeFileSync(disk + '/filler', Buffer.alloc(10_000_000)); } catch {}
        store = open();
        await note('clear', () => all(store.clear()));
        await store.close();
        await other.close();
        rmSync(disk + '/filler');
        await note('accounts', async () => (await rawQuery(disk + '/cache.sqlite', 'SELECT count(*) AS n FROM accounts'))[0].n);
        console.log(JSON.stringify(results));`;
      expect(await resultsOf(source, driver, '10000')).toEqual({ clear: 'refusal', accounts: 1 });
    },
    60_000,
  );

  test.each(DRIVERS)(
    'driver %s, damaged, with no room for a copy: an empty database takes its place',
    async (driver) => {
      const source = `
        await store.put(Array.from({ length: 60 }, (_, number) => entryOf(number, { body: Buffer.alloc(10_000) })));
        await store.close();
        const bytes = readFileSync(disk + '/cache.sqlite');
        bytes.fill(0xaa, 0, 4096);
        writeFileSync(disk + '/cache.sqlite', bytes);
        try { writeFileSync(disk + '/filler', Buffer.alloc(10_000_000)); } catch {}
        truncateSync(disk + '/filler', statSync(disk + '/filler').size - 900_000);
        store = open();
        for (let number = 0; number < 60; number += 1) await store.find(idOf(number));
        const order = Number(await store.currentOrder());
        await note('put', () => store.put([entryOf(1, { order })]));
        await note('find', () => store.find(idOf(1)));
        await note('count', () => store.count());
        await note('integrity', async () => (await rawQuery(store.file, 'PRAGMA integrity_check'))[0].integrity_check);
        await store.close();
        await note('files', () => readdirSync(disk).map((name) => name.replace(/-[0-9T]+Z$/, '')).join(' '));
        console.log(JSON.stringify(results));`;
      expect(await resultsOf(source, driver, '10000')).toEqual({
        put: true,
        find: 'response',
        count: 1,
        integrity: 'ok',
        files: 'cache.sqlite cache.sqlite.damaged filler',
      });
    },
    60_000,
  );
});

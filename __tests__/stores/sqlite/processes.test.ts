import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { SqliteDriverName } from '../../../lib/stores/sqlite/choose-driver.js';
import { SqliteStore } from '../../../lib/stores/sqlite/index.js';
import { temporaryFolder } from '../../support/api.js';
import { program } from '../../support/child.js';
import { idOf } from '../../support/entries.js';
import { DRIVERS, rawQuery } from '../../support/sqlite.js';

/** Another version of Node.js, which `scripts/keyv-6.sh` names. */
const { OTHER_NODE } = process.env;
const WRITES = 300;

/** Writes from a number on, and says of each which one was acknowledged; reads what the others wrote. */
const WRITER = `
  import { SqliteStore } from './lib/stores/sqlite/index.js';
  import { idOf } from './__tests__/support/entries.js';
  import { fill } from './__tests__/support/sqlite.js';
  const [, , file, driver, first] = process.argv;
  const store = new SqliteStore(file, { driver }, Date.now);
  for (let number = Number(first); number < Number(first) + ${WRITES}; number += 1) {
    await fill(store, number, number + 1, 3_000);
    const other = await store.find(idOf(number % 1_000));
    if (other && other.kind !== 'response') throw new Error('damaged: ' + other.kind);
    process.stdout.write(number + '\\n');
    if (number % 50 === 0) for await (const _ of store.deleteExpired(0));
  }
  await store.close();
`;

interface Writer {
  readonly node: string;
  readonly driver: SqliteDriverName;
}

const here = DRIVERS.map((driver) => ({ node: process.execPath, driver }));
const COMBINATIONS: readonly (readonly [string, readonly Writer[]])[] = [
  ...here.map((writer) => [`four of driver ${writer.driver}`, [writer, writer, writer, writer]] as const),
  ...(here.length > 1 ? [['both drivers', [...here, ...here]] as const] : []),
  ...(OTHER_NODE
    ? [
        [
          'both drivers on two versions of Node.js',
          [...here, { node: OTHER_NODE, driver: 'keyv' }] as Writer[],
        ] as const,
      ]
    : []),
];

describe('processes on one file', () => {
  test.each(COMBINATIONS)(
    '%s, of which one is killed: every acknowledged entry is there, and the file is whole',
    async (_, writers) => {
      await using folder = await temporaryFolder();
      await using code = program(WRITER);
      const file = path.join(folder.path, 'cache.sqlite');
      const acknowledged: number[] = [];
      const errors: string[] = [];
      const start = ({ node, driver }: Writer, index: number): ChildProcess => {
        const child = spawn(node, ['--no-warnings', code.file, file, driver, String(index * 1_000)]);
        child.stdout.on('data', (data) => acknowledged.push(...String(data).split('\n').filter(Boolean).map(Number)));
        child.stderr.on('data', (data) => errors.push(String(data)));
        return child;
      };
      const children = writers.map(start);
      children[0]?.stdout?.once('data', () => setTimeout(() => children[0]?.kill('SIGKILL'), 50));
      await Promise.all(children.map((child) => once(child, 'close')));
      expect(errors).toEqual([]);
      expect(acknowledged.length).toBeGreaterThanOrEqual((writers.length - 1) * WRITES);
      const store = new SqliteStore(file, {}, Date.now);
      for (const number of acknowledged) {
        const entry = await store.find(idOf(number));
        if (entry?.kind !== 'response') throw new Error(`lost: ${number} (${entry?.kind})`);
      }
      expect(await rawQuery(file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      await store.close();
    },
    60_000,
  );
});

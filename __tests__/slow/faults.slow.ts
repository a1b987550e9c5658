import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Server } from '../../scripts/services/server.mjs';
import { temporaryFolder } from '../support/api.js';
import { type Program, program } from '../support/child.js';
import { sendJson, startOrigin } from '../support/origin.js';
import { startProxy } from '../support/proxy.js';
import { BACKENDS } from './fault-matrix/backends.js';
import { type Cell, FAULTS, type FaultName, type Outcome, outcomeOf, Subject } from './fault-matrix/cell.js';
import { DAMAGED } from './fault-matrix/damage.js';

/**
 * Each backend with each fault. No request fails, none gets a wrong response, hits on healthy entries continue where the
 * store can be read, and the cache works again after the fault. `WRITE=1` writes the table into docs/reliability.md.
 */

const PAGE = 'docs/reliability.md';
const [BEGIN, END] = ['<!-- faults -->\n', '<!-- /faults -->'];
/** Faults during which the store can be read. */
const READABLE: ReadonlySet<FaultName> = new Set(['full', 'read-only', 'bad entries', 'clock jump']);
/** Faults during which nothing can be written. */
const NOT_WRITABLE: ReadonlySet<FaultName> = new Set([
  'down at start',
  'killed',
  'frozen',
  'slow',
  'full',
  'read-only',
  'wrong password',
]);

let subject: Program;
const results = new Map<string, Map<FaultName, string>>();

beforeAll(() => {
  subject = program("import { serve } from './__tests__/slow/fault-matrix/subject.js'; serve();");
});

afterAll(async () => {
  await subject[Symbol.asyncDispose]();
  const table = tableOf();
  console.log(table);
  if (process.env.WRITE !== '1') return;
  const [before, rest = ''] = readFileSync(PAGE, 'utf8').split(BEGIN);
  writeFileSync(PAGE, `${before}${BEGIN}${table}\n${END}${rest.split(END)[1]}`);
});

/** Responds to GET with the version of the path, and makes the next version for each POST. */
function startVersions() {
  const versions = new Map<string, number>();
  return startOrigin(({ url, method }, response) => {
    if (method === 'POST') versions.set(url, (versions.get(url) ?? 0) + 1);
    sendJson(response, { path: url, version: versions.get(url) ?? 0 });
  });
}

function tableOf(): string {
  const rows = FAULTS.map((fault) => [fault, ...[...results.values()].map((cells) => cells.get(fault) ?? '')]);
  const header = ['fault', ...results.keys()];
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

describe.each([...BACKENDS])('$name', ({ name, start, isFile, faults }) => {
  let server: Server;
  const cells = new Map<FaultName, string>();

  beforeAll(async () => {
    results.set(name, cells);
    server = (await start?.()) ?? ({ url: 'redis://127.0.0.1:1' } as Server);
  }, 60_000);

  afterAll(async () => {
    await server.stop?.();
  });

  test.each(FAULTS)(
    '%s',
    async (fault) => {
      const chosen = faults[fault];
      if (typeof chosen === 'string') {
        cells.set(fault, `- (${chosen})`);
        return;
      }
      await using folder = await temporaryFolder();
      await using origin = await startVersions();
      await using proxy = await startProxy(server.url);
      const isCluster = name === 'redis cluster';
      const disk = path.join(folder.path, 'disk');
      mkdirSync(disk);
      chmodSync(folder.path, 0o777);
      const cell: Cell = {
        backend: name,
        cacheName: isFile ? path.join(disk, 'cache') : `faults_${fault.replaceAll(/\W/g, '_')}`,
        folder: folder.path,
        server,
        proxy: isCluster ? { ...proxy, url: server.url } : proxy,
        subject: new Subject(),
      };
      const damaged = fault === 'bad entries' ? DAMAGED : 0;
      const outcome = await outcomeOf(cell, chosen, { file: subject.file, origin, damaged });
      cells.set(fault, textOf(outcome));
      const { failed, wrong, escaped, ended, kept, seconds, requests, stored, hits } = outcome;
      expect({ failed, wrong, escaped }).toEqual({ failed: 0, wrong: 0, escaped: [] });
      if (!chosen.keepsAlive) expect(ended).toBe(true);
      expect(requests).toBeGreaterThan(100);
      expect(seconds).toBeLessThan(40);
      if (READABLE.has(fault)) expect(kept[0]).toBe(kept[1]);
      // The fault has an effect.
      if (NOT_WRITABLE.has(fault)) expect(stored).toBe(false);
      if (damaged > 0) expect(hits).toBeLessThan(kept[1] + damaged);
    },
    120_000,
  );
});

function textOf({ failed, wrong, kept, seconds, ended }: Outcome): string {
  const broken = [failed > 0 && `${failed} failed`, wrong > 0 && `${wrong} wrong`, !ended && 'does not end'];
  return [...broken.filter((one) => one !== false), `${kept[0]} of ${kept[1]}, ${seconds.toFixed(1)} s`].join(', ');
}

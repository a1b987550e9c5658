import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startBench, temporaryFolder } from '../../support/api.js';
import { type Program, program } from '../../support/child.js';
import { until } from '../../support/faults.js';
import { type Handler, sendJson } from '../../support/origin.js';
import { DRIVERS } from '../../support/sqlite.js';

/** A process that locks a file against writers until its parent sends a message. */
const LOCKER = `
  import { loadDriver } from './lib/stores/sqlite/choose-driver.js';
  const [file, driver] = process.argv.slice(2);
  const connection = await (await loadDriver(driver)).open({ file, busyTimeout: 5000 });
  await connection.run('BEGIN IMMEDIATE');
  process.once('message', async () => {
    await connection.run('ROLLBACK');
    await connection.close();
    process.disconnect();
  });
  process.send('locked');
`;

/** Milliseconds. */
const BUDGET = 200;
const LOCKED = 3_000;
/** Seconds of the budget, and of the time after which SQLite refuses the write. */
const SETTINGS = [
  ['that the store refuses before the lock ends', 1],
  ['that the store makes after the lock ended', 5],
] as const;

let locker: Program;

beforeAll(() => {
  locker = program(LOCKER);
});

afterAll(async () => {
  await locker[Symbol.asyncDispose]();
});

async function lock(file: string, driver: string): Promise<ChildProcess> {
  const child = fork(locker.file, [file, driver], { execArgv: ['--no-warnings'] });
  await once(child, 'message');
  return child;
}

async function unlock(child: ChildProcess): Promise<void> {
  child.send('unlock');
  await once(child, 'exit');
}

/** Responds to GET with the version of the path, and makes the next version for each POST. */
function versioned(): Handler {
  const versions = new Map<string, number>();
  return ({ url, method }, response) => {
    if (method === 'POST') versions.set(url, (versions.get(url) ?? 0) + 1);
    sendJson(response, { path: url, version: versions.get(url) ?? 0 }, { 'cache-control': 'max-age=3600' });
  };
}

describe.each(DRIVERS)('while another process locks the file, driver %s', (driver) => {
  test.each(SETTINGS)('hits continue, and no response is wrong: writes %s', async (_, busyTimeout) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const options = {
      backend: 'sqlite' as const,
      cacheName,
      cacheControl: true,
      backendOptions: { driver, busyTimeout, backendTimeout: BUDGET / 1000 },
    };
    await using bench = await startBench(options, versioned());
    const { api, events } = bench;
    const known = Array.from({ length: 5 }, (__, number) => `/known/${number}`);
    for (const url of known) await api.get(url);
    const locked = await lock(`${cacheName}.sqlite`, driver);
    let slow = 0;
    let rounds = 0;
    let version = 0;
    try {
      for (const end = performance.now() + LOCKED; performance.now() < end; rounds += 1) {
        const began = performance.now();
        const [fresh, ...hits] = await Promise.all([
          api.get(`/new/${rounds}`),
          ...known.slice(1).map((url) => api.get(url)),
        ]);
        if (performance.now() - began >= BUDGET) slow += 1;
        expect(fresh?.fromCache).toBe(false);
        expect(hits.map(({ fromCache, data }) => [fromCache, data])).toEqual(
          known.slice(1).map((url) => [true, { path: url, version: 0 }]),
        );
        if (rounds % 10 === 5) {
          bench.clock.advance(1);
          await api.post('/known/0');
          version += 1;
        }
        expect((await api.get('/known/0')).data).toEqual({ path: '/known/0', version });
        await pause(10);
      }
    } finally {
      await unlock(locked);
    }
    expect(version).toBeGreaterThan(0);
    // The first write, and the attempts after pauses of 250, 500 and 1000 ms.
    expect(slow).toBeLessThanOrEqual(5);
    expect(rounds).toBeGreaterThan(20);
    expect(events.filter(({ breaker }) => breaker !== undefined)).toEqual([]);
    expect(events.find(({ type }) => type === 'error')).toMatchObject({ reason: 'writes-suspended', store: 'sqlite' });

    let tried = 0;
    await until('responses are stored again', async () => {
      const url = `/later/${tried++}`;
      await api.get(url);
      return (await api.get(url)).fromCache === true;
    });
    const other = bench.more(options);
    await until('the invalidations are carried out', async () => {
      const { fromCache, data } = await other.get('/known/0');
      return !(fromCache && data.version !== version);
    });
    expect((await api.get('/known/0')).data.version).toBe(version);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createClient } from '@keyv/redis';
import { redis } from '../../scripts/services/redis.mjs';
import type { Server } from '../../scripts/services/server.mjs';
import { temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { sendJson, startOrigin } from '../support/origin.js';
import { rawConnection } from '../support/sqlite.js';
import type { SoakOptions, SoakResult } from './soak/worker.js';

/**
 * Ten minutes of requests of all kinds, while the store has a fault every few seconds: no wrong response, no error that
 * escapes, no growing heap, nothing left open. `SOAK_SECONDS` sets another time.
 */

const SECONDS = Number(process.env.SOAK_SECONDS ?? 600);

/** Faults, of which each ends by itself. */
type Fault = () => Promise<void>;

function faultsOfRedis(server: Server): readonly Fault[] {
  const frozen = async (milliseconds: number) => {
    server.freeze();
    await pause(milliseconds);
    server.resume();
  };
  const killedConnections = async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    client.destroy();
  };
  const restarted = async () => {
    await server.kill();
    await pause(500);
    await server.start();
  };
  return [() => frozen(200), killedConnections, () => frozen(2_000), restarted];
}

function faultsOfSqlite(file: string): readonly Fault[] {
  const locked = async (milliseconds: number) => {
    const other = await rawConnection(file);
    await other.run('BEGIN IMMEDIATE');
    await pause(milliseconds);
    await other.run('ROLLBACK');
    await other.close();
  };
  const deleted = async () => {
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  };
  return [() => locked(200), () => locked(2_000), deleted];
}

/** Responds with the version of the path, of which a POST makes the next. Some responses are errors. */
function startVersions() {
  const versions = new Map<string, number>();
  return startOrigin(({ url, method }, response, count) => {
    if (count % 500 === 0) return void response.destroy();
    if (count % 200 === 0) return void response.writeHead(503).end('busy');
    if (method === 'POST') versions.set(url, (versions.get(url) ?? 0) + 1);
    sendJson(response, { path: url, version: versions.get(url) ?? 0, fill: 'x'.repeat(url.length * 200) });
  });
}

async function resultOf(file: string, options: SoakOptions, faults: readonly Fault[]): Promise<SoakResult> {
  const flags = ['--no-warnings', '--expose-gc'];
  const child: ChildProcess = spawn(process.execPath, [...flags, file, JSON.stringify(options)]);
  let [output, errors] = ['', ''];
  child.stdout?.on('data', (text) => {
    output += text;
  });
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  const exited = once(child, 'exit');
  try {
    await pause(2_000);
    for (let number = 0; output === '' && child.exitCode === null; number += 1) {
      await faults[number % faults.length]?.();
      await pause(3_000);
    }
    const [code] = await Promise.race([exited, pause(20_000).then(() => ['it does not end'])]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    return JSON.parse(output) as SoakResult;
  } finally {
    child.kill('SIGKILL');
  }
}

test.each(['sqlite', 'redis'] as const)('%s', async (backend) => {
  await using folder = await temporaryFolder();
  await using origin = await startVersions();
  await using worker = program(`
    import { soak } from './__tests__/slow/soak/worker.js';
    await soak(JSON.parse(process.argv[2]));
  `);
  const server = backend === 'redis' ? await redis.start() : undefined;
  const cacheName = server ? 'soak' : path.join(folder.path, 'soak');
  const backendOptions = { ...(server && { url: server.url }), backendTimeout: 0.5 };
  const options = { cache: { backend, cacheName, backendOptions }, originUrl: origin.url, seconds: SECONDS };
  const faults = server ? faultsOfRedis(server) : faultsOfSqlite(`${cacheName}.sqlite`);
  try {
    const { requests, hits, wrong, heap, descriptors } = await resultOf(worker.file, options, faults);
    const [middle, end] = heap.map((bytes) => Math.round(bytes / 1e6));
    console.log(`${backend}: ${requests} requests, ${hits} hits, heap ${middle} MB, then ${end} MB`);
    expect(wrong).toEqual([]);
    expect(requests).toBeGreaterThan(SECONDS * 200);
    expect(hits).toBeGreaterThan(requests / 10);
    // The versions that the process itself remembers grow with the written paths.
    expect(heap[1]).toBeLessThan(heap[0] * 1.2 + 10_000_000);
    expect(descriptors[1]).toBeLessThanOrEqual(descriptors[0]);
  } finally {
    await server?.stop();
  }
});

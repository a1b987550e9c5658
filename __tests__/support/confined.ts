import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './api.js';
import { program } from './child.js';
import { withSmallDisk } from './small-disk.js';

const run = promisify(execFile);
/** User of processes for which permissions count: root may do everything. */
const NOBODY = 65_534;

/** Faults of a folder: in a mount namespace, under a user without rights, or with few descriptors. */
export type Confinement = 'full' | 'read-only' | 'descriptors' | 'no-access' | 'file';

/** Runs a program on a folder of its own, under conditions that {@link fill} and {@link release} begin and end. */
export async function confinedProgram(source: string) {
  const folder = await temporaryFolder();
  const child = program(source);
  await chmod(folder.path, 0o777);
  const cacheName = path.join(folder.path, 'disk', 'cache');
  mkdirSync(path.dirname(cacheName), { mode: 0o777 });
  chmodSync(path.dirname(cacheName), 0o777);
  const node = [process.execPath, '--no-warnings', child.file, cacheName];
  return {
    async run(fault: string): Promise<string> {
      if (fault === 'full' || fault === 'read-only') {
        const [unshare, ...flags] = withSmallDisk(path.dirname(cacheName), 1);
        return (await run(unshare, [...flags, ...node, fault])).stdout;
      }
      if (fault === 'descriptors') {
        return (await run('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node, fault])).stdout;
      }
      const [file = '', ...args] = [...node, fault];
      const isRoot = process.getuid?.() === 0;
      return (await run(file, args, isRoot ? { uid: NOBODY, gid: NOBODY, env: { ...process.env, HOME: '/' } } : {}))
        .stdout;
    },
    async [Symbol.asyncDispose]() {
      chmodSync(path.dirname(cacheName), 0o777);
      await child[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const taken: number[] = [];

/** Begins a fault, in the confined process. */
export async function fill(fault: Confinement, cacheName: string): Promise<void> {
  const disk = path.dirname(cacheName);
  if (fault === 'full') for (const size of [100_000, 1_000]) fillWith(disk, size);
  if (fault === 'read-only') execFileSync('mount', ['-o', 'remount,ro', disk]);
  if (fault === 'no-access') chmodSync(cacheName, 0o000);
  if (fault === 'file') {
    renameSync(cacheName, `${cacheName}.aside`);
    writeFileSync(cacheName, '');
  }
  if (fault === 'descriptors') {
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'));
    } catch {
      // All are taken.
    }
  }
}

/** Writes files of that size until no more fits. */
function fillWith(disk: string, size: number): void {
  for (let number = 0; ; number += 1) {
    try {
      writeFileSync(path.join(disk, `filler-${size}-${number}`), Buffer.alloc(size));
    } catch {
      return;
    }
  }
}

/** Ends a fault, in the confined process. */
export async function release(fault: Confinement, cacheName: string): Promise<void> {
  const disk = path.dirname(cacheName);
  if (fault === 'full') execFileSync('sh', ['-c', `rm -f ${disk}/filler-*`]);
  if (fault === 'read-only') execFileSync('mount', ['-o', 'remount,rw', disk]);
  if (fault === 'no-access') chmodSync(cacheName, 0o700);
  if (fault === 'file') {
    rmSync(cacheName);
    renameSync(`${cacheName}.aside`, cacheName);
  }
  if (fault === 'descriptors') for (const descriptor of taken.splice(0)) closeSync(descriptor);
}

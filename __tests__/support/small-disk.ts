import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';
import type { Program } from './child.js';

const run = promisify(execFile);

/** As root, or in a user namespace of its own where the system allows that. */
const NAMESPACES = [['--mount'], ['--user', '--map-root-user', '--mount']];
const namespace = NAMESPACES.find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0);

/** Tests with small disks. Where there are none they are skipped, with a name that says why. */
export function describeWithSmallDisk(name: string, tests: () => void): void {
  if (namespace) describe(name, tests);
  else describe.skip(`${name}, left out because it needs Linux, and root or user namespaces`, tests);
}

/** The beginning of a command that runs the rest of it with a small disk of its own, which is removed with it. */
export function withSmallDisk(disk: string, megabytes: number): readonly [program: string, ...args: string[]] {
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && exec "$@"`;
  return ['unshare', ...(namespace ?? []), 'sh', '-c', script, disk];
}

/**
 * Runs a program with a small disk of its own, which only that process sees.
 *
 * @param folder where the disk is; the program gets it as its first argument
 */
export async function runOnSmallDisk(
  program: Program,
  folder: string,
  megabytes: number,
  ...args: readonly string[]
): Promise<string> {
  const disk = path.join(folder, 'disk');
  mkdirSync(disk);
  const [unshare, ...flags] = withSmallDisk(disk, megabytes);
  return (await run(unshare, [...flags, process.execPath, '--no-warnings', program.file, disk, ...args])).stdout;
}

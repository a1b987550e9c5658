import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { Program } from './child.js';

const run = promisify(execFile);

/** As root, or in a user namespace of its own where the system allows that. */
const NAMESPACES = [['--mount'], ['--user', '--map-root-user', '--mount']];
const namespace = NAMESPACES.find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0);

/** Why there are no small disks here; undefined where there are. */
export const noSmallDisk = namespace ? undefined : 'needs Linux, and root or user namespaces';

/**
 * Runs a program with a small disk of its own, which only that process sees and which is removed with it.
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
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && exec "$@"`;
  const command = ['sh', '-c', script, disk, process.execPath, '--no-warnings', program.file, disk, ...args];
  return (await run('unshare', [...(namespace ?? []), ...command])).stdout;
}

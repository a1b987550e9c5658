import { statSync } from 'node:fs';
import { describe, expect } from '@jest/globals';

/** Expects the permissions of a file or folder. Windows has none of this kind. */
export function expectPermissions(file: string, permissions: number): void {
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(permissions);
}

/**
 * Describes what needs links, special files, permissions or limits of processes. In Windows, which has others, the tests are
 * skipped, with a name that says why.
 */
export function describeOnPosix(name: string, tests: () => void): void {
  if (process.platform !== 'win32') describe(name, tests);
  else describe.skip(`${name}, left out because it needs a POSIX system`, tests);
}

import { statSync } from 'node:fs';
import { expect } from '@jest/globals';

/** Expects the permissions of a file or folder. Windows has none of this kind. */
export function expectPermissions(file: string, permissions: number): void {
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(permissions);
}

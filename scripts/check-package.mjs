// publint and are-the-types-wrong on the tarball of the present build: npm run check:package

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packedBy } from './packed.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'akc-check-'));
try {
  // Without scripts: `prepack` would build once more. Through a shell, since these programs are scripts in Windows.
  const options = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = packedBy(execFileSync('npm', options, { encoding: 'utf8', shell: true }));
  const tarball = path.join(folder, filename);
  execFileSync('publint', ['run', tarball, '--strict'], { stdio: 'inherit', shell: true });
  execFileSync('attw', [tarball, '--profile', 'strict', '--quiet'], { stdio: 'inherit', shell: true });
} finally {
  rmSync(folder, { recursive: true });
}

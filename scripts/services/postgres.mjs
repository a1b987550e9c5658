import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import * as path from 'node:path';
import { findPostgres } from './programs.mjs';
import { installDebian, startServer } from './server.mjs';

/** PostgreSQL refuses to run as root: then it runs as the user that its package makes. */
function user() {
  if (process.getuid?.() !== 0) return {};
  const id = (/** @type {string} */ kind) => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** @type {import('./server.mjs').Service} */
export const postgres = {
  name: 'postgres',
  how: 'apt-get install postgresql, or brew install postgresql',
  isInstalled: () => findPostgres() !== undefined,
  install: () => installDebian('postgresql'),
  start() {
    const own = user();
    const bin = /** @type {string} */ (findPostgres());
    return startServer({
      user: own,
      url: (port) => `postgresql://postgres@127.0.0.1:${port}/postgres`,
      async prepare(folder) {
        if (own.uid !== undefined) await chown(folder, own.uid, own.gid);
        const options = ['-D', path.join(folder, 'data'), '-U', 'postgres', '--auth=trust', '--no-sync'];
        execFileSync(path.join(bin, 'initdb'), options, { ...own, cwd: folder, stdio: 'ignore' });
      },
      // It takes connections while it starts, and refuses their queries; the eighth line of this file is its state.
      isReady: (folder) =>
        readFileSync(path.join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready',
      command: ({ port, folder }) => [
        path.join(bin, 'postgres'),
        ...['-D', path.join(folder, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F'],
      ],
    });
  },
};

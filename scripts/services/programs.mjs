import { existsSync, readdirSync } from 'node:fs';
import * as path from 'node:path';

/** Folders of programs that are not on the PATH: Debian, Homebrew on Apple silicon and on Intel, MacPorts. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/opt/homebrew/bin', '/opt/local/bin'];
/** Folders with one installation of PostgreSQL each: Debian, Homebrew on Apple silicon and on Intel. */
const POSTGRES_FOLDERS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'];

/**
 * The path of a program; undefined if it is not installed.
 *
 * @param {string} name
 * @param {{ readonly path?: string, readonly platform?: string, readonly exists?: (file: string) => boolean }} [system]
 * @returns {string | undefined}
 */
export function findProgram(
  name,
  { path: list = process.env.PATH ?? '', platform = process.platform, exists = existsSync } = {},
) {
  const isWindows = platform === 'win32';
  const { delimiter, join } = isWindows ? path.win32 : path.posix;
  const folders = [...list.split(delimiter).filter(Boolean), ...(isWindows ? [] : FOLDERS)];
  const names = isWindows ? [`${name}.exe`, `${name}.cmd`, `${name}.bat`] : [name];
  return folders.flatMap((folder) => names.map((file) => join(folder, file))).find(exists);
}

/**
 * The folder of PostgreSQL's programs: initdb is on the PATH in few installations.
 *
 * @returns {string | undefined}
 */
export function findPostgres() {
  const initdb = findProgram('initdb');
  if (initdb && existsSync(path.join(path.dirname(initdb), 'postgres'))) return path.dirname(initdb);
  return POSTGRES_FOLDERS.filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name, 'bin')))
    .find((folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres')));
}

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packedBy } from '../packed.mjs';

// Folders with packages: of this repository, and of the registry.

export const run = promisify(execFile);
export const root = fileURLToPath(new URL('../..', import.meta.url));
const shell = process.platform === 'win32';

/**
 * @param {string} folder
 * @param {readonly string[]} packages
 */
export async function install(folder, packages) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  await run('npm', ['install', ...options, ...packages], { cwd: folder, shell });
}

/**
 * Packs this package.
 *
 * @param {string} folder
 * @returns {Promise<string>} the tarball
 */
export async function pack(folder) {
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...options], { cwd: root, shell });
  return path.join(folder, packedBy(stdout)[0].filename);
}

/**
 * A folder with packages, @keyv/sqlite and tools.
 *
 * @param {string} folder
 * @param {readonly string[]} packages
 * @param {string} tools the folder in which the tools are installed
 */
export async function project(folder, packages, tools) {
  await install(folder, packages);
  // Built by npm ci here, for the runtime without node:sqlite.
  const native = path.join(root, 'node_modules');
  for (const one of ['@keyv/sqlite', 'sqlite3', 'bindings', 'file-uri-to-path']) {
    const target = path.join(folder, 'node_modules', one);
    mkdirSync(path.dirname(target), { recursive: true });
    if (existsSync(path.join(native, one)))
      cpSync(path.join(native, one), target, { recursive: true, dereference: true });
  }
  for (const tool of ['vitest']) {
    symlinkSync(path.join(tools, 'node_modules', tool), path.join(folder, 'node_modules', tool), 'junction');
  }
}

/**
 * Installs a runtime in a folder.
 *
 * @param {string} work
 * @param {import('./tools.mjs').Runtime} runtime
 * @returns {Promise<string>} its program
 */
export async function runtimeIn(work, { name, package: wanted, version, bin }) {
  const folder = path.join(work, name.replaceAll(' ', '-'));
  const program = path.join(folder, 'node_modules', bin);
  if (!existsSync(program)) await install(folder, [`${wanted}@${version}`]);
  return program;
}

/**
 * @param {string} folder
 * @param {string} name a package that is installed in it
 * @returns {string} its version
 */
export function versionIn(folder, name) {
  return JSON.parse(readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

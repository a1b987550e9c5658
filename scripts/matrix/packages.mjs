import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
  return path.join(folder, JSON.parse(stdout)[0].filename);
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

const platform = `${process.platform}-${process.arch}`;
const nodePackage = `node-${platform}`;
const bunPackage = `@oven/bun-${platform}`;
const denoPackage = `@deno/${platform}${process.platform === 'linux' ? '-glibc' : ''}`;

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} package
 * @property {string} bin
 * @property {readonly string[]} [args]
 * @property {true} [all]
 */

/**
 * Runtimes from the registry's packages. The first is the oldest line of Node.js, whose SQLite is @keyv/sqlite. All forms run
 * in two lines of Node.js, the basic ones everywhere.
 *
 * @type {readonly Runtime[]}
 */
export const RUNTIMES = [
  { name: 'Node 20', package: `${nodePackage}@20`, bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 22', package: `${nodePackage}@22`, bin: `${nodePackage}/bin/node` },
  { name: 'Node 24', package: `${nodePackage}@24`, bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 26', package: `${nodePackage}@26`, bin: `${nodePackage}/bin/node` },
  { name: 'Bun', package: bunPackage, bin: `${bunPackage}/bin/bun` },
  { name: 'Deno', package: denoPackage, bin: `${denoPackage}/deno`, args: ['run', '-A'] },
];

/**
 * Installs a runtime in a folder.
 *
 * @param {string} work
 * @param {Runtime} runtime
 * @returns {Promise<string>} its program
 */
export async function runtimeIn(work, { name, package: wanted, bin }) {
  const folder = path.join(work, name.replaceAll(' ', '-'));
  const program = path.join(folder, 'node_modules', bin);
  if (!existsSync(program)) await install(folder, [wanted]);
  return program;
}

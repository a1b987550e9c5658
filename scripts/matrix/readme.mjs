import { exec } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { install, root, run } from './packages.mjs';
import { OLDEST } from './tools.mjs';

// The README's commands and its first program, as they are printed, in an empty folder with each package manager.

const shell = promisify(exec);
/** The native part is compiled if no built one can be downloaded: minutes, on a machine that does other work. */
const LIMIT = 900_000;
const NATIVE = 'sqlite3';
export const NODES = [OLDEST, 'Node 22', 'Node 24'];

/**
 * @typedef {object} Manager
 * @property {string} name
 * @property {string} package
 * @property {string} version
 * @property {string} install how the README's command for it begins
 * @property {(readme: string) => readonly string[]} driver the commands of the README for Node.js without node:sqlite
 * @property {boolean} builds whether it builds native parts without a permission
 */

/** @param {string} readme */
const npmInstall = (readme) => [command(readme, 'npm install @keyv/sqlite')];
/** @type {readonly Manager[]} */
export const MANAGERS = [
  { name: 'npm 10', package: 'npm', version: '10.9.9', install: 'npm install', driver: npmInstall, builds: true },
  { name: 'npm 11', package: 'npm', version: '11.21.2', install: 'npm install', driver: npmInstall, builds: true },
  {
    name: 'npm 12',
    package: 'npm',
    version: '12.2.2',
    install: 'npm install',
    driver: (readme) => [...npmInstall(readme), command(readme, 'npm install-scripts approve')],
    builds: false,
  },
  {
    name: 'pnpm 10',
    package: 'pnpm',
    version: '10.34.9',
    install: 'pnpm add',
    driver: (readme) => [command(readme, 'pnpm add --allow-build')],
    builds: false,
  },
];

/**
 * The command that begins so, from a block or between backticks.
 *
 * @param {string} readme
 * @param {string} start
 * @throws Error if the README has none
 */
function command(readme, start) {
  const index = readme.search(new RegExp(`[\`\n]${start.replaceAll(/[.*+?^$()[\]\\]/g, '\\$&')}`));
  const found = /^[^`\n]+/.exec(readme.slice(index + 1))?.[0];
  if (index === -1 || found === undefined) throw new Error(`README.md has no command "${start}"`);
  return found;
}

/** The environment of a user's shell with this runtime and package manager, without what npm adds to it. */
function environment(node, managerFolder, work) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS|https?_proxy)/i.test(name)),
  );
  const folders = [path.dirname(node), path.join(managerFolder, 'node_modules', '.bin'), env.PATH];
  return { ...env, PATH: folders.join(path.delimiter), XDG_DATA_HOME: path.join(work, 'data'), CI: '1' };
}

/**
 * @param {object} options
 * @param {Manager} options.manager
 * @param {string} options.node the file of the runtime
 * @param {string} options.runtimeName one of {@link NODES}
 * @param {string} options.work for files
 * @param {string} options.tarball
 * @param {string} options.proxy answers every request
 * @returns {Promise<string>} `ok`, or what differs
 */
export async function tryReadme(options) {
  try {
    const { seen, expected } = await asPrinted(options);
    return seen.join('\n') === expected.join('\n') ? 'ok' : `${seen.join('\n')}\ninstead of\n${expected.join('\n')}`;
  } catch (error) {
    const { stderr, stdout, message } = /** @type {{ stderr?: string, stdout?: string, message: string }} */ (error);
    return `${message}\n${stdout ?? ''}\n${stderr ?? ''}`.slice(0, 2_000);
  }
}

/** @returns {Promise<{ seen: readonly string[], expected: readonly string[] }>} what the program prints, and the warnings */
async function asPrinted({ manager, node, runtimeName, work, tarball, proxy }) {
  const managerFolder = path.join(work, manager.name.replace(' ', '-'));
  await install(managerFolder, [`${manager.package}@${manager.version}`]);
  const folder = path.join(work, 'readme', `${manager.name}-${runtimeName}`.replaceAll(' ', '-'));
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8').replaceAll('\r\n', '\n');
  const snippet = /^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';
  const env = environment(node, managerFolder, work);
  mkdirSync(folder, { recursive: true });
  /** @param {string} line */
  const type = (line) => shell(line, { cwd: folder, env, timeout: LIMIT });
  /** Runs the program, and resolves to what it prints and to the number of warnings that have a text. */
  const demo = async (text = '') => {
    // A proxy sees requests of http alone.
    writeFileSync(path.join(folder, 'demo.mjs'), snippet.replaceAll('https://', 'http://'));
    const { stdout, stderr } = await run(node, ['demo.mjs'], { cwd: folder, env: { ...env, http_proxy: proxy } });
    const warnings = stderr.split('\n').filter((line) => line.includes('Warning:'));
    return `${stdout.trim()}; ${warnings.filter((line) => line.includes(text)).length} of ${warnings.length}`;
  };

  const seen = [];
  const expected = [];
  await type(command(readme, `${manager.install} axios-keyv-cache`).replace('axios-keyv-cache', tarball));
  if (runtimeName === OLDEST) {
    const [install = '', ...build] = manager.driver(readme);
    seen.push(await demo(install));
    expected.push('false true; 1 of 1');
    // First without the permission that the README adds.
    if (!manager.builds) {
      await type(install.replace(`--allow-build=${NATIVE} `, ''));
      seen.push(await demo(build[0] ?? install));
      expected.push('false true; 1 of 1');
    }
    for (const line of build.length > 0 && !manager.builds ? build : [install]) await type(line);
    if (manager.install === 'pnpm add') await type(`pnpm rebuild ${NATIVE}`);
  }
  seen.push(await demo(), await demo());
  expected.push('false true; 0 of 0', 'true true; 0 of 0');
  return { seen, expected };
}

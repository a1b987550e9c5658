import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './packages.mjs';
import { CJS, ESM, write } from './programs.mjs';

/** @typedef {import('./forms.mjs').Form} Form */

// Projects that Yarn installed.

/**
 * Installs the project's packages anew.
 *
 * @param {string} project
 * @param {NodeJS.Require} require
 * @param {'node-modules' | 'pnp'} nodeLinker
 */
async function yarnProject(project, require, nodeLinker) {
  const folder = path.join(project, `yarn-${nodeLinker}`);
  if (existsSync(path.join(folder, 'yarn.lock'))) return folder;
  mkdirSync(folder, { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8'));
  const resolved = Object.entries(dependencies).map(([name, range]) => {
    const file = /^file:(.*)/.exec(range)?.[1];
    return [name, file === undefined ? range : `file:${path.resolve(project, file)}`];
  });
  write(folder, 'package.json', JSON.stringify({ private: true, dependencies: Object.fromEntries(resolved) }));
  write(folder, 'yarn.lock', '');
  const settings = [`nodeLinker: ${nodeLinker}`, 'enableTelemetry: false', 'enableScripts: false'];
  write(folder, '.yarnrc.yml', [...settings, `globalFolder: ${path.join(project, 'yarn')}`, ''].join('\n'));
  const yarn = require.resolve('@yarnpkg/cli-dist/bin/yarn.js');
  await run(process.execPath, [yarn, 'install', '--no-immutable'], { cwd: folder });
  return folder;
}

/**
 * @param {'node-modules' | 'pnp'} nodeLinker
 * @param {string} file
 * @param {string} source
 * @returns {Form['prepare']}
 */
const yarn = (nodeLinker, file, source) => async (project, require) => {
  const folder = await yarnProject(project, require, nodeLinker);
  const hooks = [
    '--require',
    path.join(folder, '.pnp.cjs'),
    '--experimental-loader',
    path.join(folder, '.pnp.loader.mjs'),
  ];
  return [...(nodeLinker === 'pnp' ? hooks : []), write(folder, file, source)];
};

/** @type {readonly Form[]} */
export const YARN = [
  {
    name: 'Yarn 4, node_modules',
    prepare: yarn('node-modules', 'main.mjs', ESM),
    tools: ['@yarnpkg/cli-dist'],
    needsNodeSqlite: true,
  },
  {
    name: "Yarn 4, Plug'n'Play, ESM",
    prepare: yarn('pnp', 'main.mjs', ESM),
    tools: ['@yarnpkg/cli-dist'],
    needsNodeSqlite: true,
  },
  {
    name: "Yarn 4, Plug'n'Play, CommonJS",
    prepare: yarn('pnp', 'main.cjs', CJS),
    tools: ['@yarnpkg/cli-dist'],
    needsNodeSqlite: true,
  },
];

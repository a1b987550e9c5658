import { writeFileSync } from 'node:fs';
import path from 'node:path';

// The ways in which a program loads the package: each prepares files and says what to run.

/**
 * @typedef {object} Form
 * @property {string} name
 * @property {(project: string, require: NodeJS.Require) => Promise<readonly string[]>} prepare writes the program, and
 *   resolves to the arguments for the runtime
 */

/** A request twice; the origin and the file come from the environment. Signed, so that jose is needed. */
const BODY = `
  const api = setupCache(axios.create({ proxy: false }), {
    backend: 'sqlite', cacheName: process.env.MATRIX_FILE, secretKey: 'k'.repeat(32),
    onEvent: ({ error }) => { if (error) console.error(error); },
  });
  const first = await api.get(process.env.MATRIX_URL);
  const second = await api.get(process.env.MATRIX_URL);
  await api.detachCache();
  const seen = [first.fromCache, second.fromCache].join();
`;
const IMPORTS = `import axios from 'axios'; import { setupCache } from 'axios-keyv-cache';`;
const REQUIRES = `const axios = require('axios'); const { setupCache } = require('axios-keyv-cache');`;
const ESM = `${IMPORTS} ${BODY} console.log('seen', seen);`;
const CJS = `${REQUIRES} (async () => { ${BODY} console.log('seen', seen); })();`;
const TEST = `test('twice', async () => { ${BODY} console.log('seen', seen); });`;
const ASYNC_ESM = `${IMPORTS} (async () => { ${BODY} console.log('seen', seen); })();`;

/**
 * @param {string} project
 * @param {string} file
 * @param {string} text
 */
function write(project, file, text) {
  const target = path.join(project, file);
  writeFileSync(target, text);
  return target;
}

/** @type {Form['prepare']} */
async function workerThread(project) {
  write(project, 'worker.mjs', ESM);
  return [write(project, 'in-worker.mjs', `import { Worker } from 'node:worker_threads'; new Worker('./worker.mjs');`)];
}

/**
 * @param {string} tool `jest` or `jest29`
 * @param {string} environment
 * @returns {Form['prepare']}
 */
const jest = (tool, environment) => async (project, require) => {
  const name = `${tool}-${environment}`;
  write(project, `${name}.test.js`, `${REQUIRES} ${TEST}`);
  const config = { rootDir: project, testEnvironment: environment, testMatch: [`**/${name}.test.js`], watchman: false };
  const bin = path.join(path.dirname(require.resolve(`${tool}/package.json`)), 'bin/jest.js');
  return [bin, '--config', write(project, `${name}.config.json`, JSON.stringify(config))];
};

/** @type {Form['prepare']} */
async function jestEsm(project, require) {
  write(project, 'jest-esm.test.mjs', `${IMPORTS} ${TEST}`);
  const config = { rootDir: project, testMatch: ['**/jest-esm.test.mjs'], transform: {}, watchman: false };
  const bin = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js');
  const file = write(project, 'jest-esm.config.json', JSON.stringify(config));
  return ['--experimental-vm-modules', bin, '--config', file];
}

/**
 * @param {string} pool
 * @returns {Form['prepare']}
 */
const vitest = (pool) => async (project, require) => {
  write(project, `vitest-${pool}.spec.mjs`, `import { test } from 'vitest'; ${IMPORTS} ${TEST}`);
  const bin = path.join(path.dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
  return [bin, 'run', '--root', project, '--pool', pool, '--disableConsoleIntercept', `vitest-${pool}`];
};

/**
 * @param {'cjs' | 'esm'} format
 * @returns {Form['prepare']}
 */
const esbuild = (format) => async (project, require) => {
  const outfile = path.join(project, `esbuild-${format}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
  const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  await require('esbuild').build({
    stdin: { contents: ASYNC_ESM, resolveDir: project },
    bundle: true,
    platform: 'node',
    format,
    outfile,
    banner: format === 'esm' ? { js } : {},
    logLevel: 'silent',
  });
  return [outfile];
};

/**
 * @param {'cjs' | 'es'} format
 * @returns {Form['prepare']}
 */
const rollup = (format) => async (project, require) => {
  const { rollup: bundle } = require('rollup');
  const plugins = [
    require('@rollup/plugin-node-resolve').nodeResolve({ exportConditions: ['node'], preferBuiltins: true }),
    require('@rollup/plugin-commonjs')(),
    require('@rollup/plugin-json')(),
  ];
  const input = write(project, 'rollup-input.mjs', ASYNC_ESM);
  const built = await bundle({ input, plugins, onwarn() {} });
  const folder = path.join(project, `rollup-${format}`);
  const entryFileNames = format === 'cjs' ? '[name].cjs' : '[name].mjs';
  await built.write({ dir: folder, format, entryFileNames, chunkFileNames: entryFileNames });
  return [path.join(folder, `rollup-input.${format === 'cjs' ? 'cjs' : 'mjs'}`)];
};

/** @type {Form['prepare']} */
async function webpack(project, require) {
  const entry = write(project, 'webpack-input.mjs', ASYNC_ESM);
  const output = { path: path.join(project, 'webpack'), filename: 'main.cjs' };
  const options = { mode: 'production', entry, target: 'node', output };
  await new Promise((resolve, reject) => {
    require('webpack')(options, (/** @type {unknown} */ error, /** @type {any} */ stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
      else resolve(undefined);
    });
  });
  return [path.join(output.path, output.filename)];
}

/** @type {readonly Form[]} */
export const FORMS = [
  { name: 'ESM', prepare: async (project) => [write(project, 'main.mjs', ESM)] },
  { name: 'CommonJS', prepare: async (project) => [write(project, 'main.cjs', CJS)] },
  { name: 'worker thread', prepare: workerThread },
  { name: 'Jest 29', prepare: jest('jest29', 'node') },
  { name: 'Jest 30', prepare: jest('jest', 'node') },
  { name: 'Jest 30, jsdom', prepare: jest('jest', 'jsdom') },
  { name: 'Jest 30, ESM', prepare: jestEsm },
  { name: 'vitest, threads', prepare: vitest('threads') },
  { name: 'vitest, forks', prepare: vitest('forks') },
  { name: 'esbuild, cjs', prepare: esbuild('cjs') },
  { name: 'esbuild, esm', prepare: esbuild('esm') },
  { name: 'rollup, cjs', prepare: rollup('cjs') },
  { name: 'rollup, es', prepare: rollup('es') },
  { name: 'webpack', prepare: webpack },
];

import path from 'node:path';
import { BUNDLERS } from './bundlers.mjs';
import { FRAMEWORKS } from './frameworks.mjs';
import { CJS, ESM, IMPORTS, REQUIRES, TEST, write } from './programs.mjs';
import { YARN } from './yarn.mjs';

// The ways in which a program loads the package: each prepares files and says what to run.

/**
 * @typedef {object} Form
 * @property {string} name
 * @property {(project: string, require: NodeJS.Require) => Promise<readonly string[]>} prepare writes the program, and
 *   resolves to the arguments for the runtime
 * @property {readonly string[]} [tools] names in tools.mjs
 * @property {true} [needsNodeSqlite] not tried where SQLite is @keyv/sqlite
 */

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

/**
 * @param {string} tool `jest` or `jest29`
 * @returns {Form['prepare']}
 */
const jestEsm = (tool) => async (project, require) => {
  const name = `${tool}-esm`;
  write(project, `${name}.test.mjs`, `${IMPORTS} ${TEST}`);
  const config = { rootDir: project, testMatch: [`**/${name}.test.mjs`], transform: {}, watchman: false };
  const bin = path.join(path.dirname(require.resolve(`${tool}/package.json`)), 'bin/jest.js');
  return ['--experimental-vm-modules', bin, '--config', write(project, `${name}.config.json`, JSON.stringify(config))];
};

/** The test as TypeScript, with its types checked. @type {Form['prepare']} */
async function tsJest(project, require) {
  const declarations = `declare const test: (name: string, fn: () => Promise<void>) => void; declare const process: any; declare const console: any;`;
  write(
    project,
    'ts-jest.test.ts',
    `${IMPORTS} ${declarations} ${TEST.replace('const seen =', 'const seen: string =')}`,
  );
  const compilerOptions = {
    module: 'node16',
    moduleResolution: 'node16',
    esModuleInterop: true,
    strict: true,
    types: [],
  };
  const transform = { '\\.ts$': [require.resolve('ts-jest'), { tsconfig: compilerOptions }] };
  const config = { rootDir: project, testMatch: ['**/ts-jest.test.ts'], transform, watchman: false };
  const bin = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js');
  return [bin, '--config', write(project, 'ts-jest.config.json', JSON.stringify(config))];
}

/**
 * @param {string} extension
 * @param {string} source
 * @returns {Form['prepare']}
 */
const tsx = (extension, source) => async (project, require) => {
  const typed = source.replace('const seen =', 'const seen: string =');
  return [require.resolve('tsx/cli'), write(project, `tsx-main.${extension}`, typed)];
};

/** The program in a realm of its own: its options and configs have other prototypes. @type {Form['prepare']} */
async function vm(project) {
  const program = JSON.stringify(CJS);
  const source = `require('node:vm').runInNewContext(${program}, { require, process, console });`;
  return [write(project, 'vm.cjs', source)];
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

/** @type {readonly Form[]} */
export const FORMS = [
  { name: 'ESM', prepare: async (project) => [write(project, 'main.mjs', ESM)] },
  { name: 'CommonJS', prepare: async (project) => [write(project, 'main.cjs', CJS)] },
  { name: 'worker thread', prepare: workerThread },
  { name: 'node:vm', prepare: vm },
  { name: 'tsx, ESM', prepare: tsx('mts', ESM), tools: ['tsx'] },
  { name: 'tsx, CommonJS', prepare: tsx('ts', CJS), tools: ['tsx'] },
  { name: 'Jest 29', prepare: jest('jest29', 'node'), tools: ['jest29'] },
  { name: 'Jest 29, ESM', prepare: jestEsm('jest29'), tools: ['jest29'] },
  { name: 'Jest 30', prepare: jest('jest', 'node'), tools: ['jest'] },
  { name: 'Jest 30, jsdom', prepare: jest('jest', 'jsdom'), tools: ['jest', 'jest-environment-jsdom'] },
  { name: 'Jest 30, ESM', prepare: jestEsm('jest'), tools: ['jest'] },
  { name: 'Jest 30, ts-jest', prepare: tsJest, tools: ['jest', 'ts-jest', 'typescript'] },
  { name: 'vitest, threads', prepare: vitest('threads'), tools: ['vitest'] },
  { name: 'vitest, forks', prepare: vitest('forks'), tools: ['vitest'] },
  ...BUNDLERS,
  ...FRAMEWORKS,
  ...YARN,
];

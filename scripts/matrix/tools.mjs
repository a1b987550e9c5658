// Each runtime, tool and package manager of the loading matrix, with its exact version: a run fails because of this package,
// not because of a release of a tool. axios and Keyv alone are the newest of their lines.

const platform = `${process.platform}-${process.arch}`;
const nodePackage = `node-${platform}`;
const bunPackage = `@oven/bun-${platform}`;
const denoPackage = `@deno/${platform}${process.platform === 'linux' ? '-glibc' : ''}`;

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} package
 * @property {string} version
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
  { name: 'Node 20', package: nodePackage, version: '20.20.2', bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 22', package: nodePackage, version: '22.23.3', bin: `${nodePackage}/bin/node` },
  { name: 'Node 24', package: nodePackage, version: '24.21.0', bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 26', package: nodePackage, version: '26.12.1', bin: `${nodePackage}/bin/node` },
  { name: 'Bun', package: bunPackage, version: '1.4.5', bin: `${bunPackage}/bin/bun` },
  { name: 'Deno', package: denoPackage, version: '2.9.6', bin: `${denoPackage}/deno`, args: ['run', '-A'] },
];
/** The line without `node:sqlite`, which Keyv 6 does not support. */
export const OLDEST = 'Node 20';

/** In one folder. @type {Readonly<Record<string, string>>} */
export const TOOLS = {
  '@rollup/plugin-commonjs': '29.0.3',
  '@rollup/plugin-json': '6.1.0',
  '@rollup/plugin-node-resolve': '16.0.3',
  '@vercel/ncc': '0.45.0',
  '@yarnpkg/cli-dist': '4.18.1',
  esbuild: '0.28.2',
  jest: '30.5.2',
  'jest-environment-jsdom': '30.5.2',
  jest29: 'npm:jest@29.7.0',
  rollup: '4.68.8',
  'ts-jest': '29.4.15',
  tsx: '4.23.15',
  typescript: '6.0.3',
  vite: '8.3.8',
  vitest: '4.1.12',
  webpack: '5.113.0',
};

/** In a folder of their own, which is copied. @type {Readonly<Record<string, string>>} */
export const NEXT = { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };

/**
 * @param {Readonly<Record<string, string>>} versions
 * @returns {readonly string[]} arguments of npm install
 */
export const packagesOf = (versions) => Object.entries(versions).map(([name, version]) => `${name}@${version}`);

/**
 * @param {string} name of a member of {@link TOOLS} or {@link NEXT}
 * @returns {string} its package and version
 */
export function toolLabel(name) {
  const version = TOOLS[name] ?? NEXT[name];
  if (version === undefined) throw new Error(`scripts/matrix/tools.mjs has no ${name}`);
  return version.startsWith('npm:') ? version.slice('npm:'.length).replace('@', ' ') : `${name} ${version}`;
}

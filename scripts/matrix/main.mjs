// Runs the packed package in the runtimes, module systems and tools that programs use: npm run test:matrix
// Each cell is a miss, a hit, a restart, and a hit from the SQLite file of the process before.
// `--write` puts the table into docs/compatibility.md; without it, a difference from that table is a failure.
// `--only TEXT` runs the rows whose name has the text, and compares nothing.

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FORMS } from './forms.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = path.join(root, 'docs', 'compatibility.md');
const START = '<!-- matrix: npm run test:matrix -- --write -->';
const END = '<!-- end of matrix -->';
const LIMIT = 60_000;

const platform = `${process.platform}-${process.arch}`;
const nodePackage = `node-${platform}`;
const bunPackage = `@oven/bun-${platform}`;
const denoPackage = `@deno/${platform}${process.platform === 'linux' ? '-glibc' : ''}`;
/**
 * Runtimes from the registry's packages. The first is the oldest line of Node.js, whose SQLite is @keyv/sqlite. All forms run
 * in two lines of Node.js, the basic ones everywhere.
 *
 * @type {readonly { name: string, package: string, bin: string, args?: readonly string[], all?: true }[]}
 */
const RUNTIMES = [
  { name: 'Node 20', package: `${nodePackage}@20`, bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 22', package: `${nodePackage}@22`, bin: `${nodePackage}/bin/node` },
  { name: 'Node 24', package: `${nodePackage}@24`, bin: `${nodePackage}/bin/node`, all: true },
  { name: 'Node 26', package: `${nodePackage}@26`, bin: `${nodePackage}/bin/node` },
  { name: 'Bun', package: bunPackage, bin: `${bunPackage}/bin/bun` },
  { name: 'Deno', package: denoPackage, bin: `${denoPackage}/deno`, args: ['run', '-A'] },
];
const BASIC = ['ESM', 'CommonJS', 'worker thread'];
const AXIOS = { '1.7.9': 'axios@1.7.9', latest: 'axios@1' };
const KEYV = { 5: 'keyv@5', 6: 'keyv@6' };
const TOOLS = [
  'jest29@npm:jest@29',
  'jest@30',
  'jest-environment-jsdom@30',
  'vitest',
  'esbuild',
  'rollup',
  '@rollup/plugin-node-resolve',
  '@rollup/plugin-commonjs',
  '@rollup/plugin-json',
  'webpack',
];

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const work = mkdtempSync(path.join(tmpdir(), 'akc-matrix-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

/**
 * @param {string} folder
 * @param {readonly string[]} packages
 */
async function install(folder, packages) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  await run('npm', ['install', ...options, ...packages], { cwd: folder, shell: process.platform === 'win32' });
}

/** The packages of a column in a folder of their own, with the packed package and the tools. */
async function column(name, axios, keyv, tools, tarball) {
  const folder = path.join(work, name);
  await install(folder, [axios, keyv, tarball]);
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
  return folder;
}

/** @returns {Promise<{ url: string, count: (path: string) => number, close: () => void }>} */
async function startOrigin() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const server = createServer((request, response) => {
    const asked = request.url ?? '';
    if (request.method === 'GET') counts.set(asked, (counts.get(asked) ?? 0) + 1);
    // For jsdom, whose page is of another origin.
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end('{"a":1}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    count: (asked) => counts.get(asked) ?? 0,
    close: () => void server.close(),
  };
}

/**
 * @param {readonly [file: string, ...args: string[]]} runtime
 * @param {readonly string[]} command
 * @param {Record<string, string>} variables
 * @param {string} cwd
 */
async function seen(runtime, command, variables, cwd) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { cwd, env: { ...env, ...variables, CI: '1' }, timeout: LIMIT };
  const [file, ...args] = runtime;
  const { stdout, stderr } = await run(file, [...args, ...command], options);
  return /seen (\S+)/.exec(stdout + stderr)?.[1] ?? `nothing: ${stderr.slice(0, 500)}`;
}

/** @returns {Promise<string>} the version, or why the cell fails */
async function cell({ runtime, form, folder, require, origin, name }) {
  const place = `/${encodeURIComponent(name)}`;
  const variables = {
    MATRIX_URL: origin.url + place,
    MATRIX_FILE: path.join(work, `${encodeURIComponent(name)}.sqlite`),
  };
  try {
    const command = await form.prepare(folder, require);
    const first = await seen(runtime, command, variables, folder);
    const second = await seen(runtime, command, variables, folder);
    if (first === 'false,true' && second === 'true,true' && origin.count(place) === 1) return 'ok';
    return `${first}; ${second}; ${origin.count(place)} requests`;
  } catch (error) {
    const { stderr = '', message } = /** @type {{ stderr?: string, message: string }} */ (error);
    return (stderr || message).trim().slice(0, 600);
  }
}

const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work], {
  cwd: root,
  shell: process.platform === 'win32',
});
const tarball = path.join(work, JSON.parse(stdout)[0].filename);
const tools = path.join(work, 'tools');
await install(tools, TOOLS);
const columns = [];
for (const [axiosName, axios] of Object.entries(AXIOS)) {
  for (const [keyvName, keyv] of Object.entries(KEYV)) {
    const name = `axios ${axiosName}, Keyv ${keyvName}`;
    columns.push({
      name,
      keyv: keyvName,
      folder: await column(name.replaceAll(/\W+/g, '-'), axios, keyv, tools, tarball),
    });
  }
}
const require = createRequire(path.join(tools, 'index.js'));
const origin = await startOrigin();

const lines = [
  `| runtime | ${columns.map(({ name }) => name).join(' | ')} |`,
  `|---|${columns.map(() => '---|').join('')}`,
];
let failures = 0;
for (const { name: runtimeName, package: wanted, bin, args = [], all } of RUNTIMES) {
  const installed = path.join(work, runtimeName.replaceAll(' ', '-'));
  await install(installed, [wanted]);
  const runtime = /** @type {const} */ ([path.join(installed, 'node_modules', bin), ...args]);
  for (const form of FORMS) {
    if (!all && !BASIC.includes(form.name)) continue;
    const row = `${runtimeName}, ${form.name}`;
    if (only !== undefined && !row.includes(only)) continue;
    const results = [];
    for (const { name, keyv, folder } of columns) {
      // Keyv 6 needs Node 22.19.
      if (keyv === '6' && runtimeName === 'Node 20') {
        results.push('-');
        continue;
      }
      const result = await cell({ runtime, form, folder, require, origin, name: `${row}, ${name}` });
      if (result !== 'ok') {
        failures += 1;
        console.error(`${row}, ${name}: ${result}\n`);
      }
      results.push(result === 'ok' ? 'yes' : 'no');
    }
    lines.push(`| ${row} | ${results.join(' | ')} |`);
    console.log(lines.at(-1));
  }
}
origin.close();

const table = `${START}\n${lines.join('\n')}\n${END}`;
const before = readFileSync(page, 'utf8').replaceAll('\r\n', '\n');
const kept = before.slice(before.indexOf(START), before.indexOf(END) + END.length);
if (process.argv.includes('--write')) writeFileSync(page, before.replace(kept, table));
else if (only === undefined && kept !== table) {
  console.error('docs/compatibility.md has another table: npm run test:matrix -- --write');
  process.exitCode = 1;
}
if (failures > 0) process.exitCode = 1;

// Runs the packed package in the runtimes, module systems and tools that programs use: npm run test:matrix
// Each cell is a miss, a hit, a restart, and a hit from the SQLite file of the process before.
// `--write` puts the table into docs/compatibility.md; without it, a difference from that table is a failure.
// `--only TEXT` runs the rows whose name has the text, and compares nothing.
// The README's commands follow, with each package manager (`--only README`). At the end, processes of Node 20 and 24 share
// one file (`--only "one file"`).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FORMS } from './forms.mjs';
import { install, pack, project, RUNTIMES, root, run, runtimeIn } from './packages.mjs';
import { MANAGERS, NODES, tryReadme } from './readme.mjs';
import { checkSharedFile } from './shared-file/main.mjs';

const page = path.join(root, 'docs', 'compatibility.md');
const START = '<!-- matrix: npm run test:matrix -- --write -->';
const END = '<!-- end of matrix -->';
const LIMIT = 60_000;
/** Name of the check of two versions of Node.js at once, for `--only`. */
const SHARED_FILE = 'one file';

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

const tarball = await pack(work);
const tools = path.join(work, 'tools');
await install(tools, TOOLS);
const columns = [];
for (const [axiosName, axios] of Object.entries(AXIOS)) {
  for (const [keyvName, keyv] of Object.entries(KEYV)) {
    const name = `axios ${axiosName}, Keyv ${keyvName}`;
    const folder = path.join(work, name.replaceAll(/\W+/g, '-'));
    await project(folder, [axios, keyv, tarball], tools);
    columns.push({ name, keyv: keyvName, folder });
  }
}
const require = createRequire(path.join(tools, 'index.js'));
const origin = await startOrigin();

const lines = [
  `| runtime | ${columns.map(({ name }) => name).join(' | ')} |`,
  `|---|${columns.map(() => '---|').join('')}`,
];
let failures = 0;
for (const one of RUNTIMES) {
  const { name: runtimeName, args = [], all } = one;
  for (const form of FORMS) {
    if (!all && !BASIC.includes(form.name)) continue;
    const row = `${runtimeName}, ${form.name}`;
    if (only !== undefined && !row.includes(only)) continue;
    const runtime = /** @type {const} */ ([await runtimeIn(work, one), ...args]);
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

lines.push(
  '',
  "The README's commands and program as printed, in an empty folder; with Node 20 first the warning, then the commands for SQLite:",
  '',
  `| README, by | ${NODES.join(' | ')} |`,
  `|---|${NODES.map(() => '---|').join('')}`,
);
for (const manager of MANAGERS) {
  const row = `README, ${manager.name}`;
  if (only !== undefined && !row.includes(only)) continue;
  const results = [];
  for (const runtimeName of NODES) {
    const node = await runtimeIn(
      work,
      RUNTIMES.find(({ name }) => name === runtimeName),
    );
    const result = await tryReadme({ manager, node, runtimeName, work, tarball, proxy: origin.url });
    if (result !== 'ok') {
      failures += 1;
      console.error(`${row}, ${runtimeName}: ${result}\n`);
    }
    results.push(result === 'ok' ? 'yes' : 'no');
  }
  lines.push(`| ${manager.name} | ${results.join(' | ')} |`);
  console.log(lines.at(-1));
}
origin.close();

if (only === undefined || SHARED_FILE.includes(only)) {
  const runtimes = ['Node 20', 'Node 24'].map((wanted) => RUNTIMES.find(({ name }) => name === wanted));
  const nodes = { 20: await runtimeIn(work, runtimes[0]), 24: await runtimeIn(work, runtimes[1]) };
  const { folder } = columns.find(({ name }) => name === 'axios latest, Keyv 5');
  try {
    await checkSharedFile({ nodes, project: folder, work }, console.log);
  } catch (error) {
    failures += 1;
    console.error(error);
  }
}

const table = `${START}\n${lines.join('\n')}\n${END}`;
const before = readFileSync(page, 'utf8').replaceAll('\r\n', '\n');
const kept = before.slice(before.indexOf(START), before.indexOf(END) + END.length);
if (process.argv.includes('--write')) writeFileSync(page, before.replace(kept, table));
else if (only === undefined && kept !== table) {
  console.error('docs/compatibility.md has another table: npm run test:matrix -- --write');
  process.exitCode = 1;
}
if (failures > 0) process.exitCode = 1;

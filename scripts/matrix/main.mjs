// Runs the packed package in the runtimes, module systems and tools that programs use: npm run test:matrix
// Each cell is a miss, a hit, a restart, and a hit from the SQLite file of the process before.
// `--write` puts each row into docs/compatibility.md as soon as it has run; without it, an answer that differs from the page
// is a failure.
// `--only TEXT` runs the rows whose name has the text; it may be repeated.
// The README's commands follow, with each package manager (`--only README`). At the end, processes of Node 20 and 24 share
// one file (`--only "one file"`).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCell, startOrigin } from './cell.mjs';
import { install, pack, project, root, runtimeIn, versionIn } from './packages.mjs';
import { differencesFrom, pageWith } from './page.mjs';
import { NODES, tryReadme } from './readme.mjs';
import { COLUMNS, README_ROWS, ROWS, tables } from './rows.mjs';
import { checkSharedFile } from './shared-file/main.mjs';
import { NEXT, OLDEST, packagesOf, RUNTIMES, TOOLS, toolLabel } from './tools.mjs';

const page = path.join(root, 'docs', 'compatibility.md');
/** Name of the check of two versions of Node.js at once, for `--only`. */
const SHARED_FILE = 'one file';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, write: { type: 'boolean' } } });
/** @param {string} name */
const isWanted = (name) => values.only?.some((text) => name.includes(text)) ?? true;
const wanted = ROWS.filter(({ name }) => isWanted(name));
const today = new Date().toISOString().slice(0, 10);

const work = mkdtempSync(path.join(tmpdir(), 'akc-matrix-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

/** @param {string} name */
const runtimeNamed = (name) =>
  /** @type {import('./tools.mjs').Runtime} */ (RUNTIMES.find((runtime) => runtime.name === name));
/** @param {import('./tools.mjs').Runtime} runtime */
const runtimeLabel = ({ name, version }) => `${name.replace(/ .*/, '')} ${version}`;

let failures = 0;
/**
 * @param {string} name
 * @param {string} result `ok`, or why it failed
 */
function answer(name, result) {
  if (result === 'ok') return 'yes';
  failures += 1;
  console.error(`${name}: ${result}\n`);
  return 'no';
}

const tarball = await pack(work);
const toolFolder = path.join(work, 'tools');
await install(toolFolder, packagesOf(TOOLS));
const require = createRequire(path.join(toolFolder, 'index.js'));
const columns = [];
for (const { name, packages, keyv } of COLUMNS) {
  const folder = path.join(work, name.replaceAll(/\W+/g, '-'));
  await project(folder, [...packages, tarball], toolFolder);
  const label = `axios ${versionIn(folder, 'axios')}, Keyv ${versionIn(folder, 'keyv')}`;
  columns.push({ name, keyv, folder, label });
}
if (wanted.some(({ form }) => form.tools?.includes('next'))) await install(path.join(work, 'next'), packagesOf(NEXT));
const origin = await startOrigin();

const written = tables(columns.map(({ label }) => label));
const rows = new Map();
/**
 * @param {string} name
 * @param {readonly string[]} cells
 */
function note(name, cells) {
  rows.set(name, cells);
  console.log(`| ${[name, ...cells].join(' | ')} |`);
  if (!values.write) return;
  const text = readFileSync(page, 'utf8').replaceAll('\r\n', '\n');
  writeFileSync(page, pageWith(text, written, rows));
}

for (const { name: row, runtime, form } of wanted) {
  const command = /** @type {const} */ ([await runtimeIn(work, runtime), ...(runtime.args ?? [])]);
  const cells = [];
  for (const { name, keyv, folder } of columns) {
    const isPossible = runtime.name !== OLDEST || keyv !== '6';
    const cell = { command, form, folder, require, origin, work, name: `${row}, ${name}` };
    cells.push(isPossible ? answer(cell.name, await runCell(cell)) : '-');
  }
  const labels = [runtimeLabel(runtime), ...(form.tools ?? []).map(toolLabel)];
  note(row, [...cells, `${today}: ${labels.join(', ')}`]);
}

for (const { name, option, manager } of README_ROWS) {
  if (!isWanted(option)) continue;
  const cells = [];
  for (const runtimeName of NODES) {
    const node = await runtimeIn(work, runtimeNamed(runtimeName));
    const result = await tryReadme({ manager, node, runtimeName, work, tarball, proxy: origin.url });
    cells.push(answer(`${option}, ${runtimeName}`, result));
  }
  note(name, [...cells, `${today}: ${manager.package} ${manager.version}`]);
}
origin.close();

if (isWanted(SHARED_FILE)) {
  const nodes = {
    20: await runtimeIn(work, runtimeNamed('Node 20')),
    24: await runtimeIn(work, runtimeNamed('Node 24')),
  };
  const folder = /** @type {string} */ (columns.find(({ name }) => name === 'axios latest, Keyv 5')?.folder);
  try {
    await checkSharedFile({ nodes, project: folder, work }, console.log);
  } catch (error) {
    failures += 1;
    console.error(error);
  }
}

const differences = differencesFrom(readFileSync(page, 'utf8').replaceAll('\r\n', '\n'), rows);
if (differences.length > 0) {
  console.error(`docs/compatibility.md has other answers for ${differences.join('; ')}: use --write`);
}
if (failures + differences.length > 0) process.exitCode = 1;

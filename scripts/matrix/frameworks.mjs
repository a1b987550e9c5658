import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './packages.mjs';
import { BODY, ESM, IMPORTS, write } from './programs.mjs';

/** @typedef {import('./forms.mjs').Form} Form */

// Servers that build or transform a program.

/** Loads the program through Vite's development server. @type {Form['prepare']} */
async function viteDev(project, require) {
  write(project, 'vite-dev.mjs', ESM);
  const vite = pathToFileURL(path.join(path.dirname(require.resolve('vite/package.json')), 'dist/node/index.js')).href;
  const source = `import { createServer } from '${vite}';
    const server = await createServer({ root: process.cwd(), logLevel: 'error', appType: 'custom', server: { middlewareMode: true, ws: false } });
    await server.ssrLoadModule('/vite-dev.mjs');
    await server.close();`;
  return [write(project, 'in-vite.mjs', source)];
}

/**
 * Starts the built application, asks its route once, and ends it.
 *
 * @param {string} folder
 * @param {string} bin Next.js
 */
const start = (folder, bin) => `import { spawn } from 'node:child_process'; import { createServer } from 'node:net';
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const command = [${JSON.stringify(bin)}, 'start', '-H', '127.0.0.1', '-p', String(port)];
  const options = { cwd: ${JSON.stringify(folder)}, stdio: ['ignore', 'ignore', 'inherit'] };
  const server = spawn(process.execPath, command, options);
  try {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const answer = await fetch('http://127.0.0.1:' + port + '/seen').catch(() => undefined);
      if (answer) { console.log('seen', await answer.text()); break; }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally { server.kill(); }`;

const CONFIG = `export default {
  turbopack: { root: import.meta.dirname }, outputFileTracingRoot: import.meta.dirname };`;
const ROUTE = `${IMPORTS} export const dynamic = 'force-dynamic';
  export async function GET() { ${BODY} return new Response(seen); }`;
const BUILD_LIMIT = 300_000;

/**
 * A route of Next.js, built. Its folder has a copy of the project's packages, since Turbopack follows no link out of it.
 *
 * @param {'--turbopack' | '--webpack'} bundler option of `next build`
 * @returns {Form['prepare']}
 */
const next = (bundler) => async (project) => {
  const folder = path.join(project, 'next');
  const modules = path.join(folder, 'node_modules');
  if (!existsSync(modules)) {
    for (const from of [path.resolve(project, '../next'), project]) {
      cpSync(path.join(from, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });
    }
  }
  mkdirSync(path.join(folder, 'app', 'seen'), { recursive: true });
  write(folder, 'package.json', '{ "private": true, "type": "module" }');
  write(folder, 'next.config.mjs', CONFIG);
  write(folder, 'app/layout.js', 'export default function Layout({ children }) { return children; }');
  write(folder, 'app/seen/route.js', ROUTE);
  rmSync(path.join(folder, '.next'), { recursive: true, force: true });
  const bin = path.join(modules, 'next/dist/bin/next');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  await run(process.execPath, [bin, 'build', bundler], { cwd: folder, env, timeout: BUILD_LIMIT });
  return [write(folder, 'main.mjs', start(folder, bin))];
};

/** @type {readonly Form[]} */
export const FRAMEWORKS = [
  { name: 'Vite, development server', prepare: viteDev, tools: ['vite'] },
  { name: 'Next.js, Turbopack', prepare: next('--turbopack'), tools: ['next'] },
  { name: 'Next.js, webpack', prepare: next('--webpack'), tools: ['next'] },
];

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ASYNC_ESM, CJS, write } from './programs.mjs';

/** @typedef {import('./forms.mjs').Form} Form */

// Bundles: each is built, and run in the folder that has the packages.

/** For output as an ES module: esbuild's has no `require` for built-in modules. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/**
 * @param {'cjs' | 'esm'} format
 * @returns {Form['prepare']}
 */
const esbuild = (format) => async (project, require) => {
  const outfile = path.join(project, `esbuild-${format}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
  await require('esbuild').build({
    stdin: { contents: ASYNC_ESM, resolveDir: project },
    bundle: true,
    platform: 'node',
    format,
    outfile,
    banner: format === 'esm' ? { js: REQUIRE } : {},
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

/** Two entries with common chunks, minified. @type {Form['prepare']} */
async function esbuildSplit(project, require) {
  const outdir = path.join(project, 'esbuild-split');
  const entryPoints = [
    write(project, 'split-main.mjs', ASYNC_ESM),
    write(
      project,
      'split-other.mjs',
      `import { RedisCache } from 'axios-keyv-cache/redis'; console.log(RedisCache.name);`,
    ),
  ];
  await require('esbuild').build({
    entryPoints,
    bundle: true,
    splitting: true,
    minify: true,
    external: ['@keyv/redis'],
    platform: 'node',
    format: 'esm',
    outdir,
    outExtension: { '.js': '.mjs' },
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  return [path.join(outdir, 'split-main.mjs')];
}

/** One minified file of CommonJS. @type {Form['prepare']} */
async function ncc(project, require) {
  const input = write(project, 'ncc-input.js', CJS);
  const { code } = await require('@vercel/ncc')(input, { minify: true, quiet: true, cache: false });
  return [write(project, 'ncc-output.cjs', code)];
}

/**
 * @param {boolean} isBundled whether packages become part of the bundle
 * @returns {Form['prepare']}
 */
const viteBuild = (isBundled) => async (project, require) => {
  const { build } = await import(pathToFileURL(require.resolve('vite')).href);
  const outDir = path.join(project, isBundled ? 'vite-bundled' : 'vite');
  await build({
    root: project,
    logLevel: 'silent',
    build: { ssr: write(project, 'vite-input.mjs', ASYNC_ESM), outDir, emptyOutDir: true },
    ssr: isBundled ? { noExternal: true } : {},
  });
  return [path.join(outDir, readdirSync(outDir).find((file) => file.startsWith('vite-input')) ?? '')];
};

/**
 * @param {Record<string, string>} externals
 * @returns {Form['prepare']}
 */
const webpack = (externals) => async (project, require) => {
  const entry = write(project, 'webpack-input.mjs', ASYNC_ESM);
  const output = { path: path.join(project, 'webpack'), filename: 'main.cjs' };
  const options = { mode: 'production', entry, target: 'node', output, externals };
  await new Promise((resolve, reject) => {
    require('webpack')(options, (/** @type {unknown} */ error, /** @type {any} */ stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
      else resolve(undefined);
    });
  });
  return [path.join(output.path, output.filename)];
};

/** @type {readonly Form[]} */
export const BUNDLERS = [
  { name: 'esbuild, cjs', prepare: esbuild('cjs'), tools: ['esbuild'] },
  { name: 'esbuild, esm', prepare: esbuild('esm'), tools: ['esbuild'] },
  { name: 'esbuild, esm, split and minified', prepare: esbuildSplit, tools: ['esbuild'] },
  { name: 'rollup, cjs', prepare: rollup('cjs'), tools: ['rollup'] },
  { name: 'rollup, es', prepare: rollup('es'), tools: ['rollup'] },
  { name: 'webpack', prepare: webpack({}), tools: ['webpack'] },
  {
    name: 'webpack, externals',
    prepare: webpack({ axios: 'commonjs axios', 'axios-keyv-cache': 'commonjs axios-keyv-cache' }),
    tools: ['webpack'],
  },
  { name: 'Vite, SSR build', prepare: viteBuild(false), tools: ['vite'] },
  { name: 'Vite, SSR build with all packages', prepare: viteBuild(true), tools: ['vite'] },
  { name: 'ncc', prepare: ncc, tools: ['@vercel/ncc'] },
];

// Builds the documentation site: `npm run site` into .site/dist, `npm run site -- FOLDER` elsewhere. The pages are those of
// docs/, the changelog, the examples as recipes, and the API reference from the docstrings of lib/. A dead link is an error.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { build } from 'vitepress';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = path.join(root, 'scripts', 'site');

/**
 * @param {string} output the folder of the built site
 * @returns {Promise<void>}
 */
export async function buildSite(output) {
  // In the repository, so that VitePress finds its packages.
  const pages = mkdtempSync(path.join(root, '.site-'));
  try {
    cpSync(path.join(root, 'docs'), pages, { recursive: true });
    for (const file of readdirSync(pages).filter((name) => name.endsWith('.md'))) linkRecipes(path.join(pages, file));
    for (const name of ['.vitepress', 'index.md'])
      cpSync(path.join(here, name), path.join(pages, name), { recursive: true });
    writeFileSync(path.join(pages, 'changelog.md'), readFileSync(path.join(root, 'CHANGELOG.md')));
    writeFileSync(path.join(pages, 'recipes.md'), recipes());
    await writeApi(path.join(pages, 'api'));
    await build(pages, { outDir: output, emptyOutDir: true });
  } finally {
    rmSync(pages, { recursive: true });
  }
}

/**
 * Replaces links to examples by links to their sections of the page of recipes.
 *
 * @param {string} page
 */
function linkRecipes(page) {
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, text.replaceAll(/\(\.\.\/examples\/([\w-]+)\.ts\)/g, '(recipes.md#$1)'));
}

/** The examples as one page: the comment at the beginning of a file is the introduction of its code. */
function recipes() {
  const sections = readdirSync(path.join(root, 'examples'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const lines = readFileSync(path.join(root, 'examples', file), 'utf8')
        .trimEnd()
        .split('\n');
      const length = lines.findIndex((line) => !line.startsWith('//'));
      const comment = lines.slice(0, length).map((line) => line.replace(/^\/\/ ?/, ''));
      const title = file.replace(/\.ts$/, '').replaceAll('-', ' ');
      const heading = title.charAt(0).toUpperCase() + title.slice(1);
      return [`## ${heading}`, '', ...comment, '', '```ts', ...lines.slice(length + 1), '```', ''].join('\n');
    });
  return `# Recipes\n\nEach is a file of \`examples/\` in the repository, and runs in its tests.\n\n${sections.join('\n')}`;
}

/** @param {string} folder */
async function writeApi(folder) {
  const app = await Application.bootstrapWithPlugins({
    options: path.join(here, 'typedoc.json'),
    out: folder,
    // An option of the theme, which typedoc's types do not have: the folder to which links in the side bar are relative.
    ...{ docsRoot: path.dirname(folder) },
  });
  const project = await app.convert();
  if (!project) throw new Error('typedoc failed');
  app.validate(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('typedoc has warnings');
  await app.generateOutputs(project);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildSite(path.resolve(process.argv[2] ?? path.join(root, '.site', 'dist')));
}

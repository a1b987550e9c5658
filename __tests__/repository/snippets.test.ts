import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { temporaryFolder } from '../support/api.js';
import { sendJson, startOrigin, type TestOrigin } from '../support/origin.js';

/** Every snippet of the README and the docs, and every example, is checked by the compiler and run. */

const run = promisify(execFile);
const root = process.cwd();
/** In the repository, so that the package finds itself and axios. */
const folder = mkdtempSync(path.join(root, '.snippets-'));

const pages = ['README.md', ...markdownIn('docs')];
const snippets = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/^```(ts|js)[^\n]*\n(.*?)^```$/gms)].map((match, index) => ({
    name: `${page}, snippet ${index + 1}`,
    source: match[2] ?? '',
  })),
);
const examples = readdirSync('examples')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ name: `examples/${file}`, source: readFileSync(path.join('examples', file), 'utf8') }));
const programs = [...snippets, ...examples].map((program, index) => ({
  ...program,
  file: path.join(folder, `${index}.ts`),
}));

let origin: TestOrigin;

beforeAll(async () => {
  for (const { file, source } of programs) writeFileSync(file, `${source}\nexport {};\n`);
  // Stands for every host, as a proxy that answers itself.
  origin = await startOrigin(({ url }, response) =>
    sendJson(response, { url }, { 'cache-control': 'max-age=60', etag: '"1"', date: new Date().toUTCString() }),
  );
});

afterAll(async () => {
  await origin.stop();
  rmSync(folder, { recursive: true });
});

function markdownIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(directory, file));
}

test('all of them pass the compiler', () => {
  const { config } = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const loose = { ...options, noUnusedLocals: false, noUnusedParameters: false, isolatedModules: false };
  const program = ts.createProgram(
    programs.map(({ file }) => file),
    loose,
  );
  const found = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const named = programs.find((candidate) => path.resolve(candidate.file) === path.resolve(file?.fileName ?? ''));
    return `${named?.name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(found).toEqual([]);
});

describe('run', () => {
  test.each(programs)('$name', async ({ file, source }) => {
    await using work = await temporaryFolder();
    const script = file.replace(/\.ts$/, '.mjs');
    const { code } = transformSync(source.replaceAll('https://', 'http://'), {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
    });
    writeFileSync(script, code);
    const env = { ...process.env, http_proxy: origin.url, NODE_OPTIONS: '' };
    await run(process.execPath, [script], { cwd: work.path, env, timeout: 15_000 });
  });
});

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';

const run = promisify(execFile);

/** A TypeScript program of a test, to be run in processes of its own. */
export interface Program extends AsyncDisposable {
  readonly file: string;
  /** Runs it to its end, and resolves to its output. */
  run(...args: readonly string[]): Promise<string>;
  /** The same with further variables of the environment. */
  runWith(variables: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string>;
}

/** @param source may import from the project's root, as `./lib/index.js` */
export function program(source: string): Program {
  // Beside the packages that it imports.
  const file = path.join(process.cwd(), 'node_modules', `.program-${randomBytes(6).toString('hex')}.mjs`);
  buildSync({
    stdin: { contents: source, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile: file,
    logLevel: 'error',
  });
  const runWith: Program['runWith'] = async (variables, ...args) => {
    const env = { ...process.env, ...variables };
    return (await run(process.execPath, ['--no-warnings', '--unhandled-rejections=strict', file, ...args], { env }))
      .stdout;
  };
  return {
    file,
    run: (...args) => runWith({}, ...args),
    runWith,
    [Symbol.asyncDispose]: () => rm(file, { force: true }),
  };
}

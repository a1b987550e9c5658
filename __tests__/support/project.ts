import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from '@jest/globals';

/** The packed package in an empty project, beside axios, as users install it. */

/** The packages that npm installs with this one. */
export const DEPENDENCIES = ['axios', 'jose', 'keyv'];

const run = promisify(execFile);
const root = process.cwd();

let packing: Promise<string> | undefined;

afterAll(async () => {
  if (packing) rmSync(path.dirname(await packing), { recursive: true });
});

/** The folder of the tarball's content; packed once in a test file, since that takes seconds. */
function packed(): Promise<string> {
  packing ??= pack();
  return packing;
}

async function pack(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'akc-packed-'));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  // Through a shell, since npm is a script in Windows.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root, shell: true });
  await run('tar', ['xzf', `axios-keyv-cache-${version}.tgz`], { cwd: folder });
  return path.join(folder, 'package');
}

/**
 * A project with the tarball's content, and links to the packages that npm would install beside it.
 *
 * @param axios the installed package that takes the place of axios
 */
export async function project(folder: string, packages: readonly string[], axios = 'axios'): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  mkdirSync(path.join(modules, '@keyv'), { recursive: true });
  cpSync(await packed(), path.join(modules, 'axios-keyv-cache'), { recursive: true });
  for (const name of packages) {
    const target = path.join(root, 'node_modules', name === 'axios' ? axios : name);
    symlinkSync(target, path.join(modules, name), 'junction');
  }
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
}

/** Makes a package of one CommonJS file. */
export function install(folder: string, name: string, source: string): void {
  const target = path.join(folder, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  writeFileSync(path.join(target, 'index.js'), source);
}

/** A program's first lines, by module system. */
export const LOADED = {
  esm: `import axios from 'axios'; import { setupCache } from 'axios-keyv-cache';`,
  cjs: `const axios = require('axios'); const { setupCache } = require('axios-keyv-cache');`,
};

/** A miss and a hit, signed and encrypted, so that jose is needed. */
export const SIGNED = `
  const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
  const key = 'k'.repeat(32);
  const api = setupCache(axios.create({ adapter }), { backend: 'memory', secretKey: key, encryptionKey: key });
  const first = await api.get('http://localhost/');
  const second = await api.get('http://localhost/');
  const seen = [first.fromCache, second.fromCache].join();`;

export interface Compilation {
  /** The installed package that is the compiler. Default: `typescript`. */
  readonly compiler?: string;
  /** Options of the compiler beside those of all compilations. */
  readonly options?: object;
  /** Programs by file name. Default: `__tests__/types/program.mts` as an ES module and as CommonJS. */
  readonly programs?: Readonly<Record<string, string>>;
}

/**
 * Returns the compiler's messages for programs that use the package's types, in a project without @types/node and with
 * the declarations of all packages checked; nothing if all is well.
 */
export async function compiled(
  folder: string,
  { compiler = 'typescript', options = {}, programs = typedPrograms() }: Compilation = {},
): Promise<string> {
  for (const [file, source] of Object.entries(programs)) writeFileSync(path.join(folder, file), source);
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    module: 'nodenext',
    moduleResolution: 'nodenext',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
    ...options,
  };
  const config = { compilerOptions, files: Object.keys(programs) };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(root, 'node_modules', compiler, 'bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', '.'], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  return stdout;
}

function typedPrograms(): Record<string, string> {
  const source = readFileSync(path.join(root, '__tests__/types/program.mts'), 'utf8');
  return {
    'main.mts': source,
    'main.cts': source.replace("import axios from 'axios';", "import axios = require('axios');"),
  };
}

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';

/** The packed package in an empty project, beside axios: what users get. */

/** The packages that npm installs with this one. */
export const DEPENDENCIES = [
  'axios',
  'fastest-levenshtein',
  'jose',
  'keyv',
  'lossless-json',
  'lru-cache',
  'structured-headers',
];

const run = promisify(execFile);
const root = process.cwd();

let packing: Promise<string> | undefined;

/** The folder of the tarball's content; packed once in a test file, since that takes seconds. */
function packed(): Promise<string> {
  packing ??= pack();
  return packing;
}

async function pack(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'akc-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
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

const CHECKED = `
const api = setupCache(axios.create(), { expireAfter: '6m', allowableCodes: [200] });
api.get('http://localhost/', { expireAfter: { minutes: 1 }, refresh: true }).then(({ fromCache, expires, history }) => {
  const told: [boolean | undefined, Date | null | undefined, number | undefined] = [fromCache, expires, history?.length];
  return told;
});
const child: CachedAxiosInstance = setupCache(axios.create(), { backend: RedisCache, cacheName: 'child' });
child.interceptors.response.use((response) => (response.cacheStatus ? response : response));
class Client extends CacheMixin(axios.Axios) {}
const client: Promise<boolean | undefined> = new Client({}, { backend: 'memory' }).get('/').then(({ fromCache }) => fromCache);
const count: Promise<number> = new CachedAxios({}, { expireAfter: -1 }).cache.responseCount();
// @ts-expect-error
setupCache(axios.create(), { expireAfterwards: 1 });
// @ts-expect-error
setupCache(axios.create(), { backend: 'memory', backendOptions: { busyTimeout: 1 } });
setupCache(axios.create(), { backend: 'sqlite', backendOptions: { busyTimeout: 1 } });
setupCache(axios.create(), { backend: 'redis', backendOptions: { clusterOptions: { rootNodes: [{ url: 'redis://a' }] } } });
// @ts-expect-error
setupCache(axios.create(), { backend: 'redis', backendOptions: { sentinelOptions: 'redis://a' } });
// @ts-expect-error
setupCache(axios.create(), { backend: 'mongodb', backendOptions: { clusterOptions: {} } });
// @ts-expect-error
api.get('http://localhost/', { allowableCodes: '200' });
`;

/** What the compiler finds in programs that use the package's types, as ESM and as CJS; nothing where all is well. */
export async function compiled(folder: string): Promise<string> {
  const imports = `import { CachedAxios, type CachedAxiosInstance, CacheMixin, setupCache } from 'axios-keyv-cache';
    import { RedisCache } from 'axios-keyv-cache/redis';\n`;
  writeFileSync(path.join(folder, 'main.mts'), `import axios from 'axios';\n${imports}${CHECKED}`);
  writeFileSync(path.join(folder, 'main.cts'), `import axios = require('axios');\n${imports}${CHECKED}`);
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,dom,esnext.disposable',
    '--types',
    'node',
    '--typeRoots',
    path.join(root, 'node_modules/@types'),
  ];
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [compiler, ...options, 'main.mts', 'main.cts'], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error);
  return stdout;
}

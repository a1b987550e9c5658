import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';

/** The packed package in an empty project, beside axios: what users get. */

const run = promisify(execFile);
const root = process.cwd();

/** A project with the tarball's content, and links to what npm would install beside it. */
export async function project(folder: string, packages: readonly string[], axios = 'axios'): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  mkdirSync(path.join(modules, '@keyv'), { recursive: true });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  await run('tar', ['xzf', path.join(folder, 'axios-keyv-cache-0.1.0.tgz'), '-C', folder]);
  renameSync(path.join(folder, 'package'), path.join(modules, 'axios-keyv-cache'));
  for (const name of packages) {
    symlinkSync(path.join(root, 'node_modules', name === 'axios' ? axios : name), path.join(modules, name));
  }
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
}

export const DEPENDENCIES = ['axios', 'jose', 'keyv', 'lossless-json', 'lru-cache'];

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

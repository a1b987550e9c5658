import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { VERSION } from '../../lib/platform/version.js';
import { temporaryFolder } from '../support/api.js';
import { startOrigin } from '../support/origin.js';
import { DEPENDENCIES, install, LOADED, project, SIGNED } from '../support/project.js';

/** The packed package in the module systems and tools that programs use. `npm run test:matrix` tries more of them. */

const run = promisify(execFile);
const root = process.cwd();

/** Writes a program into the project, runs it, and resolves to its lines. */
async function output(folder: string, file: string, source: string): Promise<string[]> {
  writeFileSync(path.join(folder, file), source);
  const { stdout } = await run(process.execPath, ['--unhandled-rejections=strict', file], { cwd: folder });
  return stdout.trim().split('\n');
}

const ADAPTER = `const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });`;
test("Jest's default mode, which loads CommonJS alone", async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  writeFileSync(
    path.join(folder.path, 'signed.test.js'),
    `${LOADED.cjs} test('signed', async () => { ${SIGNED} expect(seen).toBe('false,true'); });`,
  );
  expect(await runJest(folder.path)).toContain('1 passed');
});

/** Runs the tests of a folder in Jest's default mode; resolves to its report. */
async function runJest(folder: string): Promise<string> {
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  const options = ['--rootDir', folder, '--cacheDirectory', path.join(folder, 'cache'), '--no-watchman'];
  const { NODE_OPTIONS: _, ...env } = process.env;
  return (await run(process.execPath, [jest, ...options], { cwd: folder, env })).stderr;
}

test('the example with fake timers of Jest passes', async () => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin();
  await project(folder.path, DEPENDENCIES);
  const [, example = ''] = /^```javascript\n(.*?)^```$/ms.exec(readFileSync('docs/testing.md', 'utf8')) ?? [];
  writeFileSync(path.join(folder.path, 'example.test.js'), example.replaceAll('https://example.org/', origin.url));
  expect(await runJest(folder.path)).toContain('1 passed');
  expect(origin.asked).toHaveLength(2);
});

test('node:vm, in a realm without Symbol.dispose, import(), and what jsdom lacks', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const program = `(async () => { ${LOADED.cjs} ${SIGNED}
    const disabled = api.cacheDisabled();
    const { cacheStatus } = await api.get('http://localhost/');
    disabled.dispose();
    report([seen, /detail=disabled/.test(cacheStatus), typeof Symbol.dispose]); })()`;
  const source = `const { readFileSync } = require('node:fs'); const { createRequire } = require('node:module');
    const path = require('node:path'); const vm = require('node:vm');
    const builtIn = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)'));
    const missing = /^(global.*|Text.*|atob|btoa|crypto|Crypto.*|ReadableStream|MessageChannel|setImmediate|Response|fetch)$/;
    const web = Object.getOwnPropertyNames(globalThis).filter((name) => !builtIn.has(name) && !missing.test(name));
    const context = vm.createContext(Object.fromEntries(web.map((name) => [name, globalThis[name]])));
    const cache = new Map();
    // Files of the package are compiled in the realm, as Jest does it.
    const load = (file) => {
      if (cache.has(file)) return cache.get(file).exports;
      const module = { exports: {} };
      cache.set(file, module);
      const own = createRequire(file);
      const require = Object.assign((name) => {
        const found = own.resolve(name);
        return found.includes('axios-keyv-cache') ? load(found) : own(name);
      }, { resolve: own.resolve });
      const code = '(function (module, exports, require, __filename, __dirname) {' + readFileSync(file, 'utf8') + '\\n})';
      vm.runInContext(code, context, { filename: file })(module, module.exports, require, file, path.dirname(file));
      return module.exports;
    };
    context.report = (seen) => console.log(...seen);
    load(require('node:path').resolve('inner.cjs'));`;
  writeFileSync(path.join(folder.path, 'inner.cjs'), program);
  expect(await output(folder.path, 'main.cjs', source)).toEqual(['false,true true undefined']);
});

/** Ways in which `@keyv/redis` may be installed and not load, each with the code that is expected. */
const BROKEN: [string, Record<string, string>, string][] = [
  ['CommonJS that throws', { 'index.js': `throw new Error('not built');` }, 'ERR_CACHE_BROKEN_PACKAGE'],
  [
    'CommonJS that throws and leaves a function for stack traces that throws too',
    { 'index.js': `Error.prepareStackTrace = () => { throw new Error('no trace'); }; throw new Error('not built');` },
    'ERR_CACHE_BROKEN_PACKAGE',
  ],
  [
    'an ES module that imports CommonJS that throws',
    {
      'package.json': `{ "type": "module", "exports": "./index.js" }`,
      'index.js': `import native from './native.cjs'; export default native;`,
      'native.cjs': `throw new Error('not built');`,
    },
    'ERR_CACHE_BROKEN_PACKAGE',
  ],
  [
    'the same, for import alone',
    {
      'package.json': `{ "type": "module", "exports": { ".": { "import": "./index.js" } } }`,
      'index.js': `import native from './native.cjs'; export default native;`,
      'native.cjs': `throw new Error('not built');`,
    },
    'ERR_CACHE_BROKEN_PACKAGE',
  ],
  ['a dependency that is missing', { 'index.js': `require('not-installed');` }, 'ERR_CACHE_BROKEN_PACKAGE'],
  ['a syntax error', { 'index.js': `}` }, 'ERR_CACHE_BROKEN_PACKAGE'],
  ['a value that is thrown', { 'index.js': `throw undefined;` }, 'ERR_CACHE_BROKEN_PACKAGE'],
  ['nothing at all', {}, 'ERR_CACHE_MISSING_PACKAGE'],
];

describe.each(BROKEN)('a client with %s', (_, files, code) => {
  test.each(['mjs', 'cjs'])('as %s: a coded error, and the process goes on', async (extension) => {
    await using folder = await temporaryFolder();
    await project(folder.path, DEPENDENCIES);
    const client = path.join(folder.path, 'node_modules/@keyv/redis');
    if (Object.keys(files).length > 0) mkdirSync(client);
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(client, file), content);
    const body = `
      (async () => {
        const codes = [];
        const note = (error) => codes.push(error.code, error.message.includes('npm install @keyv/redis'));
        try {
          const api = setupCache(axios.create(), { backend: 'redis' });
          await api.cache.ready().catch(note);
        } catch (error) { note(error); }
        await new Promise((resolve) => setTimeout(resolve, 100));
        console.log(codes.join());
        if (!new Error('with a trace').stack.includes('with a trace')) process.exit(1);
      })();`;
    const source = `${LOADED[extension === 'mjs' ? 'esm' : 'cjs']} ${body}`;
    expect(await output(folder.path, `main.${extension}`, source)).toEqual([`${code},true`]);
  });
});

test('a client that lacks its native part: the commands of each package manager', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  install(folder.path, '@keyv/sqlite', `throw new Error('Could not locate the bindings file. Tried:\\n /a');`);
  const source = `${LOADED.esm}
    const options = { backend: 'sqlite', backendOptions: process.getBuiltinModule?.('node:sqlite') ? { driver: 'keyv' } : {} };
    await setupCache(axios.create(), options).cache.ready().catch((error) => console.log(error.message));`;
  const [message] = await output(folder.path, 'main.mjs', source);
  expect(message).toMatch(/\(Could not locate the bindings file\. Tried:\)/);
  for (const command of [
    'npm install-scripts approve sqlite3 && npm rebuild sqlite3',
    'npm rebuild sqlite3',
    'pnpm add --allow-build=sqlite3 @keyv/sqlite && pnpm rebuild sqlite3',
    '"dependenciesMeta": { "sqlite3": { "built": true } }',
  ]) {
    expect(message).toContain(command);
  }
});

const MISSING: [string, string][] = [
  [`{ backend: 'redis' }`, '@keyv/redis'],
  [`{ backend: 'mongodb' }`, '@keyv/mongo'],
  [`{ backend: 'gridfs' }`, '@keyv/mongo'],
  [`{ backend: 'dynamodb' }`, '@keyv/dynamo'],
  [`{ backend: 'memory', serializer: 'bson' }`, 'bson'],
  [`{ backend: 'memory', serializer: 'yaml' }`, 'yaml'],
];

test('a client that is not installed: the command of each package manager', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const attempts = [
    ...MISSING.map(([options]) => options),
    `{ backend: 'sqlite', backendOptions: { driver: 'keyv' } }`,
  ];
  const source = `${LOADED.esm}
    for (const options of [${attempts.join()}]) {
      try { setupCache(axios.create(), options); } catch (error) { console.log(error.code, error.message); }
    }`;
  const lines = await output(folder.path, 'main.mjs', source);
  const anywhere = MISSING.map(([, name]) =>
    expect.stringContaining(
      `npm install ${name}, pnpm add ${name}, yarn add ${name}, bun add ${name} or deno add npm:${name}`,
    ),
  );
  const native = expect.stringContaining(
    'npm install @keyv/sqlite (npm 12: then npm install-scripts approve sqlite3 && npm rebuild sqlite3), ' +
      'pnpm add --allow-build=sqlite3 @keyv/sqlite, or yarn add @keyv/sqlite keyv@5 after "dependenciesMeta"',
  );
  expect(lines).toEqual([...anywhere, native]);
  expect(lines.every((line) => line.startsWith('ERR_CACHE_MISSING_PACKAGE '))).toBe(true);
});

test("a client whose peer dependency Yarn's Plug'n'Play does not find: the command", async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const members = `{ code: 'MODULE_NOT_FOUND', pnpCode: 'MISSING_PEER_DEPENDENCY', data: { dependencyName: 'keyv' } }`;
  install(folder.path, '@keyv/sqlite', `throw Object.assign(new Error('not provided'), ${members});`);
  const source = `${LOADED.esm}
    const options = { backend: 'sqlite', backendOptions: { driver: 'keyv' } };
    await setupCache(axios.create(), options).cache.ready().catch((error) => console.log(error.code, error.message));
    console.log(fs.existsSync('http_cache.sqlite'));`;
  const lines = await output(folder.path, 'main.mjs', `import fs from 'node:fs'; ${source}`);
  expect(lines).toEqual([
    'ERR_CACHE_BROKEN_PACKAGE backend "sqlite" cannot load the package @keyv/sqlite (not provided); install what it needs: yarn add keyv',
    'false',
  ]);
});

test('both builds in one process are one product', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const source = `import axios from 'axios'; import * as esm from 'axios-keyv-cache'; import { createRequire } from 'node:module';
    const cjs = createRequire(import.meta.url)('axios-keyv-cache');
    ${ADAPTER}
    const report = (name, value) => console.log(name, value);
    const attempt = async (work) => { try { return await work(); } catch (error) { return error.code ?? error.message; } };
    if (esm.setupCache === cjs.setupCache) throw new Error('one build');

    const api = esm.setupCache(axios.create({ adapter }), { backend: 'memory' });
    report('set up twice', await attempt(() => cjs.setupCache(api)));
    report('cache passed across', cjs.setupCache(axios.create(), { backend: api.cache }).cache === api.cache);
    report('class passed across', cjs.setupCache(axios.create(), { backend: esm.MemoryCache }).cache instanceof cjs.MemoryCache);
    report('classes', [api.cache instanceof cjs.BaseCache, api.cache instanceof cjs.MemoryCache, api.cache instanceof cjs.SqliteCache]);
    class Own extends cjs.MemoryCache {}
    report('a subclass', [api.cache instanceof Own, new Own() instanceof esm.MemoryCache]);
    await api.get('http://localhost/');
    const [response] = await Array.fromAsync?.(api.cache.values()) ?? [await api.cache.values().next().then(({ value }) => value)];
    report('a response', [response instanceof cjs.CachedResponse, response.request instanceof cjs.CachedRequest]);
    report('copied', (await new cjs.MemoryCache().saveResponse(response)) === response.cacheKey);
    report('errors', await attempt(async () => { await new esm.KeyvCache({ get() {}, set() {}, delete() {}, clear() {} }).keys().next(); }));
    try { await new esm.KeyvCache({ get() {}, set() {}, delete() {}, clear() {} }).keys().next(); } catch (error) {
      report('error classes', [error instanceof cjs.CacheError, error instanceof cjs.UnsupportedOperationError]);
    }

    esm.installCache({ backend: 'memory' });
    const ask = async () => (await axios.get('http://localhost/', { adapter })).fromCache;
    await ask();
    report('installed', [cjs.isInstalled(), cjs.getCache() === esm.getCache(), await ask()]);
    report('disabled', await cjs.disabled(ask));
    report('enabled', await cjs.enabled({ backend: 'memory' }, async () => [await ask(), esm.getCache() === cjs.getCache()]));
    cjs.installCache({ backend: 'memory' });
    report('replaced', [esm.isInstalled(), await ask()]);
    await esm.uninstallCache();
    report('uninstalled', [cjs.isInstalled(), await ask()]);
    await api.detachCache();
    report('set up anew', cjs.setupCache(api, { backend: 'memory' }) === api);`;
  expect(await output(folder.path, 'main.mjs', source)).toEqual([
    'set up twice ERR_CACHE_STATE',
    'cache passed across true',
    'class passed across true',
    'classes [ true, true, false ]',
    'a subclass [ false, true ]',
    'a response [ true, true ]',
    'copied true',
    'errors ERR_CACHE_UNSUPPORTED',
    'error classes [ true, true ]',
    'installed [ true, true, true ]',
    'disabled undefined',
    'enabled [ false, true ]',
    'replaced [ true, false ]',
    'uninstalled [ false, undefined ]',
    'set up anew true',
  ]);
});

test('another version of the package stays separate', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const modules = path.join(folder.path, 'node_modules');
  const other = path.join(modules, 'other-version');
  cpSync(path.join(modules, 'axios-keyv-cache'), other, { recursive: true });
  const edit = `const fs = require('node:fs'); for (const file of fs.readdirSync('.')) if (/\\.c?js$/.test(file))
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll("${VERSION}", "0.0.9"));`;
  await run(process.execPath, ['-e', edit], { cwd: path.join(other, 'dist') });
  const source = `import axios from 'axios'; import * as one from 'axios-keyv-cache'; import * as other from './node_modules/other-version/dist/index.js';
    ${ADAPTER}
    one.installCache({ backend: 'memory' });
    console.log(other.isInstalled());
    other.installCache({ backend: 'memory' });
    const ask = async () => (await axios.get('http://localhost/', { adapter })).fromCache;
    console.log(await ask(), await ask());
    await one.uninstallCache();
    console.log(await ask());
    await other.uninstallCache();
    console.log(await ask());
    const api = other.setupCache(one.setupCache(axios.create({ adapter }), { backend: 'memory' }), { backend: 'memory' });
    console.log((await api.get('http://localhost/')).fromCache, (await api.get('http://localhost/')).fromCache);
    await api.detachCache();`;
  expect(await output(folder.path, 'main.mjs', source)).toEqual([
    'false',
    'false true',
    'true',
    'undefined',
    'false true',
  ]);
});

test('copies of axios: own classes and adapters, with and without the copy itself', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const sdk = path.join(folder.path, 'node_modules/sdk/node_modules');
  mkdirSync(sdk, { recursive: true });
  cpSync(path.join(root, 'node_modules/axios-oldest'), path.join(sdk, 'axios'), { recursive: true });
  for (const name of ['follow-redirects', 'form-data', 'proxy-from-env']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(folder.path, 'node_modules', name), 'junction');
  }
  const source = `import axios from 'axios'; import http from 'node:http'; import { createRequire } from 'node:module';
    import { cachingAdapter, disabled, installCache, setupCache, uninstallCache } from 'axios-keyv-cache';
    const copy = createRequire(new URL('./node_modules/sdk/index.js', import.meta.url))('axios');
    const server = http.createServer((request, response) => {
      if (request.url === '/slow') return;
      response.writeHead(request.url === '/denied' ? 403 : 200, { 'content-type': 'application/json' }).end('{"a":1}');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = 'http://127.0.0.1:' + server.address().port;
    const errorOf = (promise) => promise.then(() => 'none', (error) => error);
    const names = (error) => [error instanceof copy.AxiosError, error instanceof copy.CanceledError, error.code, error instanceof axios.AxiosError];
    const check = async (what, api) => {
      console.log(what, names(await errorOf(api.get(base + '/denied'))));
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      console.log(what, names(await errorOf(api.get(base + '/slow', { signal: controller.signal }))));
      console.log(what, names(await errorOf(api.get(base + '/slow', { timeout: 50 }))));
      console.log(what, names(await errorOf(api.get('http://127.0.0.1:1/'))));
      const first = await api.get(base + '/a');
      const second = await api.get(base + '/a');
      console.log(what, first.fromCache, second.fromCache, second.headers instanceof copy.AxiosHeaders, second.data.a, Array.isArray(second.config.adapter) || second.config.adapter === adapter);
    };
    const adapter = cachingAdapter({ backend: 'memory' });
    const given = copy.create({ proxy: false, adapter });
    // No instance of the copy has been set up before.
    await check('adapter', given);
    const build = createRequire(import.meta.url)('axios');
    const error = await errorOf(build.get(base + '/denied', { adapter, proxy: false }));
    console.log('other build', [build === axios, error instanceof build.AxiosError, error instanceof axios.AxiosError]);
    await adapter.close();
    console.log('closed', (await given.get(base + '/a')).cacheStatus);
    const plain = copy.create({ proxy: false });
    const api = setupCache(plain, { backend: 'memory' });
    await check('instance', api);
    class Client extends copy.Axios {}
    await check('subclass', setupCache(new Client({ ...copy.defaults, proxy: false }), { backend: 'memory' }));
    installCache({ backend: 'memory' });
    console.log('not covered', (await copy.get(base + '/a')).fromCache);
    installCache({ backend: 'memory', copies: [copy] });
    await check('covered', copy.create({ proxy: false }));
    console.log('disabled', (await disabled(() => copy.get(base + '/a'))).fromCache);
    await uninstallCache();
    console.log('uninstalled', (await copy.get(base + '/a')).fromCache);
    server.close();
    server.closeAllConnections();`;
  const served = (what: string) => [
    `${what} [ true, false, 'ERR_BAD_REQUEST', false ]`,
    `${what} [ true, true, 'ERR_CANCELED', false ]`,
    `${what} [ true, false, 'ECONNABORTED', false ]`,
    `${what} [ true, false, 'ECONNREFUSED', false ]`,
    `${what} false true true 1 true`,
  ];
  expect(await output(folder.path, 'main.mjs', source)).toEqual([
    ...served('adapter'),
    'other build [ false, true, false ]',
    expect.stringContaining('closed'),
    ...served('instance'),
    ...served('subclass'),
    'not covered undefined',
    ...served('covered'),
    'disabled undefined',
    'uninstalled undefined',
  ]);
});

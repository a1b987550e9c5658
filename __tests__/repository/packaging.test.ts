import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/api.js';
import { DEPENDENCIES, project } from '../support/project.js';

const run = promisify(execFile);

const PROGRAM = `
  const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
  const api = setupCache(axios.create({ adapter }));
  await api.get('http://localhost/');
  const { fromCache } = await api.get('http://localhost/');
  console.log(fromCache, api.cache.constructor.name);
  await api.detachCache();
`;
const ESM = `import axios from 'axios'; import { setupCache } from 'axios-keyv-cache'; ${PROGRAM}`;
const CJS = `const axios = require('axios'); const { setupCache } = require('axios-keyv-cache'); (async () => { ${PROGRAM} })();`;

/** Then nothing has to be installed or built for SQLite. */
const hasNodeSqlite = isBuiltin('node:sqlite');

describe.each([
  ['with @keyv/sqlite', [...DEPENDENCIES, '@keyv/sqlite'], 'true DefaultCache\n', 0],
  [
    'without @keyv/sqlite',
    DEPENDENCIES,
    hasNodeSqlite ? 'true DefaultCache\n' : 'true MemoryCache\n',
    hasNodeSqlite ? 0 : 1,
  ],
])('%s', (_, packages, expected, warnings) => {
  test.each([
    ['ESM', 'main.mjs', ESM],
    ['CJS', 'main.cjs', CJS],
  ])('%s', async (_kind, file, source) => {
    await using folder = await temporaryFolder();
    await project(folder.path, packages);
    writeFileSync(path.join(folder.path, file), source);
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder.path });
    expect([stdout, stderr.match(/CacheWarning/g)?.length ?? 0]).toEqual([expected, warnings]);
    expect(existsSync(path.join(folder.path, 'http_cache.sqlite'))).toBe(expected.includes('DefaultCache'));
  });
});

test('with an @keyv/sqlite that does not load: memory by default, an error for a named backend', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const broken = path.join(folder.path, 'node_modules/@keyv/sqlite');
  mkdirSync(broken);
  writeFileSync(path.join(broken, 'index.js'), 'throw new Error("never built");');
  writeFileSync(path.join(folder.path, 'default.mjs'), ESM);
  const { stdout, stderr } = await run(process.execPath, ['default.mjs'], { cwd: folder.path });
  expect([stdout, stderr.match(/CacheWarning/g)?.length ?? 0]).toEqual(['true DefaultCache\n', hasNodeSqlite ? 0 : 1]);
  writeFileSync(
    path.join(folder.path, 'named.mjs'),
    ESM.replace(
      'axios.create({ adapter })',
      "axios.create({ adapter }), { backend: 'sqlite', backendOptions: { driver: 'keyv' } }",
    ),
  );
  await expect(run(process.execPath, ['named.mjs'], { cwd: folder.path })).rejects.toMatchObject({
    stderr: expect.stringContaining('ERR_CACHE_BROKEN_PACKAGE'),
  });
});

test.each([
  [
    'ESM',
    'main.mjs',
    (name: string) => `import * as part from 'axios-keyv-cache/${name}'; import * as whole from 'axios-keyv-cache';`,
  ],
  [
    'CJS',
    'main.cjs',
    (name: string) => `const part = require('axios-keyv-cache/${name}'); const whole = require('axios-keyv-cache');`,
  ],
])('subpaths have the very classes of the root (%s)', async (_, file, importsOf) => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const seen: string[] = [];
  for (const name of ['sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb']) {
    const check =
      'console.log(Object.keys(part).filter((name) => part[name] === whole[name]).join(), Object.keys(part).length)';
    writeFileSync(path.join(folder.path, file), `${importsOf(name)} ${check};`);
    seen.push((await run(process.execPath, [file], { cwd: folder.path })).stdout.trim());
  }
  expect(seen).toEqual([
    'NodeSqliteAdapter,SqliteCache 2',
    'RedisCache 1',
    'MongoCache 1',
    'GridFSCache 1',
    'DynamoDbCache 1',
  ]);
});

/** The oldest axios that is supported, and the one that is developed against. */
const VERSIONS = ['axios-oldest', 'axios'];

const BOTH_COPIES = `
  const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
  const copies = [axios, otherAxios];
  if (copies[0].Axios === copies[1].Axios) throw new Error('one copy');
  const ask = async () => {
    const responses = [];
    for (const copy of copies) responses.push(await copy.get('http://localhost/', { adapter }));
    return responses.map(({ fromCache }) => fromCache);
  };
  installCache({ backend: 'memory' });
  console.log(await ask(), await ask());
  await uninstallCache();
  console.log(await ask());
`;

test.each(
  VERSIONS.flatMap((version) => [
    [
      'ESM',
      version,
      'main.mjs',
      `import axios from 'axios'; import { createRequire } from 'node:module'; import { installCache, uninstallCache } from 'axios-keyv-cache';
       const otherAxios = createRequire(import.meta.url)('axios'); ${BOTH_COPIES}`,
    ],
    [
      'CJS',
      version,
      'main.cjs',
      `const axios = require('axios'); const { installCache, uninstallCache } = require('axios-keyv-cache');
       (async () => { const { default: otherAxios } = await import('axios'); ${BOTH_COPIES} })();`,
    ],
  ]),
)('installCache as %s covers both copies of %s', async (_, version, file, source) => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES, version);
  writeFileSync(path.join(folder.path, file), source);
  const { stdout } = await run(process.execPath, [file], { cwd: folder.path });
  expect(stdout).toBe('[ false, true ] [ true, true ]\n[ undefined, undefined ]\n');
});

test('the code of both builds is ASCII: one other character doubles the memory of a file', () => {
  const files = readdirSync('dist').filter((file) => /\.c?js$/.test(file));
  expect(files.length).toBeGreaterThan(10);
  const isAscii = (file: string) => /^[\0-\x7f]*$/.test(readFileSync(path.join('dist', file), 'latin1'));
  expect(files.filter((file) => !isAscii(file))).toEqual([]);
});

import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SqliteCache } from '../../../lib/cache/backends/sqlite-cache.js';
import { sqliteFile } from '../../../lib/stores/sqlite/file.js';
import { temporaryFolder } from '../../support/api.js';
import { program } from '../../support/child.js';

const TEMP = { useTemp: true };
const CACHE = { useCacheDir: true };
const environment = { ...process.env };
const { platform } = process;

function on(name: NodeJS.Platform): void {
  Object.defineProperty(process, 'platform', { value: name });
}

afterEach(() => {
  on(platform);
  process.env = { ...environment };
});

describe('the file of a cache', () => {
  const absolute = path.resolve('/data/x');

  test.each<[string, string, object, string]>([
    ['a relative path, in the working folder', 'demo', {}, path.resolve('demo.sqlite')],
    ['a path with an extension', 'folder/demo.db', {}, path.resolve('folder/demo.db')],
    ['an absolute path', absolute, {}, `${absolute}.sqlite`],
    ['useTemp', 'demo', TEMP, path.join(tmpdir(), 'demo.sqlite')],
    ['useTemp, in a folder', 'folder/demo.db', TEMP, path.join(tmpdir(), 'folder/demo.db')],
    ['useTemp beside an absolute path', absolute, TEMP, `${absolute}.sqlite`],
    ['useCacheDir beside an absolute path', absolute, CACHE, `${absolute}.sqlite`],
    ['both: useTemp applies', 'demo', { ...TEMP, ...CACHE }, path.join(tmpdir(), 'demo.sqlite')],
    ['neither', 'demo', { useTemp: false, useCacheDir: false }, path.resolve('demo.sqlite')],
    ['memory, whatever the options', ':memory:', { ...TEMP, ...CACHE }, ':memory:'],
  ])('%s', (_, cacheName, options, expected) => expect(sqliteFile(cacheName, options)).toBe(expected));

  test.each<[NodeJS.Platform, Record<string, string>, string]>([
    ['linux', { XDG_CACHE_HOME: '' }, path.join(homedir(), '.cache')],
    ['linux', { XDG_CACHE_HOME: path.resolve('/xdg') }, path.resolve('/xdg')],
    ['linux', { XDG_CACHE_HOME: 'relative' }, path.join(homedir(), '.cache')],
    ['darwin', { XDG_CACHE_HOME: path.resolve('/xdg') }, path.join(homedir(), 'Library', 'Caches')],
    ['win32', { LOCALAPPDATA: path.resolve('/local') }, path.resolve('/local')],
    ['win32', { LOCALAPPDATA: '' }, path.join(homedir(), 'AppData', 'Local')],
  ])('useCacheDir on %s with %j', (name, variables, folder) => {
    on(name);
    Object.assign(process.env, variables);
    expect(sqliteFile('demo', CACHE)).toBe(path.join(folder, 'demo.sqlite'));
  });
});

test.each([
  ['useTemp', 'TMPDIR'],
  ['useCacheDir', 'XDG_CACHE_HOME'],
])('a cache with %s is in that folder', async (option, variable) => {
  await using folder = await temporaryFolder();
  await using code = program(`
    import { SqliteCache } from './lib/index.js';
    const [, , option] = process.argv;
    Object.defineProperty(process, 'platform', { value: 'linux' });
    const cache = new SqliteCache({ cacheName: 'deep/demo', [option]: true });
    await cache.ready();
    console.log(cache.location);
    await cache.close();
  `);
  const file = path.join(folder.path, 'deep/demo.sqlite');
  expect((await code.runWith({ [variable]: folder.path }, option)).trim()).toBe(file);
  expect(existsSync(file)).toBe(true);
});

test.each(['useTemp', 'useCacheDir'])('%s is a boolean', (name) => {
  expect(() => new SqliteCache({ [name]: 'yes' } as object)).toThrow(new RegExp(`^${name}: "yes" is not accepted`));
});

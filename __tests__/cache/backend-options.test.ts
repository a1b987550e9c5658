import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readPath } from '../../lib/cache/backend-options.js';
import { temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { expectPermissions } from '../support/permissions.js';

describe('the path of a file or a folder', () => {
  test.each([
    ['cache', 'cache'],
    ['./~', './~'],
    ['a/~/b', 'a/~/b'],
    ['~cache', '~cache'],
    ['/var/cache', '/var/cache'],
    ['~/cache', path.join(homedir(), 'cache')],
    ['~/a/b.sqlite', path.join(homedir(), 'a/b.sqlite')],
    ['~//cache', path.join(homedir(), 'cache')],
  ])('%j is %j', (given, expected) => {
    expect(readPath(given, 'cacheName')).toBe(expected);
  });

  test.each(['', '..', '../a', 'a/../b', '~/..', '~/../a', 'a/', '~/', '~', '~root/cache', 'a\0b', 7, null])(
    '%j is refused',
    (given) => {
      expect(() => readPath(given, 'cacheName')).toThrow(/^cacheName: .* is not accepted; expected a relative or/);
    },
  );
});

describe('a cacheName below the home directory', () => {
  const source = `
    import axios from 'axios';
    import { setupCache } from './lib/index.js';
    const adapter = async (config) => ({ data: 'x', status: 200, statusText: 'OK', headers: {}, config });
    process.chdir(process.argv[2]);
    try {
      const api = setupCache(axios.create({ adapter }), { backend: 'filesystem', cacheName: '~/mine' });
      await api.get('http://a.example/');
      await api.detachCache();
    } catch (error) {
      console.log(error.message);
    }`;

  test('makes its folder there, and nothing named ~', async () => {
    await using folder = await temporaryFolder();
    await using home = await temporaryFolder();
    await using caller = program(source);
    expect(await caller.runWith({ HOME: home.path }, folder.path)).toBe('');
    expect(existsSync(path.join(folder.path, '~'))).toBe(false);
    expectPermissions(path.join(home.path, 'mine'), 0o700);
  });

  test.each(['', 'relative/home'])('is refused if HOME is %j', async (home) => {
    await using folder = await temporaryFolder();
    await using caller = program(source);
    expect(await caller.runWith({ HOME: home }, folder.path)).toMatch(/^cacheName: "~\/mine" is not accepted; .*HOME/);
  });
});

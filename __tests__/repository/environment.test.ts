import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/api.js';

const run = promisify(execFile);
const root = process.cwd();

test.each([
  ['a rejection', 'void Promise.reject(new Error("lost"));', 'a file fails'],
  ['a late rejection', 'setImmediate(() => void Promise.reject(new Error("lost")));', 'a file fails'],
  ['an exception', 'process.nextTick(() => { throw new Error("lost"); });', 'a file fails'],
  ['nothing', '', 'the file passes'],
])('%s that a test lets escape', async (_, statement, outcome) => {
  await using folder = await temporaryFolder();
  writeFileSync(path.join(folder.path, 'a.test.js'), `test('passes', () => { ${statement} });`);
  const config = {
    rootDir: folder.path,
    testEnvironment: path.join(root, '__tests__/support/environment.mjs'),
    cacheDirectory: path.join(folder.path, 'cache'),
  };
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  const { code, stderr } = await run(process.execPath, [jest, '--config', JSON.stringify(config)], { cwd: root }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => error,
  );
  const failed = [code, stderr.includes('nobody handled: Error: lost')];
  expect(failed).toEqual(outcome === 'a file fails' ? [1, true] : [0, false]);
});

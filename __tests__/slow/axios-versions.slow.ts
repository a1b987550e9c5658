import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/api.js';
import { compiled, DEPENDENCIES, project } from '../support/project.js';

/** The types and the main job with the last patch of each minor version of axios, from npm's registry. */

const run = promisify(execFile);
const OLDEST = [1, 7, 9];

function versions(): string[] {
  const all = JSON.parse(
    execFileSync('npm', ['view', 'axios', 'versions', '--json'], { encoding: 'utf8' }),
  ) as string[];
  const last = new Map<string, string>([['1.7', '1.7.9']]);
  for (const version of all) {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (/^\d+\.\d+\.\d+$/.test(version) && major === OLDEST[0] && minor > (OLDEST[1] ?? 0))
      last.set(`${major}.${minor}`, version);
  }
  return [...last.values()];
}

const PROGRAM = `
  import axios from 'axios';
  import { installCache, setupCache, uninstallCache } from 'axios-keyv-cache';
  import { createServer } from 'node:http';
  const server = createServer((request, response) => response.end('x')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = 'http://127.0.0.1:' + server.address().port;
  const seen = [];
  for (const adapter of ['http', 'fetch']) {
    const api = setupCache(axios.create({ adapter }), { backend: 'memory' });
    for (const _ of [1, 2]) seen.push((await api.get(url)).fromCache);
    await api.detachCache();
  }
  installCache({ backend: 'memory' });
  for (const _ of [1, 2]) seen.push((await axios.get(url)).fromCache);
  await uninstallCache();
  console.log(JSON.stringify(seen));
  server.closeAllConnections();
  server.close();
`;

test.each(versions())('axios %s', async (version) => {
  await using folder = await temporaryFolder();
  await project(
    folder.path,
    DEPENDENCIES.filter((name) => name !== 'axios'),
  );
  const own = path.join(folder.path, 'axios');
  mkdirSync(own);
  writeFileSync(path.join(own, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--no-audit', '--no-fund', `axios@${version}`], { cwd: own });
  // All that axios needs comes with it.
  await run('cp', ['-rn', `${own}/node_modules/.`, path.join(folder.path, 'node_modules')]);
  expect(await compiled(folder.path)).toBe('');
  writeFileSync(path.join(folder.path, 'main.mjs'), PROGRAM);
  const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: folder.path });
  expect(stdout.trim()).toBe('[false,true,false,true,false,true]');
});

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { FileStore } from '../../lib/stores/file.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { describeBackend } from './contract.js';

describeBackend('filesystem', {
  open: (folder, cacheName, options, now) => new FileStore(path.join(folder, cacheName), options, now),
  persistent: true,
  leases: false,
  processModule: '__tests__/backends/file-process.ts',
  plantGarbage: async (folder, cacheName, id) => {
    const part = path.join(folder, cacheName, 'responses_v1', id.slice(0, 2));
    mkdirSync(part, { recursive: true });
    writeFileSync(path.join(part, `${id}.entry`), 'not ours');
  },
});

test('a file is for its owner alone, and readable by a person', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'deep/cache');
  await using bench = await startBench({ backend: 'filesystem', cacheName });
  await bench.api.get('/a');
  expect((await bench.api.get('/a')).fromCache).toBe(true);
  const [file = ''] = readdirSync(cacheName, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.entry'),
  );
  expect(statSync(path.join(cacheName, file)).mode & 0o777).toBe(0o600);
  expect(readFileSync(path.join(cacheName, file), 'utf8')).toMatch(
    /^AKC1r.*\njson\n\{.*"status":200.*\}\{"url":"\/a","count":1\}$/s,
  );
});

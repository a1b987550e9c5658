import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { FileStore } from '../../lib/stores/filesystem/index.js';
import { MongoStore } from '../../lib/stores/mongodb/index.js';
import { RedisStore } from '../../lib/stores/redis/index.js';
import { SqliteStore } from '../../lib/stores/sqlite/index.js';
import type { Store } from '../../lib/stores/store.js';
import { mongo } from '../../scripts/services/mongo.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import type { Server } from '../../scripts/services/server.mjs';
import { temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';

/** kill -9 in the middle of writes, twenty times: every entry is whole or absent, and the store takes more. */

const TIMES = 20;
const BODY = 300_000;

const WRITER = (module: string) => `
  import { entryOf } from './__tests__/support/entries.js';
  import { open } from ${JSON.stringify(path.resolve(module))};
  const [, , folder, round, argument] = process.argv;
  const store = open(folder, 'cache', argument);
  for (let index = 0; ; index += 1) {
    const body = Buffer.alloc(${BODY}, index % 256);
    await store.put([entryOf(1_000_000 * round + index, { indexes: ['1'.repeat(32)], body })]);
    if (index === 0) process.send('writing');
  }
`;

const backends: Record<
  string,
  { module: string; service?: { start(): Promise<Server> }; open(folder: string, url: string): Store }
> = {
  sqlite: {
    module: '__tests__/backends/sqlite-process.ts',
    open: (folder) => new SqliteStore(path.join(folder, 'cache'), {}, Date.now),
  },
  files: {
    module: '__tests__/backends/file-process.ts',
    open: (folder) => new FileStore(path.join(folder, 'cache'), {}, Date.now),
  },
  redis: {
    module: '__tests__/backends/redis-process.ts',
    service: redis,
    open: (folder, url) => new RedisStore(nameIn(folder, 'cache'), { url }, Date.now),
  },
  mongodb: {
    module: '__tests__/backends/mongo-process.ts',
    service: mongo,
    open: (folder, url) => new MongoStore(nameIn(folder, 'cache'), { url }, Date.now),
  },
};

test.each(Object.entries(backends))('%s', async (_, { module, service, open }) => {
  await using folder = await temporaryFolder();
  const server = await service?.start();
  await using writer = program(WRITER(module));
  const url = server?.url ?? '';
  for (let round = 0; round < TIMES; round += 1) {
    const child: ChildProcess = fork(writer.file, [folder.path, String(round), url], { stdio: 'ignore' });
    await once(child, 'message');
    await new Promise((resolve) => setTimeout(resolve, 10 + round * 7));
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const store = open(folder.path, url);
  let entries = 0;
  for await (const { id } of store.list()) {
    const entry = await store.find(id);
    expect([entry?.kind, entry?.body.byteLength, new Set(entry?.body).size]).toEqual(['response', BODY, 1]);
    entries += 1;
  }
  console.log(`${entries} entries, all whole`);
  expect(entries).toBeGreaterThanOrEqual(TIMES);
  expect(await managed(store).count()).toBe(entries);
  await store.close();
  await server?.stop();
});

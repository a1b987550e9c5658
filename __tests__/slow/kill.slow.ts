import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
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
import { entryOf, idOf } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { rawQuery } from '../support/sqlite.js';

/**
 * kill -9 in the middle of writes, replacements and deletions, fifty times: every entry is whole or absent, indexes and
 * counts agree with the entries, and the store takes more.
 */

const TIMES = 50;
const BODY = 300_000;
const INDEX = '1'.repeat(32);

const WRITER = (module: string) => `
  import { entryOf, idOf } from './__tests__/support/entries.js';
  import { open } from ${JSON.stringify(path.resolve(module))};
  const [, , folder, round, argument] = process.argv;
  const store = open(folder, 'cache', argument);
  const put = (number, fill) =>
    store.put([entryOf(number, { indexes: ['${INDEX}'], body: Buffer.alloc(${BODY}, fill % 256) })]);
  for (let index = 0; ; index += 1) {
    const number = 1_000_000 * round + index;
    await put(number, index);
    if (index === 0) process.send('writing');
    else if (index % 3 === 0) await put(number, index + 1);
    else if (index % 5 === 0) await store.delete([idOf(number)]);
  }
`;

const backends: Record<
  string,
  {
    module: string;
    service?: { start(): Promise<Server> };
    open(folder: string, url: string): Store;
    /** Checks the storage itself. */
    check?(folder: string): Promise<void>;
  }
> = {
  sqlite: {
    module: '__tests__/backends/sqlite-process.ts',
    open: (folder) => new SqliteStore(path.join(folder, 'cache'), {}, Date.now),
    async check(folder) {
      const file = path.join(folder, 'cache.sqlite');
      expect(await rawQuery(file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    },
  },
  files: {
    module: '__tests__/backends/file-process.ts',
    open: (folder) => new FileStore(path.join(folder, 'cache'), {}, Date.now),
    async check(folder) {
      // Of each killed writer, one temporary file at most remains, whose name is the package's.
      const unfinished = filesIn(path.join(folder, 'cache')).filter((name) => name.endsWith('.tmp'));
      expect(unfinished.length).toBeLessThanOrEqual(TIMES);
    },
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

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

test.each(Object.entries(backends))('%s', async (_, { module, service, open, check }) => {
  await using folder = await temporaryFolder();
  const server = await service?.start();
  await using writer = program(WRITER(module));
  const url = server?.url ?? '';
  for (let round = 0; round < TIMES; round += 1) {
    const child: ChildProcess = fork(writer.file, [folder.path, String(round), url], { stdio: 'ignore' });
    await once(child, 'message');
    await pause(10 + round * 5);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const store = open(folder.path, url);
  const ids: string[] = [];
  for await (const { id } of store.list()) {
    const entry = await store.find(id);
    expect([entry?.kind, entry?.body.byteLength, new Set(entry?.body).size]).toEqual(['response', BODY, 1]);
    ids.push(id);
  }
  console.log(`${ids.length} entries, all whole`);
  expect(ids.length).toBeGreaterThanOrEqual(TIMES);
  expect(await managed(store).count()).toBe(ids.length);
  const indexed: string[] = [];
  for await (const { id } of store.list({ index: INDEX })) indexed.push(id);
  expect(indexed.sort()).toEqual(ids.sort());
  await check?.(folder.path);
  expect(await store.put([entryOf(1)])).toBe(true);
  expect((await store.find(idOf(1)))?.kind).toBe('response');
  await store.close();
  await server?.stop();
});

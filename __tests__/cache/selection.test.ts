import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '@keyv/redis';
import { MongoClient } from 'mongodb';
import { internalsOf } from '../../lib/cache/internals.js';
import { conditions, TABLE } from '../../lib/stores/sqlite/schema.js';
import type { EntryQuery, Store } from '../../lib/stores/store.js';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { mongo } from '../../scripts/services/mongo.mjs';
import { redis, redisCluster } from '../../scripts/services/redis.mjs';
import { CREDENTIALS } from '../backends/dynamodb-process.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { rawQuery } from '../support/sqlite.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** The operations that select responses by tag, each with its result. */
const OPERATIONS: readonly (readonly [string, unknown, (bench: Bench) => Promise<unknown>])[] = [
  ['filter', 3, ({ api }) => numberOf(api.cache.filter({ tags: 'one' }))],
  ['filter by two tags', 4, ({ api }) => numberOf(api.cache.filter({ tags: ['one', 'two'] }))],
  ['filter in order', 3, ({ api }) => numberOf(api.cache.filter({ tags: 'one', sort: 'url' }))],
  ['filter of expired ones', 0, ({ api }) => numberOf(api.cache.filter({ tags: 'one', valid: false }))],
  ['responseCount', 3, ({ api }) => api.cache.responseCount({ tags: 'one' })],
  ['responseCount of no tag', 0, ({ api }) => api.cache.responseCount({ tags: [] })],
  ['responseCount by two tags', 4, ({ api }) => api.cache.responseCount({ tags: ['one', 'two', 'none'] })],
  ['filter of unreadable ones', 3, ({ api }) => numberOf(api.cache.filter({ tags: 'one', invalid: true }))],
  ['responseCount of unreadable ones', 3, ({ api }) => api.cache.responseCount({ tags: 'one', invalid: true })],
  ['resetExpiration', undefined, ({ api }) => api.cache.resetExpiration(0, { tags: ['one', 'two'] })],
  ['resetExpiration by URL', undefined, ({ api, origin }) => api.cache.resetExpiration(0, { urls: `${origin.url}/1` })],
  ['delete', 4, ({ api }) => api.cache.delete({ tags: ['one', 'two'] })],
];
const OTHERS = 60;
const TAGS: Readonly<Record<string, string[]>> = { '/1': ['one'], '/2': ['one', 'two'], '/3': ['one'], '/4': ['two'] };

async function numberOf(found: AsyncIterable<unknown>): Promise<number> {
  let number = 0;
  for await (const _ of found) number += 1;
  return number;
}

/** Observes the listings of a store: their queries, and the number of listed entries. */
function observed(store: Store): { readonly queries: EntryQuery[]; listed: number } {
  const seen = { queries: [] as EntryQuery[], listed: 0 };
  const list = store.list.bind(store);
  store.list = async function* (query = {}) {
    seen.queries.push(query);
    for await (const summary of list(query)) {
      seen.listed += 1;
      yield summary;
    }
  };
  return seen;
}

/** Fills a cache with four responses that have tags, and others. */
async function filled(options: OptionsIn, folder: string, others = OTHERS): Promise<Bench> {
  const bench = await startBench({ expireAfter: 60, ...options(folder) } as never);
  for (const [url, tags] of Object.entries(TAGS)) await bench.api.get(url, { tags });
  await Promise.all(Array.from({ length: others }, (_, index) => bench.api.get(`/other/${index}`, { tags: ['rest'] })));
  return bench;
}

function selectionTests(options: OptionsIn): void {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let bench: Bench;

  beforeEach(async () => {
    folder = await temporaryFolder();
    bench = await filled(options, folder.path);
  });

  afterEach(async () => {
    await bench.api.cache.clear();
    await bench[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test('responses with a tag are found by the index, and no others are listed', async () => {
    const seen = observed(internalsOf(bench.api.cache).breaker.store);
    for (const [name, result, operation] of OPERATIONS) {
      const before = seen.listed;
      expect([name, await operation(bench)]).toEqual([name, result]);
      expect([name, seen.listed - before <= 12]).toEqual([name, true]);
    }
    expect(seen.queries.filter(({ index, group }) => index === undefined && group === undefined)).toEqual([]);
    expect(await bench.api.cache.responseCount()).toBe(OTHERS);
  });
}

describeStores(selectionTests);

test('of the unreadable entries, a tag selects those that were stored with it', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache.sqlite');
  await using bench = await filled(() => ({ backend: 'sqlite', cacheName, serializer: 'json' }), folder.path, 2);
  const other = bench.more({ backend: 'sqlite', cacheName, serializer: 'yaml' });
  for (const [tags, number] of [
    ['one', 3],
    ['rest', 2],
    ['none', 0],
    [undefined, 6],
  ] as const) {
    expect([tags, await other.cache.responseCount({ tags, invalid: true })]).toEqual([tags, number]);
  }
});

describeService(redisCluster, (server) => {
  selectionTests((folder) => ({
    backend: 'redis',
    cacheName: nameIn(folder, 'cache'),
    backendOptions: { clusterOptions: { rootNodes: [{ url: server().url }] } },
  }));
});

describeService(dynamo, (server) => {
  selectionTests((folder) => ({
    backend: 'dynamodb',
    cacheName: nameIn(folder, 'cache'),
    backendOptions: { endpoint: server().url, ...CREDENTIALS, backendTimeout: 30 },
  }));
});

describeService(mongo, (server) => {
  const inMongo = (backend: 'mongodb' | 'gridfs'): OptionsIn => {
    return (folder) => ({ backend, cacheName: nameIn(folder, 'cache'), backendOptions: { url: server().url } });
  };
  describe('mongodb', () => selectionTests(inMongo('mongodb')));
  describe('gridfs', () => selectionTests(inMongo('gridfs')));

  test.each<['mongodb' | 'gridfs']>([['mongodb'], ['gridfs']])('%s returns the matches alone', async (backend) => {
    await using folder = await temporaryFolder();
    const client = await new MongoClient(server().url, { monitorCommands: true }).connect();
    const cacheName = nameIn(folder.path, 'cache');
    await using bench = await filled(() => ({ backend, cacheName, backendOptions: { client } }), folder.path);
    const returned: number[] = [];
    client.on('commandSucceeded', ({ reply }) => {
      const { cursor } = reply as { cursor?: { firstBatch?: unknown[] } };
      if (cursor?.firstBatch) returned.push(cursor.firstBatch.length);
    });
    expect(await bench.api.cache.responseCount({ tags: ['one', 'two'] })).toBe(4);
    expect(returned).toEqual([3, 2]);
    await client.close();
  });
});

describeService(redis, (server) => {
  test('redis: the number of commands depends on the matches alone', async () => {
    const client = createClient({ url: server().url });
    await client.connect();
    const commands: number[] = [];
    for (const others of [5, OTHERS]) {
      await using folder = await temporaryFolder();
      const options = {
        backend: 'redis',
        cacheName: nameIn(folder.path, 'cache'),
        backendOptions: { url: server().url },
      };
      await using bench = await filled(() => options as never, folder.path, others);
      await client.configResetStat();
      for (const [, result, operation] of OPERATIONS.slice(0, 9)) expect(await operation(bench)).toBe(result);
      const stats = await client.info('commandstats');
      commands.push([...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0));
    }
    expect(commands[1]).toBe(commands[0]);
    client.destroy();
  });
});

test('sqlite: entries with a digest are found without a pass over the table', async () => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache.sqlite');
  await using _ = await filled(() => ({ backend: 'sqlite', cacheName }), folder.path, 1);
  const { where, parameters } = conditions({ index: '1'.repeat(32), kind: 'response', freshAt: 1 });
  const sql = `EXPLAIN QUERY PLAN SELECT key FROM ${TABLE} WHERE key > ? AND ${where} ORDER BY key LIMIT 10`;
  const plan = JSON.stringify(await rawQuery(cacheName, sql, '', ...parameters));
  expect(plan).toContain('SEARCH');
  expect(plan).not.toContain(`SCAN ${TABLE}`);
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { GridFSStore } from '../../../lib/stores/gridfs/index.js';
import { MongoStore } from '../../../lib/stores/mongodb/index.js';
import type { Store } from '../../../lib/stores/store.js';
import { mongo } from '../../../scripts/services/mongo.mjs';
import { entryOf, idOf } from '../../support/entries.js';
import { describeService } from '../../support/services.js';

/**
 * The shard keys of docs/scaling.md, by the filters of all queries that the driver sends: a query is targeted if it names
 * the values of the shard key, so that a router sends it to their shards alone.
 */

/** The shard key of each collection by the commands in the document. */
const SHARD_KEYS = new Map(
  [...readFileSync('docs/scaling.md', 'utf8').matchAll(/shardCollection\('\w+\.([\w.]+)', \{ (\w+): /g)].map(
    ([, collection, field]) => [collection, field],
  ),
);

/** Whether a filter names the values of a field. */
function names(filter: Document, field: string): boolean {
  const value = filter[field];
  if (typeof value === 'string' || value?._bsontype === 'ObjectId') return true;
  if (Array.isArray(value?.$in)) return true;
  if (filter.$and?.some((term: Document) => names(term, field))) return true;
  return filter.$or?.every((term: Document) => names(term, field)) ?? false;
}

/** The filters of a command, and whether it has to name the shard key (one document is upserted, or changed). */
function filtersOf({ commandName, command }: CommandStartedEvent): { filter: Document; isSingle: boolean }[] {
  if (commandName === 'find') return [{ filter: command.filter, isSingle: false }];
  if (commandName === 'findAndModify') return [{ filter: command.query, isSingle: true }];
  if (commandName === 'aggregate') return [{ filter: command.pipeline[0].$match, isSingle: false }];
  if (commandName === 'delete')
    return command.deletes.map(({ q, limit }: Document) => ({ filter: q, isSingle: limit === 1 }));
  if (commandName === 'update')
    return command.updates.map(({ q, multi }: Document) => ({ filter: q, isSingle: multi !== true }));
  return [];
}

interface Reach {
  readonly collection: string;
  readonly isTargeted: boolean;
  readonly isSingle: boolean;
}

function reachOf(event: CommandStartedEvent, shardKeys: ReadonlyMap<string | undefined, string | undefined>): Reach[] {
  const collection = String(event.command[event.commandName]);
  // A collection that is not sharded is on one shard.
  const field = shardKeys.get(collection);
  return filtersOf(event).map(({ filter, isSingle }) => ({
    collection,
    isTargeted: field === undefined || names(filter, field),
    isSingle,
  }));
}

const DIGEST = '1'.repeat(32);
const found = entryOf('a', { indexes: [DIGEST] });
const redirect = entryOf('r', { kind: 'redirect', group: idOf('a'), indexes: [DIGEST] });
const drained = async (values: AsyncIterable<unknown>) => {
  for await (const _ of values);
};

/** The operations of requests, and those of management that name entries. */
const POINTS: readonly [string, (store: Store) => unknown][] = [
  ['find', (store) => store.find(found.id)],
  ['find of an absent entry', (store) => store.find(idOf('e'))],
  ['put', (store) => store.put([found, redirect])],
  ['put of an invalidated response', (store) => store.put([{ ...found, order: -1 }])],
  ['delete', (store) => store.delete([idOf('b'), idOf('c')])],
  ['currentOrder', (store) => store.currentOrder?.()],
  ['acquireLease', (store) => store.acquireLease?.('name', 'me', 60)],
  ['releaseLease', (store) => store.releaseLease?.('name', 'me')],
];
const REPLACE: [string, (store: Store) => unknown] = [
  'replace',
  async (store) => store.replace(found, { ...found, staleAt: 5_000 }),
];
const SCATTERED: readonly [string, (store: Store) => unknown][] = [
  ['deleteGroups', (store) => store.deleteGroups?.([found.id])],
  ['invalidate', (store) => store.invalidate?.([DIGEST])],
  ['list', (store) => drained(store.list({ index: DIGEST }))],
  ['count', (store) => store.count?.({})],
  ['deleteExpired', (store) => drained(store.deleteExpired?.(9_000) ?? store.list())],
  ['clear', (store) => drained(store.clear() as AsyncIterable<unknown>)],
];

describeService(mongo, (server) => {
  async function reachesOf(open: (client: MongoClient) => Store, work: (store: Store) => unknown): Promise<Reach[]> {
    const client = await new MongoClient(server().url, { monitorCommands: true }).connect();
    const store = open(client);
    const reaches: Reach[] = [];
    try {
      await store.put([found, redirect]);
      await store.put([entryOf('b')]);
      client.on('commandStarted', (event) => void reaches.push(...reachOf(event, SHARD_KEYS)));
      await work(store);
      return reaches;
    } finally {
      await store.close();
      await client.close();
    }
  }

  const inMongo = (client: MongoClient) => new MongoStore('sharded', { client }, Date.now);
  const inGridFS = (client: MongoClient) => new GridFSStore('sharded_files', { client }, Date.now);

  test('the document names the shard key of responses, and of the chunks of GridFS', () => {
    expect([...SHARD_KEYS]).toEqual([
      ['responses_v1', 'key'],
      ['responses_v1.chunks', 'files_id'],
    ]);
  });

  describe('mongodb', () => {
    test.each([...POINTS, REPLACE])('%s names the shard key in every query', async (_, work) => {
      const reaches = await reachesOf(inMongo, work);
      expect(reaches.length).toBeGreaterThan(0);
      expect(reaches.filter(({ isTargeted }) => !isTargeted)).toEqual([]);
    });

    test.each(SCATTERED)('%s asks all shards, with commands that they accept', async (_, work) => {
      const reaches = await reachesOf(inMongo, work);
      expect(reaches.some(({ isTargeted }) => !isTargeted)).toBe(true);
      expect(reaches.filter(({ isTargeted, isSingle }) => isSingle && !isTargeted)).toEqual([]);
    });

    test('the unique index of a collection begins with its shard key', async () => {
      const client = await new MongoClient(server().url).connect();
      const [responses, chunks] = [inMongo(client), inGridFS(client)];
      for (const store of [responses, chunks]) await store.put([found]);
      const unique = async (database: string, collection: string) =>
        (await client.db(database).collection(collection).indexes())
          .filter((index) => index.unique && Object.keys(index.key)[0] !== '_id')
          .map(({ key }) => Object.keys(key)[0]);
      expect(await unique('sharded', 'responses_v1')).toEqual(['key']);
      expect(await unique('sharded_files', 'responses_v1.chunks')).toEqual(['files_id']);
      // The files of GridFS have one that does not: they cannot be sharded.
      expect(await unique('sharded_files', 'responses_v1.files')).toEqual(['metadata.replaces']);
      for (const store of [responses, chunks]) await store.close();
      await client.close();
    });
  });

  describe('gridfs', () => {
    test.each(POINTS)('%s names the shard key of chunks in every query', async (_, work) => {
      const reaches = await reachesOf(inGridFS, work);
      expect(reaches.length).toBeGreaterThan(0);
      expect(reaches.filter(({ isTargeted }) => !isTargeted)).toEqual([]);
    });

    test.each([REPLACE, ...SCATTERED])('%s changes chunks by commands that all shards accept', async (_, work) => {
      const reaches = await reachesOf(inGridFS, work);
      expect(reaches.filter(({ isTargeted, isSingle }) => isSingle && !isTargeted)).toEqual([]);
    });
  });
});

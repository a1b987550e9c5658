import { describe, expect, jest, test } from '@jest/globals';
import { DynamoDbCache, GridFSCache, MongoCache, RedisCache } from '../../lib/index.js';
import type { Entry } from '../../lib/models/entry.js';
import { DynamoDbStore } from '../../lib/stores/dynamodb/index.js';
import { dynamoDbTraits } from '../../lib/stores/dynamodb/traits.js';
import { GridFSStore } from '../../lib/stores/gridfs/index.js';
import { LazyStore, type NetworkStore } from '../../lib/stores/lazy-store.js';
import { MongoStore } from '../../lib/stores/mongodb/index.js';
import { MAX_ENTRY, mongoTraits } from '../../lib/stores/mongodb/traits.js';
import { RedisStore } from '../../lib/stores/redis/index.js';
import { redisTraits } from '../../lib/stores/redis/traits.js';
import type { Store } from '../../lib/stores/store.js';

const TRAITS = { location: 'somewhere', isIndexed: true, reportsSize: true };
const OPERATIONS = ['count', 'deleteExpired', 'size', 'vacuum', 'acquireLease', 'currentOrder', 'invalidate'] as const;
const unused = () => Promise.reject(new Error('the store must not be loaded'));

/** A store of the operations that a test needs. */
function storeWith(operations: object): NetworkStore {
  return operations as NetworkStore;
}

describe('a store on a network that loads on demand', () => {
  const redis = { url: 'redis://user:secret@redis.example:6380' };
  const mongo = { url: 'mongodb://user:secret@mongo.example', database: 'other' };
  const dynamo = { endpoint: 'http://dynamo.example:8000', table: 'responses' };
  test.each<[string, Store, Store]>([
    ['redis', new LazyStore('redis', redisTraits(redis), unused), new RedisStore('own', redis, Date.now)],
    [
      'mongodb',
      new LazyStore('mongodb', mongoTraits('own', mongo, MAX_ENTRY), unused),
      new MongoStore('own', mongo, Date.now),
    ],
    ['gridfs', new LazyStore('gridfs', mongoTraits('own', mongo), unused), new GridFSStore('own', mongo, Date.now)],
    [
      'dynamodb',
      new LazyStore('dynamodb', dynamoDbTraits('own', dynamo), unused),
      new DynamoDbStore('own', dynamo, Date.now),
    ],
  ])('has the properties and operations of the store: %s', (name, lazy, store) => {
    expect(lazy.name).toBe(name);
    expect(store.name).toBe(name);
    expect(lazy.location).toBe(store.location);
    expect(lazy.maxEntrySize).toBe(store.maxEntrySize ?? Number.POSITIVE_INFINITY);
    for (const operation of OPERATIONS)
      expect([operation, typeof lazy[operation]]).toEqual([operation, typeof store[operation]]);
  });

  test('loads the store once, by its first use', async () => {
    const find = jest.fn((_id: string): Entry | undefined => undefined);
    const load = jest.fn(async () => storeWith({ find }));
    const lazy = new LazyStore('redis', TRAITS, load);
    expect(load).not.toHaveBeenCalled();
    expect(await Promise.all([lazy.find('a'), lazy.find('b')])).toEqual([undefined, undefined]);
    expect(lazy.find('c')).toBeUndefined();
    expect(find.mock.calls).toEqual([['a'], ['b'], ['c']]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('loads the store again after a failure', async () => {
    let failures = 1;
    const lazy = new LazyStore('redis', TRAITS, async () => {
      failures -= 1;
      if (failures >= 0) throw new Error('the file cannot be read');
      return storeWith({ ready: async () => {} });
    });
    await expect(lazy.ready()).rejects.toThrow('the file cannot be read');
    await expect(lazy.ready()).resolves.toBeUndefined();
  });

  test('passes each operation on', async () => {
    const calls: string[] = [];
    const record =
      (name: string, result?: unknown) =>
      async (...values: unknown[]) => {
        calls.push(`${name} ${JSON.stringify(values)}`);
        return result;
      };
    const iterate = (name: string) =>
      async function* (...values: unknown[]) {
        calls.push(`${name} ${JSON.stringify(values)}`);
        yield 7;
      };
    const lazy = new LazyStore('mongodb', TRAITS, async () =>
      storeWith({
        put: record('put', true),
        replace: record('replace', false),
        deleteGroups: record('deleteGroups', 1),
        delete: record('delete', 2),
        list: iterate('list'),
        clear: iterate('clear'),
        count: record('count', 3),
        deleteExpired: iterate('deleteExpired'),
        size: record('size', 4),
        acquireLease: record('acquireLease', true),
        releaseLease: record('releaseLease'),
        currentOrder: record('currentOrder', 5),
        invalidate: record('invalidate'),
        close: record('close'),
      }),
    );
    const all = async (source: AsyncIterable<unknown> | undefined) => {
      const values: unknown[] = [];
      for await (const value of source ?? []) values.push(value);
      return values;
    };
    expect(await lazy.put([])).toBe(true);
    expect(await lazy.replace({ id: 'a' } as Entry, { id: 'a' } as Entry)).toBe(false);
    expect(await lazy.deleteGroups(['g'])).toBe(1);
    expect(await lazy.delete(['d'])).toBe(2);
    expect(await all(lazy.list({ group: 'g' }))).toEqual([7]);
    expect(await all(lazy.clear())).toEqual([7]);
    expect(await lazy.count?.({ kind: 'response' })).toBe(3);
    expect(await all(lazy.deleteExpired?.(9))).toEqual([7]);
    expect(await lazy.size?.()).toBe(4);
    expect(await lazy.acquireLease('name', 'holder', 1)).toBe(true);
    await lazy.releaseLease('name', 'holder');
    expect(await lazy.currentOrder()).toBe(5);
    await lazy.invalidate(['digest']);
    await lazy.close();
    expect(calls).toEqual([
      'put [[]]',
      'replace [{"id":"a"},{"id":"a"}]',
      'deleteGroups [["g"]]',
      'delete [["d"]]',
      'list [{"group":"g"}]',
      'clear []',
      'count [{"kind":"response"}]',
      'deleteExpired [9]',
      'size []',
      'acquireLease ["name","holder",1]',
      'releaseLease ["name","holder"]',
      'currentOrder []',
      'invalidate [["digest"]]',
      'close []',
    ]);
  });

  test('that was never used has nothing to close', async () => {
    await new LazyStore('redis', TRAITS, unused).close();
  });

  test('is made by a class at once, with its location', async () => {
    const caches = [
      new RedisCache({ url: 'redis://redis.example:6380' }),
      new MongoCache({ url: 'mongodb://mongo.example' }),
      new GridFSCache({ cacheName: 'files', url: 'mongodb://mongo.example' }),
      new DynamoDbCache({ endpoint: 'http://dynamo.example:8000' }),
    ];
    expect(caches.map(({ location }) => location)).toEqual([
      'redis://redis.example:6380',
      'mongodb://mongo.example/http_cache',
      'mongodb://mongo.example/files',
      'http://dynamo.example:8000/http_cache',
    ]);
    await Promise.all(caches.map((cache) => cache.close()));
  });
});

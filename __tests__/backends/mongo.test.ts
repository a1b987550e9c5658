import { describe, expect, jest, test } from '@jest/globals';
import { type Document, MongoClient } from 'mongodb';
import { MongoStore } from '../../lib/stores/mongodb/index.js';
import { failureKind } from '../../lib/stores/store-failure.js';
import { mongo } from '../../scripts/services/mongo.mjs';
import { startBench } from '../support/api.js';
import { entryOf } from '../support/entries.js';
import { testFaults } from '../support/faults.js';
import { hooked } from '../support/hooked-mongo.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { describeBackend } from './contract.js';
import { testLeaseClocks } from './lease-clocks.js';
import { describePendingWrites } from './pending-writes.js';
import { testSharedInvalidation } from './shared-invalidation.js';

describeService(mongo, (server) => {
  async function raw<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = await new MongoClient(server().url).connect();
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  describeBackend('mongodb', {
    open: (folder, cacheName, options, now) =>
      new MongoStore(nameIn(folder, cacheName), { ...options, url: server().url }, now),
    persistent: true,
    bounded: false,
    expires: false,
    ordered: true,
    processModule: '__tests__/backends/mongo-process.ts',
    processArgument: () => server().url,
    plantGarbage: (folder, cacheName, id) =>
      raw(async (client) => {
        const name = nameIn(folder, cacheName);
        await client
          .db(name)
          .collection('responses_v1')
          .insertOne({ key: `${name}:${id}`, value: 'not ours' });
      }),
  });

  test('caches in one database, or one collection, do not touch each other', async () => {
    const open = (name: string, options: object) =>
      new MongoStore(name, { url: server().url, database: 'shared', ...options }, Date.now);
    const stores = [
      open('one', {}),
      open('two', {}),
      open('three', { collection: 'common' }),
      open('three-x', { collection: 'common' }),
    ];
    for (const store of stores) await store.put([entryOf('a')]);
    await raw((client) => client.db('shared').collection('common').insertOne({ key: 'three', mine: true }));
    for (const store of stores.slice(2, 3)) await managed(store).clear();
    expect(await Promise.all(stores.map((store) => managed(store).count()))).toEqual([1, 1, 0, 1]);
    expect(await raw((client) => client.db('shared').collection('common').countDocuments({ mine: true }))).toBe(1);
    for (const store of stores) await store.close();
  });

  test("an own client stays its owner's", async () => {
    await raw(async (client) => {
      const store = new MongoStore('own', { client }, Date.now);
      await store.put([entryOf('a')]);
      expect((await store.find(entryOf('a').id))?.kind).toBe('response');
      await store.close();
      expect(await client.db('own').collection('responses_v1').countDocuments()).toBe(1);
    });
  });

  test('retention is handed to the server as the date of its TTL index', async () => {
    const store = new MongoStore('retained', { url: server().url, retention: 60 }, () => 5_000);
    await store.put([entryOf('a', { staleAt: 65_000 })]);
    await store.put([entryOf('b', { staleAt: Number.POSITIVE_INFINITY })]);
    await raw(async (client) => {
      const documents = await client.db('retained').collection('responses_v1').find().sort({ key: 1 }).toArray();
      const lifetime = documents[0]?.expiresAt.getTime() - Date.now();
      expect([lifetime > 110_000, lifetime <= 120_000, documents[1]?.expiresAt]).toEqual([true, true, null]);
      const indexes = await client.db('retained').collection('responses_v1').indexes();
      expect(indexes.find(({ key }) => key.expiresAt === 1)?.expireAfterSeconds).toBe(0);
    });
    await store.close();
  });

  test('a response over 16 MB is returned, and an event reports why it is not stored', async () => {
    await using bench = await startBench(
      { backend: 'mongodb', cacheName: 'large', backendOptions: { url: server().url } },
      (_, response) => void response.end(Buffer.alloc(17 * 1024 * 1024)),
    );
    expect((await bench.api.get('/large', { responseType: 'arraybuffer' })).data.byteLength).toBe(17 * 1024 * 1024);
    expect((await bench.api.get('/large', { responseType: 'arraybuffer' })).fromCache).toBe(false);
    expect(bench.events.filter(({ type }) => type === 'skipped').map(({ reason }) => reason)).toEqual([
      'too-large-for-store',
      'too-large-for-store',
    ]);
  });

  testSharedInvalidation(() => ({
    backend: 'mongodb',
    cacheName: 'shared_invalidation',
    backendOptions: { url: server().url },
  }));

  testLeaseClocks((now) => new MongoStore('lease_clocks', { url: server().url }, now));

  describe('documents of another shape', () => {
    const whole = entryOf('a', { indexes: ['1'.repeat(32)] });

    test.each<[string, (value: Document) => unknown]>([
      ['a string', () => 'not ours'],
      ['null', () => null],
      ['a number', () => 5],
      ['a list', () => [1, 2]],
      ['an empty value', () => ({})],
      ['a head that is no head', (value) => ({ ...value, head: Buffer.from('x'.repeat(300)) })],
      ['a head that ends early', (value) => ({ ...value, head: value.head.buffer.subarray(0, 150) })],
      ['a head as text', (value) => ({ ...value, head: 'text' })],
      ['no body', ({ body, ...value }) => value],
      ['a shorter body', (value) => ({ ...value, body: Buffer.from('bod') })],
      ['a body as text', (value) => ({ ...value, body: 'body of a' })],
    ])('%s is an unreadable entry, which the next write replaces', async (name, change) => {
      const cache = `shape_${name.replaceAll(' ', '_')}`;
      const store = new MongoStore(cache, { url: server().url }, Date.now);
      await store.put([whole, entryOf('b')]);
      await raw(async (client) => {
        const documents = client.db(cache).collection('responses_v1');
        const document = await documents.findOne({ key: `${cache}:${whole.id}` });
        await documents.updateOne({ _id: document?._id as never }, { $set: { value: change(document?.value) } });
      });
      expect((await store.find(whole.id))?.kind).toBe('unknown');
      expect([(await store.find(entryOf('b').id))?.kind, await managed(store).count()]).toEqual(['response', 2]);
      await store.put([whole]);
      expect((await store.find(whole.id))?.kind).toBe('response');
      await store.close();
    });

    test('a document without a value, and documents whose key is of another type', async () => {
      const store = new MongoStore('shapes', { url: server().url }, Date.now);
      await store.put([entryOf('a')]);
      await raw((client) =>
        client
          .db('shapes')
          .collection('responses_v1')
          .insertMany([{ key: 'shapes:b' }, { key: 5 }, { key: ['shapes:c', 'x'] }, { key: { shapes: 1 } }]),
      );
      const listed = [];
      for await (const { id, kind } of store.list()) listed.push([id, kind]);
      expect(listed).toEqual([
        [entryOf('a').id, 'response'],
        ['b', 'unknown'],
      ]);
      expect([await managed(store).count(), await store.delete(['b'])]).toEqual([2, 1]);
      await managed(store).clear();
      const left = await raw((client) => client.db('shapes').collection('responses_v1').countDocuments());
      expect(left).toBe(3);
      await store.close();
    });
  });

  describe('failures', () => {
    const kindOf = (work: Promise<unknown>) => work.then(() => 'none', failureKind);

    test('a server that refuses writes is read all the same', async () => {
      const store = new MongoStore('refused', { url: server().url }, Date.now);
      await store.put([entryOf('a')]);
      await raw((client) => client.db('refused').collection('responses_v1').createIndex({ mine: 1 }, { unique: true }));
      expect(await kindOf(store.put([entryOf('b')]))).toBe('refusal');
      expect([(await store.find(entryOf('a').id))?.kind, await managed(store).count()]).toEqual(['response', 1]);
      expect(await store.delete([entryOf('a').id])).toBe(1);
      await store.close();
    });

    test('documents that prevent the index make writes a refusal, and reads a miss', async () => {
      await raw((client) =>
        client
          .db('unindexed')
          .collection('responses_v1')
          .insertMany([{ key: 'x' }, { key: 'x' }]),
      );
      const store = new MongoStore('unindexed', { url: server().url }, Date.now);
      expect([await kindOf(store.put([entryOf('a')])), await store.find(entryOf('a').id)]).toEqual([
        'refusal',
        undefined,
      ]);
      await raw((client) => client.db('unindexed').collection('responses_v1').deleteMany({ key: 'x' }));
      expect(await kindOf(store.put([entryOf('a')]))).toBe('none');
      await store.close();
    });

    test('a document that is too large is a failure of its entry', async () => {
      const store = new MongoStore('too_large', { url: server().url }, Date.now);
      const large = entryOf('a', { body: Buffer.alloc(20 * 1024 * 1024) });
      expect(await kindOf(store.put([large]))).toBe('entry');
      expect(await kindOf(store.put([entryOf('b')]))).toBe('none');
      await store.close();
    });

    test('a server that cannot be reached is an outage', async () => {
      const store = new MongoStore('away', { url: 'mongodb://127.0.0.1:1' }, Date.now);
      expect(await kindOf(store.find('a'))).toBe('outage');
      expect(await kindOf(store.put([entryOf('a')]))).toBe('outage');
      await store.close();
    });
  });

  test('the indexes of a database that is replaced under an open store are created anew', async () => {
    await raw(async (client) => {
      const store = new MongoStore('replaced', { client }, Date.now);
      const names = async () =>
        (await client.db('replaced').collection('responses_v1').indexes()).map(({ name }) => name).sort();
      await store.put([entryOf('a')]);
      const before = await names();
      await client.db('replaced').dropDatabase();
      const uptime = process.uptime();
      const later = jest.spyOn(process, 'uptime').mockImplementation(() => uptime + 61);
      try {
        await store.put([entryOf('a')]);
      } finally {
        later.mockRestore();
      }
      expect([await names(), await managed(store).count()]).toEqual([before, 1]);
      expect(before.length).toBeGreaterThan(3);
    });
  });

  test('two entries that do not fit into one document replace each other', async () => {
    const store = new MongoStore('large_twice', { url: server().url }, Date.now);
    for (const letter of ['x', 'y']) {
      const body = Buffer.alloc(10 * 1024 * 1024, letter);
      await store.put([entryOf('a', { body, size: body.length })]);
      expect(Buffer.compare((await store.find(entryOf('a').id))?.body ?? Buffer.alloc(0), body)).toBe(0);
    }
    await store.close();
  });

  test('collections of another program in the database are left alone', async () => {
    await raw(async (client) => {
      const db = client.db('http_cache');
      await db.collection('responses').insertMany([{ _id: 'a' as never }, { _id: 'b' as never }]);
      await db.collection('redirects').insertOne({ _id: 'c' as never });
      const store = new MongoStore('http_cache', { url: server().url }, Date.now);
      await store.put([entryOf('a')]);
      await managed(store).clear();
      await store.close();
      expect([
        await db.collection('responses').countDocuments(),
        await db.collection('redirects').countDocuments(),
        (await db.collection('responses').indexes()).map(({ name }) => name),
      ]).toEqual([2, 1, ['_id_']]);
    });
  });

  test('the location has no credentials; the size grows with the bodies', async () => {
    const secret = 'mongodb://user:p%40ss@one.example:1,two.example:2/admin?authSource=x&password=hidden';
    expect(new MongoStore('name', { url: secret }, Date.now).location).toBe(
      'mongodb://one.example:1,two.example:2/name',
    );
    expect(new MongoStore('name', { database: 'db' }, Date.now).location).toBe('mongodb://127.0.0.1:27017/db');
    const store = new MongoStore('sized', { url: server().url }, Date.now);
    expect(await store.size()).toBe(0);
    await store.put([entryOf('a', { body: Buffer.alloc(50_000) })]);
    expect(await store.size()).toBeGreaterThan(50_000);
    await store.close();
  });

  describePendingWrites('mongodb', {
    async open(name, before) {
      const client = await new MongoClient(server().url).connect();
      const observed = hooked(client, async (collection, method) => {
        if (collection.endsWith('.invalidations') && method === 'findOne') await before('check');
        if (collection === 'responses_v1' && method === 'updateMany') await before('publish');
      });
      const held = new MongoStore(name, { client: observed }, Date.now);
      const other = new MongoStore(name, { client }, Date.now);
      return { held, other, [Symbol.asyncDispose]: () => client.close() };
    },
    stored: (name) => raw((client) => client.db(name).collection('responses_v1').countDocuments()),
  });

  if (process.env.MONGODB_URL === undefined) testFaults('mongodb', server);
});

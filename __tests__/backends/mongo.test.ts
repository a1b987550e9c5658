import { expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { MongoStore } from '../../lib/stores/mongodb/index.js';
import { mongo } from '../../scripts/services/mongo.mjs';
import { startBench } from '../support/api.js';
import { testFaults } from '../support/faults.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { describeBackend, entry } from './contract.js';

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
    for (const store of stores) await store.put([entry('a')]);
    await raw((client) => client.db('shared').collection('common').insertOne({ key: 'three', mine: true }));
    for (const store of stores.slice(2, 3)) await managed(store).clear();
    expect(await Promise.all(stores.map((store) => managed(store).count()))).toEqual([1, 1, 0, 1]);
    expect(await raw((client) => client.db('shared').collection('common').countDocuments({ mine: true }))).toBe(1);
    for (const store of stores) await store.close();
  });

  test("an own client stays its owner's", async () => {
    await raw(async (client) => {
      const store = new MongoStore('own', { client }, Date.now);
      await store.put([entry('a')]);
      expect((await store.find(entry('a').id))?.kind).toBe('response');
      await store.close();
      expect(await client.db('own').collection('responses_v1').countDocuments()).toBe(1);
    });
  });

  test('retention is handed to the server as the date of its TTL index', async () => {
    const store = new MongoStore('retained', { url: server().url, retention: 60 }, () => 5_000);
    await store.put([entry('a', { staleAt: 65_000 })]);
    await store.put([entry('b', { staleAt: Number.POSITIVE_INFINITY })]);
    await raw(async (client) => {
      const documents = await client.db('retained').collection('responses_v1').find().sort({ key: 1 }).toArray();
      const lifetime = documents[0]?.expiresAt.getTime() - Date.now();
      expect([lifetime > 110_000, lifetime <= 120_000, documents[1]?.expiresAt]).toEqual([true, true, null]);
      const indexes = await client.db('retained').collection('responses_v1').indexes();
      expect(indexes.find(({ key }) => key.expiresAt === 1)?.expireAfterSeconds).toBe(0);
    });
    await store.close();
  });

  test('a response over 16 MB passes through, and an event tells why it is not stored', async () => {
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

  if (process.env.MONGODB_URL === undefined) testFaults('mongodb', server);
});

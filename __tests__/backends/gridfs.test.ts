import { expect, test } from '@jest/globals';
import { GridFSBucket, MongoClient } from 'mongodb';
import { GridFSStore } from '../../lib/stores/gridfs/index.js';
import { mongo } from '../../scripts/services/mongo.mjs';
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

  describeBackend('gridfs', {
    open: (folder, cacheName, options, now) =>
      new GridFSStore(nameIn(folder, cacheName), { ...options, url: server().url }, now),
    persistent: true,
    bounded: false,
    ordered: true,
    processModule: '__tests__/backends/gridfs-process.ts',
    processArgument: () => server().url,
    plantGarbage: (folder, cacheName, id) =>
      raw(async (client) => {
        const name = nameIn(folder, cacheName);
        const bucket = new GridFSBucket(client.db(name), { bucketName: 'responses_v1' });
        await new Promise((resolve) =>
          bucket.openUploadStream(`${name}:${id}`).once('finish', resolve).end('not ours'),
        );
      }),
  });

  test('one revision is kept, and removal leaves no chunk', async () => {
    const store = new GridFSStore('revisions', { url: server().url }, Date.now);
    const counts = () =>
      raw(async (client) => {
        const db = client.db('revisions');
        return [
          await db.collection('responses_v1.files').countDocuments(),
          await db.collection('responses_v1.chunks').countDocuments(),
        ];
      });
    for (let index = 0; index < 5; index += 1)
      await store.put([entry('a', { body: Buffer.alloc(600_000, String(index)) })]);
    expect(await counts()).toEqual([1, 3]);
    expect((await store.find(entry('a').id))?.body.at(-1)).toBe('4'.charCodeAt(0));
    await store.delete([entry('a').id]);
    expect([await counts(), await store.find(entry('a').id)]).toEqual([[0, 0], undefined]);
    await store.put([entry('a')]);
    await managed(store).clear();
    expect(await counts()).toEqual([0, 0]);
    await store.close();
  });

  test('keeps bodies over 16 MB', async () => {
    const store = new GridFSStore('bodies', { url: server().url }, Date.now);
    const body = Buffer.alloc(20 * 1024 * 1024, 'body');
    await store.put([entry('a', { body })]);
    expect(Buffer.compare((await store.find(entry('a').id))?.body ?? Buffer.alloc(0), body)).toBe(0);
    await store.close();
  });

  test('writers and readers of one key at once: every read is whole, or finds none', async () => {
    const stores = [1, 2, 3].map(() => new GridFSStore('contended', { url: server().url }, Date.now));
    await stores[0]?.put([entry('a', { body: Buffer.alloc(300_000, 'x') })]);
    const write = async (store: GridFSStore, letter: string) => {
      for (let index = 0; index < 10; index += 1)
        await store.put([entry('a', { body: Buffer.alloc(300_000, letter) })]);
    };
    const read = async (store: GridFSStore) => {
      for (let index = 0; index < 30; index += 1) {
        const body = (await store.find(entry('a').id))?.body;
        if (body) expect([body.byteLength, new Set(body).size]).toEqual([300_000, 1]);
      }
    };
    const [first, second, third] = stores as [GridFSStore, GridFSStore, GridFSStore];
    await Promise.all([write(first, 'y'), write(second, 'z'), read(third)]);
    expect(await managed(first).count()).toBe(1);
    for (const store of stores) await store.close();
  });

  test("an own client stays its owner's", async () => {
    await raw(async (client) => {
      const store = new GridFSStore('own_gridfs', { client, database: 'files_of_caches' }, Date.now);
      await store.put([entry('a')]);
      expect((await store.find(entry('a').id))?.kind).toBe('response');
      await store.close();
      expect(await client.db('files_of_caches').collection('responses_v1.files').countDocuments()).toBe(1);
    });
  });

  if (process.env.MONGODB_URL === undefined) testFaults('gridfs', server);
});

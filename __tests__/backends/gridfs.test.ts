import { describe, expect, test } from '@jest/globals';
import { type Db, type Document, GridFSBucket, MongoClient, ObjectId } from 'mongodb';
import { GridFSStore } from '../../lib/stores/gridfs/index.js';
import { failureKind } from '../../lib/stores/store-failure.js';
import { mongo } from '../../scripts/services/mongo.mjs';
import { entryOf, idOf } from '../support/entries.js';
import { testFaults, until } from '../support/faults.js';
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
      await store.put([entryOf('a', { body: Buffer.alloc(600_000, String(index)) })]);
    expect(await counts()).toEqual([1, 3]);
    expect((await store.find(entryOf('a').id))?.body.at(-1)).toBe('4'.charCodeAt(0));
    await store.delete([entryOf('a').id]);
    expect([await counts(), await store.find(entryOf('a').id)]).toEqual([[0, 0], undefined]);
    await store.put([entryOf('a')]);
    await managed(store).clear();
    expect(await counts()).toEqual([0, 0]);
    await store.close();
  });

  test('keeps bodies over 16 MB', async () => {
    const store = new GridFSStore('bodies', { url: server().url }, Date.now);
    const body = Buffer.alloc(20 * 1024 * 1024, 'body');
    await store.put([entryOf('a', { body })]);
    expect(Buffer.compare((await store.find(entryOf('a').id))?.body ?? Buffer.alloc(0), body)).toBe(0);
    await store.close();
  });

  test('writers and readers of one key at once: every read is whole', async () => {
    const stores = [1, 2, 3].map(() => new GridFSStore('contended', { url: server().url }, Date.now));
    await stores[0]?.put([entryOf('a', { body: Buffer.alloc(300_000, 'x') })]);
    const write = async (store: GridFSStore, letter: string) => {
      for (let index = 0; index < 10; index += 1)
        await store.put([entryOf('a', { body: Buffer.alloc(300_000, letter) })]);
    };
    const read = async (store: GridFSStore) => {
      for (let index = 0; index < 30; index += 1) {
        const body = (await store.find(entryOf('a').id))?.body;
        expect([body?.byteLength, new Set(body).size]).toEqual([300_000, 1]);
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
      await store.put([entryOf('a')]);
      expect((await store.find(entryOf('a').id))?.kind).toBe('response');
      await store.close();
      expect(await client.db('files_of_caches').collection('responses_v1.files').countDocuments()).toBe(1);
    });
  });

  testSharedInvalidation(() => ({
    backend: 'gridfs',
    cacheName: 'shared_invalidation_gridfs',
    backendOptions: { url: server().url },
  }));

  testLeaseClocks((now) => new GridFSStore('gridfs_lease_clocks', { url: server().url }, now));

  describe('files of another shape', () => {
    const whole = entryOf('a', { body: Buffer.alloc(600_000, 'x') });

    test.each<[string, (db: Db, file: Document) => Promise<unknown>]>([
      ['no chunks', (db, { _id }) => db.collection('responses_v1.chunks').deleteMany({ files_id: _id })],
      ['a missing chunk', (db, { _id }) => db.collection('responses_v1.chunks').deleteOne({ files_id: _id, n: 1 })],
      [
        'a chunk of another type',
        (db, { _id }) =>
          db.collection('responses_v1.chunks').updateOne({ files_id: _id, n: 0 }, { $set: { data: 'text' } }),
      ],
      [
        'one chunk more',
        (db, { _id }) =>
          db.collection('responses_v1.chunks').insertOne({ files_id: _id, n: 3, data: Buffer.from('more') }),
      ],
      [
        'no metadata',
        (db, { _id }) => db.collection('responses_v1.files').updateOne({ _id }, { $unset: { metadata: '' } }),
      ],
      [
        'metadata of another type',
        (db, { _id }) => db.collection('responses_v1.files').updateOne({ _id }, { $set: { metadata: 'text' } }),
      ],
      [
        'a head of another type',
        (db, { _id }) => db.collection('responses_v1.files').updateOne({ _id }, { $set: { 'metadata.head': 'text' } }),
      ],
    ])('%s: an unreadable entry, which the next write replaces', async (name, damage) => {
      const cache = `files_${name.replaceAll(' ', '_')}`;
      const store = new GridFSStore(cache, { url: server().url }, Date.now);
      await store.put([whole, entryOf('b')]);
      await raw(async (client) => {
        const db = client.db(cache);
        const file = await db.collection('responses_v1.files').findOne({ filename: `${cache}:${whole.id}` });
        await damage(db, file ?? {});
      });
      expect((await store.find(whole.id))?.kind).toBe('unknown');
      expect([(await store.find(entryOf('b').id))?.kind, await managed(store).count()]).toEqual(['response', 2]);
      await store.put([whole]);
      expect([(await store.find(whole.id))?.kind, await managed(store).count()]).toEqual(['response', 2]);
      await store.close();
    });

    test('several files of one name are one entry, and a name of another type is none', async () => {
      const store = new GridFSStore('names', { url: server().url }, Date.now);
      await store.put([entryOf('a')]);
      await raw(async (client) => {
        const files = client.db('names').collection('responses_v1.files');
        await files.insertMany(Array.from({ length: 450 }, () => ({ filename: 'names:b', length: 1 })));
        await files.insertMany([{ filename: ['names:c'] }, { filename: 5 }, { length: 1 }]);
      });
      const listed = [];
      for await (const { id, kind } of store.list()) listed.push([id, kind]);
      expect(listed).toEqual([
        [entryOf('a').id, 'response'],
        ['b', 'unknown'],
      ]);
      expect((await store.find('b'))?.kind).toBe('unknown');
      await store.delete(['b']);
      expect([await managed(store).count(), await store.find('b')]).toEqual([1, undefined]);
      await store.close();
    });
  });

  test('a clock that is a day ahead does not decide which file counts', async () => {
    const [ahead, right] = [Date.now() + 86_400_000, Date.now()].map(
      (now) => new GridFSStore('clocks', { url: server().url }, () => now),
    ) as [GridFSStore, GridFSStore];
    await ahead.put([entryOf('a', { body: Buffer.from('first') })]);
    await right.put([entryOf('a', { body: Buffer.from('second') })]);
    expect((await ahead.find(entryOf('a').id))?.body.toString()).toBe('second');
    await Promise.all([ahead.close(), right.close()]);
  });

  test('the remains of interrupted writes are removed at a write, once a day', async () => {
    const now = Date.now();
    const [writer, other] = ['interrupted', 'interrupted'].map(
      (name) => new GridFSStore(name, { url: server().url }, () => now),
    ) as [GridFSStore, GridFSStore];
    const entry = entryOf('a', { staleAt: now + 10 * 86_400_000 });
    await raw(async (client) => {
      const db = client.db('interrupted');
      const [files, chunks] = [db.collection('responses_v1.files'), db.collection('responses_v1.chunks')];
      let planted = 0;
      const idOfAge = (days: number) => ObjectId.createFromTime(Math.floor(now / 1000) - days * 86_400 - planted++);
      const plant = async (days: number, filename: string, metadata: object) => {
        const [_id, uploadDate] = [idOfAge(days), new Date(now - days * 86_400_000)];
        await files.insertOne({ _id, filename: `interrupted:${filename}`, uploadDate, metadata } as Document);
        await chunks.insertOne({ files_id: _id, n: 0, data: Buffer.from('x') });
      };
      await plant(2, 'old', { pending: 'token' });
      await plant(0.5, 'new', { pending: 'token' });
      for (const revision of [1, 2, 3]) await plant(2, 'replaced', { revision, kind: 'response', head: revision });
      for (const days of [2, 0.5]) await chunks.insertOne({ files_id: idOfAge(days), n: 1, data: Buffer.from('x') });
      const left = async () => [
        await files
          .find()
          .sort({ filename: 1 })
          .map(({ filename, metadata }) => [filename, metadata?.revision])
          .toArray(),
        await chunks.countDocuments(),
      ];
      await writer.put([entry]);
      const own = [`interrupted:${entry.id}`, 1];
      await until('they are removed', async () => (await chunks.countDocuments()) === 4);
      expect(await left()).toEqual([[own, ['interrupted:new', undefined], ['interrupted:replaced', 3]], 4]);
      await plant(2, 'old', { pending: 'token' });
      await other.put([entry]);
      await other.close();
      expect((await left())[1]).toBe(5);
    });
    await writer.close();
  });

  test('a file that an expired one replaced does not count again', async () => {
    const store = new GridFSStore('resurrected', { url: server().url }, Date.now);
    await store.put([entryOf('a', { staleAt: 1_000 })]);
    await raw(async (client) => {
      const files = client.db('resurrected').collection('responses_v1.files');
      const copy = await files.findOne({}, { projection: { _id: 0 } });
      await files.insertOne({ ...copy, metadata: { ...copy?.metadata, staleAt: 9_000, revision: 0 } });
    });
    expect([await managed(store).deleteExpired(5_000), await store.find(idOf('a'))]).toEqual([1, undefined]);
    await store.close();
  });

  test('a file that is deleted while its chunks are written leaves none', async () => {
    await raw(async (client) => {
      const db = client.db('deleted_meanwhile');
      const observed = hooked(client, async (collection, method) => {
        const isCheck = collection.endsWith('.invalidations') && method === 'findOne';
        if (isCheck) await db.collection('responses_v1.files').deleteMany({});
      });
      const store = new GridFSStore('deleted_meanwhile', { client: observed }, Date.now);
      await store.put([entryOf('a')]);
      expect(await db.collection('responses_v1.chunks').countDocuments()).toBe(0);
      await store.close();
    });
  });

  test('an outage, and the location without credentials', async () => {
    const away = new GridFSStore('away', { url: 'mongodb://user:secret@127.0.0.1:1' }, Date.now);
    expect(await away.find('a').then(() => 'none', failureKind)).toBe('outage');
    expect(away.location).toBe('mongodb://127.0.0.1:1/away');
    await away.close();
  });

  describePendingWrites('gridfs', {
    async open(name, before) {
      const client = await new MongoClient(server().url).connect();
      const observed = hooked(client, async (collection, method) => {
        if (collection.endsWith('.invalidations') && method === 'findOne') await before('check');
        if (collection === 'responses_v1.files' && method === 'bulkWrite') await before('publish');
      });
      const held = new GridFSStore(name, { client: observed }, Date.now);
      const other = new GridFSStore(name, { client }, Date.now);
      return { held, other, [Symbol.asyncDispose]: () => client.close() };
    },
    stored: (name) => raw((client) => client.db(name).collection('responses_v1.files').countDocuments()),
  });

  if (process.env.MONGODB_URL === undefined) testFaults('gridfs', server);
});

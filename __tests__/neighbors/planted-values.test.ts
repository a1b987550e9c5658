import { expect, test } from '@jest/globals';
import { KeyvDynamo } from '@keyv/dynamo';
import { type Db, MongoClient } from 'mongodb';
import type { Entry } from '../../lib/models/entry.js';
import { DynamoDbStore } from '../../lib/stores/dynamodb/index.js';
import { GridFSStore } from '../../lib/stores/gridfs/index.js';
import { MongoStore } from '../../lib/stores/mongodb/index.js';
import type { EntryQuery, Store } from '../../lib/stores/store.js';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { mongoInMemory } from '../../scripts/services/mongo.mjs';
import { CREDENTIALS } from '../backends/dynamodb-process.js';
import { entryOf, idOf } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { describeService } from '../support/services.js';

// Values of other programs in the places of counters, invalidations, leases and members of the index.

const DIGEST = 'd'.repeat(32);
const ENTRIES: readonly Entry[] = [
  entryOf('a', { indexes: [DIGEST] }),
  entryOf('b', { kind: 'variants', group: idOf('a') }),
  entryOf('c', { kind: 'redirect', group: idOf('a'), indexes: [DIGEST] }),
];

async function idsOf(store: Store, query?: EntryQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.list(query)) ids.push(String(id[0]));
  return ids.sort();
}

/** Everything works, at the latest after one write, although something else is where the store keeps its own. */
async function expectToWork(store: Store, plant: () => Promise<unknown>): Promise<void> {
  await store.put(ENTRIES);
  await plant();
  expect((await store.find(idOf('a')))?.kind).toBe('response');
  await idsOf(store);
  await idsOf(store, { index: DIGEST });
  await managed(store).count();
  await managed(store).deleteExpired(1);
  const order = Number(await store.currentOrder?.());
  expect(order).toBeGreaterThanOrEqual(0);
  expect(await store.put(ENTRIES.map((one) => ({ ...one, order })))).toBe(true);
  expect([await managed(store).count(), await idsOf(store), await idsOf(store, { index: DIGEST })]).toEqual([
    1,
    ['a', 'b', 'c'],
    ['a', 'c'],
  ]);
  await store.invalidate?.([DIGEST]);
  expect(await store.put(ENTRIES.map((one) => ({ ...one, order })))).toBe(false);
  const leases = [await store.acquireLease?.('lease', 'me', 5), await store.acquireLease?.('lease', 'you', 5)];
  expect(leases).toEqual([true, false]);
  await plant();
  expect(await store.deleteGroups([idOf('a')])).toBe(1);
  await managed(store).clear();
  expect(await idsOf(store)).toEqual([]);
  const later = Number(await store.currentOrder?.());
  expect(await store.put(ENTRIES.map((one) => ({ ...one, order: later })))).toBe(true);
  await store.close();
}

const ORDERS: Readonly<Record<string, unknown>> = {
  'a text': 'text',
  null: null,
  NaN: Number.NaN,
  'an infinite number': Number.POSITIVE_INFINITY,
  'a negative number': -5,
  'a fraction': 1.5,
  'a list': [1],
  nothing: undefined,
};

describeService(mongoInMemory, (server) => {
  const raw = async (cacheName: string, work: (db: Db) => Promise<unknown>) => {
    const client = await MongoClient.connect(server().url);
    try {
      return await work(client.db(cacheName));
    } finally {
      await client.close();
    }
  };
  const kinds = [
    ['mongodb', (name: string): Store => new MongoStore(name, { url: server().url }, Date.now)],
    ['gridfs', (name: string): Store => new GridFSStore(name, { url: server().url }, Date.now)],
  ] as const;

  const orders = Object.entries(ORDERS).flatMap(([shape, order]) =>
    ['counter', 'everything', DIGEST].map((place) => [shape, place, order] as const),
  );
  test.each(
    kinds.flatMap(([kind, open]) => orders.map(([shape, place, order]) => [kind, shape, place, order, open] as const)),
  )('%s: %s as the order of %s', async (kind, shape, place, order, open) => {
    const name = `${kind}_${shape}_${place.slice(0, 10)}`.replaceAll(' ', '_');
    await expectToWork(open(name), () =>
      raw(name, (db) =>
        db
          .collection('responses_v1.invalidations')
          .replaceOne({ _id: `${name}:${place}` as never }, order === undefined ? {} : { order }, { upsert: true }),
      ),
    );
  });

  test.each(
    kinds.flatMap(([kind, open]) =>
      [{}, { holder: 5 }, { holder: 'x', seconds: 'x', at: 'x' }, { holder: null, seconds: 1e300, at: new Date() }].map(
        (lease) => [kind, lease, open] as const,
      ),
    ),
  )('%s: %j as a lease', async (kind, lease, open) => {
    const name =
      `${kind}_lease_${Object.keys(lease).length}_${String((lease as { seconds?: unknown }).seconds)}`.replace('+', '');
    await expectToWork(open(name), () =>
      raw(name, (db) =>
        db.collection('responses_v1.leases').replaceOne({ _id: `${name}:lease` as never }, lease, { upsert: true }),
      ),
    );
  });

  test.each(Object.entries({ ...ORDERS, 'a large number': 2 ** 60, 'the largest number': Number.MAX_VALUE }))(
    'gridfs: %s as the revision of an unreadable file',
    async (shape, revision) => {
      const name = `revision_${shape}`.replaceAll(' ', '_');
      const store = new GridFSStore(name, { url: server().url }, Date.now);
      await store.put(ENTRIES);
      await raw(name, (db) =>
        db
          .collection('responses_v1.files')
          .updateOne(
            { filename: `${name}:${idOf('a')}` },
            { $set: { 'metadata.revision': revision, 'metadata.head': 'x' } },
          ),
      );
      expect((await store.find(idOf('a')))?.kind).toBe('unknown');
      for (let write = 0; write < 3; write += 1) {
        await store.put([entryOf('a', { body: Buffer.from(String(write)) })]);
        expect(String((await store.find(idOf('a')))?.body)).toBe(String(write));
      }
      expect(await managed(store).count()).toBe(1);
      await store.close();
    },
  );
});

describeService(dynamo, (server) => {
  const options = () => ({ endpoint: server().url, ...CREDENTIALS });
  const raw = async (item: Record<string, unknown>) => {
    const { client } = new KeyvDynamo({ ...options(), tableName: 'planted' } as never);
    try {
      await client.put({ TableName: 'planted', Item: item });
    } finally {
      client.destroy();
    }
  };

  const orders = Object.entries(ORDERS)
    .filter(([, order]) => order === undefined || Number.isFinite(order) || typeof order !== 'number')
    .flatMap(([shape, order]) => ['counter', 'everything', DIGEST].map((place) => [shape, place, order] as const));
  test.each(orders)('dynamodb: %s as the order of %s', async (shape, place, order) => {
    const name = `order_${shape}_${place.slice(0, 10)}`.replaceAll(' ', '_');
    const store = new DynamoDbStore(name, { table: 'planted', ...options() }, Date.now);
    await expectToWork(store, () => raw({ id: `${name}:i:${place}`, ...(order === undefined ? {} : { order }) }));
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['a text', { ids: 'text', added: 'x' }],
    ['a number', { ids: 5, added: 5 }],
    ['a list', { ids: ['x'] }],
    ['a set of numbers', { ids: new Set([1, 2]) }],
    ['null', { ids: null, expiresAt: 'never' }],
  ])('dynamodb: %s as a member of the index', async (shape, members) => {
    const name = `index_${shape}`.replaceAll(' ', '_');
    const store = new DynamoDbStore(name, { table: 'planted', ...options() }, Date.now);
    await expectToWork(store, async () => {
      for (const [from, part] of [
        [DIGEST, 'a'],
        [DIGEST, 'c'],
        [idOf('a'), 'b'],
        [idOf('a'), 'c'],
      ])
        await raw({ id: `${name}:l:${from}:${part}`, ...members });
    });
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['other types', { holder: 5, token: 5, seconds: 'x' }],
    ['null', { holder: null, token: null, seconds: null }],
  ])('dynamodb: %s as a lease', async (shape, lease) => {
    const name = `lease_${shape}`.replaceAll(' ', '_');
    const store = new DynamoDbStore(name, { table: 'planted', ...options() }, Date.now);
    await expectToWork(store, () => raw({ id: `${name}:s:lease`, ...lease }));
  });
});

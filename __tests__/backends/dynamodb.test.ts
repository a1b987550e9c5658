import { Agent } from 'node:http';
import { expect, test } from '@jest/globals';
import { KeyvDynamo } from '@keyv/dynamo';
import { DynamoDbStore } from '../../lib/stores/dynamodb/index.js';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { startBench } from '../support/api.js';
import { testFaults } from '../support/faults.js';
import { startHookedProxy } from '../support/hooked-http.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { describeBackend, entry } from './contract.js';
import { CREDENTIALS } from './dynamodb-process.js';
import { describePendingWrites } from './pending-writes.js';

describeService(dynamo, (server) => {
  const optionsOf = (url: string) => ({ endpoint: url, ...CREDENTIALS });
  const open = (cacheName: string, options = {}, now = Date.now) =>
    new DynamoDbStore(cacheName, { ...options, ...optionsOf(server().url) }, now);

  async function raw<T>(tableName: string, work: (client: KeyvDynamo['client']) => Promise<T>): Promise<T> {
    const adapter = new KeyvDynamo({ ...optionsOf(server().url), tableName } as never);
    try {
      return await work(adapter.client);
    } finally {
      adapter.client.destroy();
    }
  }

  describeBackend('dynamodb', {
    open: (folder, cacheName, options, now) => open(nameIn(folder, cacheName), options, now),
    persistent: true,
    bounded: false,
    expires: false,
    ordered: true,
    largest: 300_000,
    processModule: '__tests__/backends/dynamodb-process.ts',
    processArgument: () => server().url,
    async plantGarbage(folder, cacheName, id) {
      const name = nameIn(folder, cacheName);
      await raw(name, (client) => client.put({ TableName: name, Item: { id: `${name}:r:${id}`, value: 'not ours' } }));
    },
  });

  test('nothing expires by itself but what has a retention', async () => {
    const store = open('retained', { retention: 60 }, () => 5_000);
    await store.put([entry('a', { staleAt: 65_000 })]);
    await store.put([entry('b', { staleAt: Number.POSITIVE_INFINITY })]);
    const items = await raw('retained', async (client) => (await client.scan({ TableName: 'retained' })).Items ?? []);
    const instants = items.map(({ expiresAt }) => expiresAt as number | undefined).sort();
    expect(instants).toEqual([expect.any(Number), undefined]);
    expect(Math.abs((instants[0] ?? 0) - Date.now() / 1000 - 120)).toBeLessThan(10);
    await store.close();
  });

  test('what leads to entries lives as long as the longest of them, and goes with the last', async () => {
    const store = open('links', { retention: 60 }, () => 5_000);
    const expiries = async () => {
      const { Items = [] } = await raw('links', (client) => client.scan({ TableName: 'links' }));
      const links = Items.filter(({ id }) => String(id).startsWith('links:l:'));
      return links.map(({ expiresAt }) => expiresAt && Math.round((Number(expiresAt) - Date.now() / 1000) / 100) * 100);
    };
    const [short, long] = ['a'.repeat(64), `${'b'.repeat(63)}a`];
    const put = (id: string, expires: number) =>
      store.put([entry('a', { id, staleAt: expires, indexes: ['1'.repeat(32)], group: id })]);
    await put(short, 5_000 + 240_000);
    expect(await expiries()).toEqual([300]);
    await put(long, 5_000 + 440_000);
    expect(await expiries()).toEqual([500]);
    await put(short, 5_000 + 240_000);
    expect(await expiries()).toEqual([500]);
    await put(short, Number.POSITIVE_INFINITY);
    expect(await expiries()).toEqual([undefined]);
    await put(long, 5_000 + 440_000);
    expect(await expiries()).toEqual([undefined]);
    await store.delete([long]);
    expect(await expiries()).toEqual([undefined]);
    await store.delete([short]);
    expect(await expiries()).toEqual([]);
    await store.close();
  });

  test('caches in one table do not touch each other, nor what else is there', async () => {
    const stores = [open('one', { table: 'shared' }), open('one_', { table: 'shared' })];
    for (const store of stores) await store.put([entry('a', { indexes: ['1'.repeat(32)] })]);
    await raw('shared', (client) => client.put({ TableName: 'shared', Item: { id: 'one', mine: true } }));
    for (const store of stores.slice(0, 1)) await managed(store).clear();
    expect(await Promise.all(stores.map((store) => managed(store).count()))).toEqual([0, 1]);
    expect((await raw('shared', (client) => client.scan({ TableName: 'shared' }))).Count).toBe(3);
    for (const store of stores) await store.close();
  });

  test('a response over 400 KB passes through, and an event tells why it is not stored', async () => {
    await using bench = await startBench(
      { backend: 'dynamodb', cacheName: 'large', backendOptions: optionsOf(server().url) },
      (_, response) => void response.end(Buffer.alloc(410_000)),
    );
    for (const _ of [1, 2]) expect((await bench.api.get('/large')).fromCache).toBe(false);
    expect(bench.events.filter(({ type }) => type === 'skipped').map(({ reason }) => reason)).toEqual([
      'too-large-for-store',
      'too-large-for-store',
    ]);
  });

  test('closing leaves no socket', async () => {
    const httpAgent = new Agent({ keepAlive: true });
    const store = open('closed', { clientOptions: { requestHandler: { httpAgent } } });
    await store.ready();
    const sockets = Object.values(httpAgent.freeSockets).flat();
    await store.close();
    expect(sockets.map((socket) => socket?.destroyed)).toEqual(sockets.map(() => true));
    expect(sockets).not.toEqual([]);
  });

  describePendingWrites('dynamodb', {
    async open(name, before) {
      const proxy = await startHookedProxy(server().url, async (headers, body) => {
        const command = String(headers['x-amz-target']);
        if (command.endsWith('BatchGetItem') && body.includes('everything')) await before('check');
        if (command.endsWith('UpdateItem') && body.includes('SET #value = #next')) await before('publish');
      });
      const held = new DynamoDbStore(name, optionsOf(proxy.url), Date.now);
      const other = open(name);
      return {
        held,
        other,
        async [Symbol.asyncDispose]() {
          await Promise.all([held.close(), other.close()]);
          await proxy[Symbol.asyncDispose]();
        },
      };
    },
    async stored(name) {
      const { Items = [] } = await raw(name, (client) => client.scan({ TableName: name, ConsistentRead: true }));
      return Items.filter(({ id }) => String(id).startsWith(`${name}:r:`)).length;
    },
  });

  testFaults('dynamodb', server);
});

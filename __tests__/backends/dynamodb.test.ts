import { Agent, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { KeyvDynamo } from '@keyv/dynamo';
import { DynamoDbCache } from '../../lib/cache/backends/dynamodb-cache.js';
import { DynamoDbStore } from '../../lib/stores/dynamodb/index.js';
import { failureKind } from '../../lib/stores/store-failure.js';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { startBench } from '../support/api.js';
import { entryOf, idOf } from '../support/entries.js';
import { testFaults, until } from '../support/faults.js';
import { startHookedProxy } from '../support/hooked-http.js';
import { managed } from '../support/managed.js';
import { nameIn } from '../support/names.js';
import { describeService } from '../support/services.js';
import { describeBackend } from './contract.js';
import { CREDENTIALS } from './dynamodb-process.js';
import { testLeaseClocks } from './lease-clocks.js';
import { describePendingWrites } from './pending-writes.js';
import { testSharedInvalidation } from './shared-invalidation.js';

test('a name that no table can have is refused, and is one for a cache within a table', () => {
  expect(() => new DynamoDbCache({ cacheName: 'ab' })).toThrow(
    /^cacheName: "ab" is not accepted; expected the name of a/,
  );
  expect(() => new DynamoDbCache({ table: 'ab' })).toThrow(/^table: "ab" is not accepted/);
  expect(new DynamoDbCache({ cacheName: 'ab', table: 'abc' }).location).toBe('dynamodb:abc');
});

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

  test('only entries with a retention expire by themselves', async () => {
    const store = open('retained', { retention: 60 }, () => 5_000);
    await store.put([entryOf('a', { staleAt: 65_000 })]);
    await store.put([entryOf('b', { staleAt: Number.POSITIVE_INFINITY })]);
    const items = await raw('retained', async (client) => (await client.scan({ TableName: 'retained' })).Items ?? []);
    const instants = items.map(({ expiresAt }) => expiresAt as number | undefined).sort();
    expect(instants).toEqual([expect.any(Number), undefined]);
    expect(Math.abs((instants[0] ?? 0) - Date.now() / 1000 - 120)).toBeLessThan(10);
    await store.close();
  });

  test('an entry whose writer did not publish it expires, unless another was published', async () => {
    const store = open('unpublished');
    const forever = { staleAt: Number.POSITIVE_INFINITY };
    await store.put([entryOf('a', forever)]);
    for (const letter of ['a', 'b', 'c']) {
      // The look for invalidations fails, after which the writer does nothing more.
      const answer = ({ 'x-amz-target': target }: IncomingMessage['headers'], body: string) =>
        String(target).endsWith('BatchGetItem') && body.includes('everything')
          ? { status: 400, body: '{}' }
          : undefined;
      await using proxy = await startHookedProxy(server().url, async () => {}, answer);
      const ending = new DynamoDbStore('unpublished', optionsOf(proxy.url), Date.now);
      await expect(ending.put([entryOf(letter, forever)])).rejects.toThrow();
      await ending.close();
    }
    await store.put([entryOf('c', forever)]);
    const { Items = [] } = await raw('unpublished', (client) =>
      client.scan({ TableName: 'unpublished', ConsistentRead: true }),
    );
    const hours = new Map<string, number | undefined>();
    for (const { id, expiresAt } of Items) {
      hours.set(id, expiresAt && Math.round((Number(expiresAt) - Date.now() / 1000) / 3_600));
    }
    const hoursOf = (letter: string) => hours.get(`unpublished:r:${idOf(letter)}`);
    expect(['a', 'b', 'c'].map(hoursOf)).toEqual([undefined, 26, undefined]);
    expect((await store.find(idOf('a')))?.kind).toBe('response');
    await store.close();
  });

  test('an index item lives a week longer than its longest entry, and is deleted with the last', async () => {
    const store = open('links', { retention: 60 }, () => 5_000);
    const expiries = async () => {
      const { Items = [] } = await raw('links', (client) => client.scan({ TableName: 'links' }));
      const links = Items.filter(({ id }) => String(id).startsWith('links:l:'));
      const week = 7 * 86_400;
      return links.map(
        ({ expiresAt }) => expiresAt && Math.round((Number(expiresAt) - week - Date.now() / 1000) / 100) * 100,
      );
    };
    const [short, long] = ['a'.repeat(64), `${'b'.repeat(63)}a`];
    const put = (id: string, expires: number) =>
      store.put([entryOf('a', { id, staleAt: expires, indexes: ['1'.repeat(32)], group: id })]);
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

  describe('ids whose items the server deleted', () => {
    const digest = '1'.repeat(32);
    const entry = (letter: string) => entryOf(letter, { indexes: [digest] });
    const deleteItem = (cache: string, letter: string) =>
      raw(cache, (client) => client.delete({ TableName: cache, Key: { id: `${cache}:r:${idOf(letter)}` } }));
    const idsIn = async (cache: string): Promise<string[]> => {
      const { Items = [] } = await raw(cache, (client) => client.scan({ TableName: cache, ConsistentRead: true }));
      const sets = Items.filter(({ id }) => String(id).startsWith(`${cache}:l:`)).map(({ ids }) => [...(ids ?? [])]);
      return sets
        .flat()
        .map(([letter]) => letter)
        .sort();
    };
    const listed = async (store: DynamoDbStore): Promise<string[]> => {
      const found: string[] = [];
      for await (const { id } of store.list({ index: digest })) found.push(id[0] ?? '');
      return found.sort();
    };

    test('are forgotten by a listing', async () => {
      const store = open('forgotten');
      for (const letter of ['a', 'b']) await store.put([entry(letter)]);
      await deleteItem('forgotten', 'a');
      expect(await idsIn('forgotten')).toEqual(['a', 'b']);
      expect([await listed(store), await idsIn('forgotten')]).toEqual([['b'], ['b']]);
      await deleteItem('forgotten', 'b');
      expect([await listed(store), await idsIn('forgotten')]).toEqual([[], []]);
      await store.close();
    });

    test('are not forgotten if they are written meanwhile', async () => {
      const store = open('written_meanwhile');
      for (const letter of ['a', 'b']) await store.put([entry(letter)]);
      await deleteItem('written_meanwhile', 'a');
      await using proxy = await startHookedProxy(server().url, async (headers, body) => {
        const isRemoval = String(headers['x-amz-target']).endsWith('UpdateItem') && body.includes('DELETE #ids');
        if (isRemoval) await store.put([entry('a')]);
      });
      const other = new DynamoDbStore('written_meanwhile', optionsOf(proxy.url), Date.now);
      expect([await listed(other), await listed(store)]).toEqual([['b'], ['a', 'b']]);
      for (const one of [store, other]) await one.close();
    });

    test('make room for others', async () => {
      const store = open('full_set');
      await store.put([entry('a')]);
      const ids = new Set(Array.from({ length: 6_398 }, (_, index) => `${index}a`.padStart(64, '0')));
      const item = `full_set:l:${digest}:a`;
      await raw('full_set', (client) =>
        client.put({ TableName: 'full_set', Item: { id: item, added: 'x', ids: new Set([...ids, idOf('a')]) } }),
      );
      const id = `${'b'.repeat(63)}a`;
      const another = entryOf('b', { id, group: id, indexes: [digest] });
      expect([await store.put([another]), await listed(store), await idsIn('full_set')]).toEqual([
        true,
        ['a', 'b'],
        ['a', 'b'],
      ]);
      await store.close();
    });
  });

  test('caches in one table affect neither each other nor other items', async () => {
    const stores = [open('one', { table: 'shared' }), open('one_', { table: 'shared' })];
    for (const store of stores) await store.put([entryOf('a', { indexes: ['1'.repeat(32)] })]);
    await raw('shared', (client) => client.put({ TableName: 'shared', Item: { id: 'one', mine: true } }));
    for (const store of stores.slice(0, 1)) await managed(store).clear();
    expect(await Promise.all(stores.map((store) => managed(store).count()))).toEqual([0, 1]);
    expect((await raw('shared', (client) => client.scan({ TableName: 'shared' }))).Count).toBe(3);
    for (const store of stores) await store.close();
  });

  test('a response over 400 KB is returned, and an event reports why it is not stored', async () => {
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

  testSharedInvalidation(() => ({
    backend: 'dynamodb',
    cacheName: 'shared_invalidation',
    backendOptions: optionsOf(server().url),
  }));

  testLeaseClocks((now) => open('lease_clocks', {}, now));

  describe('items of another shape', () => {
    const whole = entryOf('a', { indexes: ['1'.repeat(32)] });

    test.each<[string, (value: Record<string, unknown>) => unknown]>([
      ['a string', () => 'not ours'],
      ['null', () => null],
      ['a number', () => 5],
      ['a list', () => [1, 2]],
      ['an empty value', () => ({})],
      ['nothing', () => undefined],
      ['a head that is no head', (value) => ({ ...value, head: Buffer.from('x'.repeat(300)) })],
      ['a head as text', (value) => ({ ...value, head: 'text' })],
      ['no body', ({ body, ...value }) => value],
      ['a shorter body', (value) => ({ ...value, body: Buffer.from('bod') })],
      ['a body as text', (value) => ({ ...value, body: 'body of a' })],
    ])('%s is an unreadable entry, which the next write replaces', async (name, change) => {
      const cache = `shape_${name.replaceAll(' ', '_')}`;
      const store = open(cache);
      await store.put([whole, entryOf('b')]);
      const id = `${cache}:r:${whole.id}`;
      await raw(cache, async (client) => {
        const { Item } = await client.get({ TableName: cache, Key: { id } });
        const value = change(Item?.value);
        await client.put({ TableName: cache, Item: { id, ...(value === undefined ? {} : { value }) } });
      });
      expect((await store.find(whole.id))?.kind).toBe('unknown');
      expect([(await store.find(entryOf('b').id))?.kind, await managed(store).count()]).toEqual(['response', 2]);
      await store.put([whole]);
      expect((await store.find(whole.id))?.kind).toBe('response');
      await store.close();
    });
  });

  describe('failures', () => {
    const kindOf = (work: Promise<unknown>) => work.then(() => 'none', failureKind);

    /** A store whose server answers some commands with an error. */
    async function failing(name: string, commands: RegExp, type: string, status = 400) {
      const answer = (headers: IncomingMessage['headers'], body: string) =>
        commands.test(String(headers['x-amz-target'])) && !/CreateTable/.test(body)
          ? { status, body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type }) }
          : undefined;
      const proxy = await startHookedProxy(server().url, async () => {}, answer);
      const store = new DynamoDbStore(name, optionsOf(proxy.url), Date.now);
      return {
        store,
        async [Symbol.asyncDispose]() {
          await store.close();
          await proxy[Symbol.asyncDispose]();
        },
      };
    }

    test.each([
      ['ProvisionedThroughputExceededException', 400, 'refusal'],
      ['ThrottlingException', 400, 'refusal'],
      ['AccessDeniedException', 400, 'refusal'],
      ['LimitExceededException', 400, 'refusal'],
      ['UnrecognizedClientException', 400, 'outage'],
      ['InternalServerError', 500, 'outage'],
    ])('%s of a write: %s, %s', async (type, status, kind) => {
      await using failed = await failing('failing', /UpdateItem|PutItem|BatchWriteItem/, type, status);
      const { store } = failed;
      expect([await kindOf(store.put([entryOf('a')])), await store.find('b')]).toEqual([kind, undefined]);
    });

    test('a denied read is an outage', async () => {
      await using failed = await failing('failing', /\.GetItem/, 'AccessDeniedException');
      expect(await kindOf(failed.store.find('a'))).toBe('outage');
    });

    test('a client without permission to describe the table can use it', async () => {
      const store = open('described');
      await store.put([entryOf('a')]);
      await store.close();
      await using failed = await failing('described', /DescribeTable/, 'AccessDeniedException');
      expect((await failed.store.find(entryOf('a').id))?.kind).toBe('response');
    });

    test('an item that is too large is a failure of its entry', async () => {
      const store = open('too_large');
      const large = entryOf('a', { body: Buffer.alloc(500_000) });
      expect([await kindOf(store.put([large])), await kindOf(store.put([entryOf('b')]))]).toEqual(['entry', 'none']);
      await store.close();
    });

    test('a server that cannot be reached is an outage', async () => {
      const store = new DynamoDbStore('away', optionsOf('http://127.0.0.1:1'), Date.now);
      expect(await kindOf(store.find('a'))).toBe('outage');
      await store.close();
    });
  });

  test('entries with many tags are deleted, however many commands that takes', async () => {
    const proxy = await startHookedProxy(server().url, (headers) =>
      String(headers['x-amz-target']).endsWith('UpdateItem') ? pause(60) : Promise.resolve(),
    );
    const store = new DynamoDbStore('many_tags', optionsOf(proxy.url), Date.now);
    const indexes = Array.from({ length: 128 }, (_, index) => index.toString(16).padStart(32, '0'));
    const ids = Array.from({ length: 12 }, (_, index) => idOf(index));
    for (const [index] of ids.entries()) await store.put([entryOf(index, { indexes })]);
    expect(await store.delete(ids)).toBe(12);
    expect(await managed(store).count()).toBe(0);
    await store.close();
    await proxy[Symbol.asyncDispose]();
  });

  test('two entries that do not fit into one item replace each other', async () => {
    const store = open('large_twice');
    for (const letter of ['x', 'y']) {
      const body = Buffer.alloc(300_000, letter);
      await store.put([entryOf('a', { body, size: body.length })]);
      expect(Buffer.compare((await store.find(entryOf('a').id))?.body ?? Buffer.alloc(0), body)).toBe(0);
    }
    await store.close();
  });

  test('a table that is deleted under an open store is created anew', async () => {
    const store = open('deleted');
    await store.put([entryOf('a')]);
    await raw('deleted', (client) => client.send(new DeleteTableCommand({ TableName: 'deleted' })));
    await until('it is deleted', async () => (await store.find(entryOf('a').id)) === undefined);
    expect(await store.put([entryOf('a')])).toBe(true);
    expect((await store.find(entryOf('a').id))?.kind).toBe('response');
    await store.close();
  });

  test('clearing leaves leases', async () => {
    const store = open('cleared');
    await store.acquireLease('a', 'me', 60);
    await managed(store).clear();
    expect(await store.acquireLease('a', 'you', 60)).toBe(false);
    await store.close();
  });

  test('the location has no credentials', () => {
    const options = { endpoint: 'http://user:secret@example.com:8000/path', table: 'responses' };
    expect(new DynamoDbStore('name', options, Date.now).location).toBe('http://example.com:8000/responses');
    expect(new DynamoDbStore('name', {}, Date.now).location).toBe('dynamodb:name');
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

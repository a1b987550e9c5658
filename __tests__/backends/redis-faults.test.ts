import { describe, expect, jest, test } from '@jest/globals';
import { createClient, type RedisClientType } from '@keyv/redis';
import { RedisStore, type RedisStoreOptions } from '../../lib/stores/redis/index.js';
import { failureKind } from '../../lib/stores/store-failure.js';
import { redis, startRedis } from '../../scripts/services/redis.mjs';
import { entryOf, idOf } from '../support/entries.js';
import { managed } from '../support/managed.js';
import { describeService } from '../support/services.js';

/** Failures of one entry, of the index, and of a server that refuses writes. */

const DIGEST = '1'.repeat(32);

/** Plants a value of each type of Redis under a key. */
const PLANTS: Readonly<Record<string, readonly string[]>> = {
  'a text': ['SET', 'not ours'],
  'an empty text': ['SET', ''],
  'a text in an older format': ['SET', `AKC1r-${'0'.repeat(300)}`],
  'a list': ['RPUSH', 'a'],
  'a set': ['SADD', 'a'],
  'a sorted set': ['ZADD', '1', 'a'],
  'a hash': ['HSET', 'a', 'b'],
  'a stream': ['XADD', '*', 'a', 'b'],
};

async function plant(client: RedisClientType, key: string, [command = '', ...words]: readonly string[]): Promise<void> {
  // In one step: a sweep may look at the key in between.
  await client
    .multi()
    .del(key)
    .addCommand([command, key, ...words])
    .exec();
}

/** The kind of failure, or the result. */
async function outcome(work: Promise<unknown> | undefined): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    return failureKind(error);
  }
}

async function idsOf(store: RedisStore, query = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of store.list(query)) found.push(id[0] ?? '');
  return found.sort();
}

interface Opened extends AsyncDisposable {
  readonly client: RedisClientType;
  readonly store: RedisStore;
}

/** A store, and a client beside it. */
async function opened(url: string, cacheName: string, options: RedisStoreOptions = {}): Promise<Opened> {
  const client = createClient({ url }) as unknown as RedisClientType;
  await client.connect();
  const store = new RedisStore(cacheName, { url, ...options }, Date.now);
  return {
    client,
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      client.destroy();
    },
  };
}

describeService(redis, (server) => {
  describe.each(Object.entries(PLANTS))('%s', (name, words) => {
    test('in the place of an entry: it is unreadable alone, counted once, listed, replaced and deleted', async () => {
      await using both = await opened(server().url, `planted_${name.replaceAll(' ', '_')}`);
      const { client, store } = both;
      await store.put([entryOf('a', { indexes: [DIGEST] }), entryOf('b', { kind: 'variants' }), entryOf('c')]);
      const [row, other] = ['a', 'b'].map((letter) => `{planted_${name.replaceAll(' ', '_')}}:r:${idOf(letter)}`);
      await plant(client, row ?? '', words);
      expect((await store.find(idOf('a')))?.kind).toBe('unknown');
      const found = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => store.find(idOf(letter))));
      expect(found.map((one) => one?.kind)).toEqual(['unknown', 'variants', 'response', undefined]);
      expect([await store.count(), await idsOf(store, { kind: 'unknown' })]).toEqual([2, ['a']]);
      expect(await store.put([entryOf('a')])).toBe(true);
      expect([(await store.find(idOf('a')))?.kind, await store.count()]).toEqual(['response', 2]);
      await plant(client, row ?? '', words);
      await plant(client, other ?? '', words);
      expect(await store.delete([idOf('a')])).toBe(1);
      expect([await store.count(), await idsOf(store, { index: DIGEST })]).toEqual([1, []]);
      expect(await managed(store).deleteExpired(9_000)).toBe(2);
      await managed(store).clear();
      expect(await client.keys(`{planted_${name.replaceAll(' ', '_')}}:*`)).toEqual([]);
    });
  });

  describe.each(['a text', 'a list', 'a hash'])('%s', (name) => {
    test.each(['e:responses', 'e:others', `u:${DIGEST}`, `g:${idOf('a')}`, 'i', 'l:lease'])(
      'in the place of %s: nothing throws, and the next write puts it right',
      async (place) => {
        const cacheName = `index_${name.replaceAll(' ', '_')}_${place.replace(/\W/g, '_')}`;
        await using both = await opened(server().url, cacheName);
        const { client, store } = both;
        const entries = [
          entryOf('a', { indexes: [DIGEST] }),
          entryOf('b', { kind: 'variants', group: idOf('a') }),
          entryOf('c', { kind: 'redirect', group: idOf('a'), indexes: [DIGEST] }),
        ];
        await store.put(entries);
        await plant(client, `{${cacheName}}:${place}`, PLANTS[name] ?? []);
        expect((await store.find(idOf('a')))?.kind).toBe('response');
        await idsOf(store);
        await idsOf(store, { index: DIGEST });
        await managed(store).count();
        await managed(store).deleteExpired(1);
        const order = await store.currentOrder();
        expect(order).toBeGreaterThan(0);
        expect(await store.put(entries.map((one) => ({ ...one, order })))).toBe(true);
        expect([await store.count(), await idsOf(store), await idsOf(store, { index: DIGEST })]).toEqual([
          1,
          ['a', 'b', 'c'],
          ['a', 'c'],
        ]);
        await store.invalidate([DIGEST]);
        expect(await store.put(entries.map((one) => ({ ...one, order })))).toBe(false);
        expect([await store.acquireLease('lease', 'me', 5), await store.acquireLease('lease', 'you', 5)]).toEqual([
          true,
          false,
        ]);
        await plant(client, `{${cacheName}}:${place}`, PLANTS[name] ?? []);
        expect(await store.deleteGroups([idOf('a')])).toBe(1);
        await managed(store).clear();
        expect(await idsOf(store)).toEqual([]);
      },
    );
  });

  test('entries that the index has lost are served, and clear() deletes them', async () => {
    await using both = await opened(server().url, 'lost');
    const { client, store } = both;
    const entries = ['a', 'b', 'c'].map((name) => entryOf(name, { indexes: [DIGEST] }));
    await store.put(entries);
    await client.del(await client.keys('{lost}:[egu]:*'));
    expect([await store.count(), (await store.find(idOf('a')))?.kind]).toEqual([0, 'response']);
    await store.put([{ ...entryOf('d'), order: await store.currentOrder() }]);
    await managed(store).clear();
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => store.find(idOf(name))))).toEqual(
      Array(4).fill(undefined),
    );
    expect(await client.keys('{lost}:[regu]:*')).toEqual([]);
  });

  test('an entry that changes its kind is counted once, and is in the sets of its newest form alone', async () => {
    await using both = await opened(server().url, 'kinds');
    const { client, store } = both;
    const tags = Array.from({ length: 100 }, (_, index) => index.toString(16).padStart(32, '0'));
    await store.put([entryOf('a', { indexes: [DIGEST, ...tags], group: idOf('b') })]);
    await store.put([entryOf('a', { kind: 'variants', indexes: tags.slice(0, 2) })]);
    expect([await store.count(), await idsOf(store)]).toEqual([0, ['a']]);
    expect((await client.keys('{kinds}:[gu]:*')).sort()).toEqual(tags.slice(0, 2).map((tag) => `{kinds}:u:${tag}`));
    await store.put([entryOf('a', { indexes: [DIGEST] })]);
    expect([await store.count(), await idsOf(store), await client.zCard('{kinds}:e:others')]).toEqual([1, ['a'], 0]);
    await store.delete([idOf('a')]);
    expect(await client.keys('{kinds}:*')).toEqual([]);
  });

  test('a script that the server forgot is sent again', async () => {
    await using both = await opened(server().url, 'scripts');
    await both.store.put([entryOf('a')]);
    await both.client.scriptFlush();
    await both.store.put([entryOf('b')]);
    expect(await both.store.count()).toBe(2);
  });

  test.each(['modern', 'legacy'] as const)(
    '%s fake timers, begun before or after the connection: every call ends',
    async (kind) => {
      await using both = await opened(server().url, `fake_${kind}`);
      const later = new RedisStore(`fake_${kind}`, { url: server().url }, Date.now);
      await both.store.put([entryOf('a')]);
      jest.useFakeTimers(kind === 'legacy' ? { legacyFakeTimers: true } : {});
      try {
        for (const store of [both.store, later]) {
          await store.put([entryOf('b')]);
          expect(await store.acquireLease('a', 'me', 60)).toBe(true);
          const found = await Promise.all(['a', 'b', 'c'].map((letter) => store.find(idOf(letter))));
          expect(found.map((one) => one?.kind)).toEqual(['response', 'response', undefined]);
          expect([await idsOf(store), await store.count()]).toEqual([['a', 'b'], 2]);
        }
      } finally {
        jest.useRealTimers();
      }
      expect((await both.store.find(idOf('a')))?.kind).toBe('response');
      await later.close();
    },
  );

  test('reads of one turn are few commands, and each gets its own answer', async () => {
    const own = await startRedis();
    try {
      await using both = await opened(own.url, 'batches');
      const { client, store } = both;
      const ids = Array.from({ length: 250 }, (_, index) => idOf(index));
      await store.put(Array.from({ length: 125 }, (_, index) => entryOf(2 * index)));
      await client.configResetStat();
      const found = await Promise.all(ids.map((one) => store.find(one)));
      expect(found.map((one) => one?.id)).toEqual(ids.map((one, index) => (index % 2 === 0 ? one : undefined)));
      const stats = await client.info('commandstats');
      const calls = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      expect([calls('mget'), calls('get')]).toEqual([3, 0]);
    } finally {
      await own.stop();
    }
  });

  test('expired entries are deleted by the hundreds: no command for each, nothing of theirs remains, others stay', async () => {
    const own = await startRedis();
    try {
      await using both = await opened(own.url, 'expired');
      const { client, store } = both;
      const several = (from: number, staleAt: number) =>
        Array.from({ length: 700 }, (_, index) => {
          const id = idOf(from + index);
          const group = index % 7 === 0 ? idOf('g') : id;
          return entryOf(from + index, { group, staleAt, indexes: [DIGEST, id.slice(-32)] });
        });
      await store.put(several(0, 1_000));
      await store.put(several(700, 2_000));
      await store.put([entryOf('d', { kind: 'redirect', group: idOf('g'), staleAt: 1_000 })]);
      await client.configResetStat();
      const steps: number[] = [];
      for await (const number of store.deleteExpired(1_500)) steps.push(number);
      expect(steps.reduce((sum, number) => sum + number)).toBe(700);
      const stats = await client.info('commandstats');
      const calls = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      expect(calls('evalsha') + calls('eval')).toBeLessThanOrEqual(8);
      expect([calls('zrange'), calls('smembers'), calls('keys')]).toEqual([0, 0, 0]);
      expect([await store.count(), await client.sCard(`{expired}:u:${DIGEST}`)]).toEqual([700, 700]);
      expect(await client.sCard(`{expired}:g:${idOf('g')}`)).toBe(100);
      expect((await client.keys('{expired}:*')).length).toBe(1 + 700 + 700 + 1 + 1);
    } finally {
      await own.stop();
    }
  });

  test.each([-1, 1])('a listing finds that an entry has %d bytes more than were stored', async (more) => {
    for (const size of [100, 10_000]) {
      const name = `length_${size}_${more}`;
      await using both = await opened(server().url, name);
      const { client, store } = both;
      await store.put([entryOf('a', { body: Buffer.alloc(size) }), entryOf('b', { body: Buffer.alloc(size) })]);
      const row = `{${name}}:r:${idOf('a')}`;
      const value = (await client.get(row)) ?? '';
      await client.set(row, more < 0 ? value.slice(0, more) : `${value}x`);
      const kinds: Record<string, string> = {};
      for await (const { id, kind } of store.list()) kinds[id[0] ?? ''] = kind;
      expect([kinds, (await store.find(idOf('a')))?.kind]).toEqual([{ a: 'unknown', b: 'response' }, 'unknown']);
    }
  });

  test('a listing takes no entry that is replaced meanwhile for damaged', async () => {
    await using both = await opened(server().url, 'replaced');
    const { store } = both;
    const sized = (size: number) => entryOf('a', { body: Buffer.alloc(size) });
    await store.put([sized(5_000)]);
    const write = async () => {
      for (let size = 0; size < 200; size += 5)
        await Promise.all([0, 1, 2, 3, 4].map((more) => store.put([sized(5_000 + size + more)])));
    };
    const kinds = new Set<string>();
    const list = async () => {
      for (let index = 0; index < 50; index += 1) for await (const { kind } of store.list()) kinds.add(kind);
    };
    await Promise.all([write(), list(), list()]);
    expect([...kinds]).toEqual(['response']);
  });

  test('ids of existing entries stay in the index, even if a sweep takes them for deleted', async () => {
    await using both = await opened(server().url, 'live');
    const { client, store } = both;
    await store.put([entryOf('a', { indexes: [DIGEST] }), entryOf('b', { indexes: [DIGEST], group: idOf('a') })]);
    await client.sAdd(`{live}:u:${DIGEST}`, idOf('x'));
    await client.zAdd('{live}:e:responses', { score: 1, value: idOf('x') });
    const writes = Array.from({ length: 100 }, () => store.put([entryOf('x', { indexes: [DIGEST] })]));
    const lists = Array.from({ length: 100 }, () => idsOf(store, { index: DIGEST }));
    const deletions = Array.from({ length: 20 }, () => store.delete([idOf('x')]));
    await Promise.all([...writes, ...lists, ...deletions]);
    await store.put([entryOf('x', { indexes: [DIGEST] })]);
    expect([
      await idsOf(store),
      await idsOf(store, { index: DIGEST }),
      await idsOf(store, { group: idOf('a') }),
    ]).toEqual([
      ['a', 'b', 'x'],
      ['a', 'b', 'x'],
      ['a', 'b'],
    ]);
  });
});

describeService(redis, (server) => {
  test('orders: a server that evicted them refuses responses requested before, and accepts those requested after', async () => {
    await using both = await opened(server().url, 'orders');
    const { client, store } = both;
    const order = await store.currentOrder();
    await store.invalidate([DIGEST]);
    await client.del('{orders}:i');
    const old = entryOf('a', { order, indexes: [DIGEST] });
    expect([await store.put([old]), await store.find(idOf('a'))]).toEqual([false, undefined]);
    expect(await store.put([old])).toBe(false);
    expect(await store.put([{ ...old, order: await store.currentOrder() }])).toBe(true);
    await client.del('{orders}:i');
    const renewed = await store.currentOrder();
    expect([renewed > order, await store.put([old]), await store.put([{ ...old, order: renewed }])]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test.each([
    ['in many steps', 1_000],
    ['in one step', 12_000],
  ])(
    'orders: of 12,000 invalidations %s only the last are remembered, and nothing is accepted for it',
    async (_, size) => {
      await using both = await opened(server().url, `many_orders_${size}`);
      const { client, store } = both;
      const order = await store.currentOrder();
      await store.invalidate([DIGEST]);
      const after = await store.currentOrder();
      const digest = (index: number) => index.toString(16).padStart(32, '0');
      for (let first = 0; first < 12_000; first += size) {
        await store.invalidate(Array.from({ length: size }, (_, index) => digest(first + index)));
      }
      expect(await client.zCard(`{many_orders_${size}}:i`)).toBeLessThanOrEqual(10_003);
      const old = (one: string, requested: number) => entryOf('a', { order: requested, indexes: [one] });
      expect(await store.put([old(DIGEST, order)])).toBe(false);
      expect(await store.put([old(digest(11_999), after)])).toBe(false);
      const last = await store.currentOrder();
      expect(last).toBeGreaterThan(after);
      expect(await store.put([old(digest(11_999), last)])).toBe(true);
    },
  );

  test('orders: an invalidation of everything is remembered when one of too many digests is forgotten', async () => {
    await using both = await opened(server().url, 'everything');
    const { client, store } = both;
    await store.invalidate([]);
    await store.invalidate(Array.from({ length: 10_000 }, (_, index) => index.toString(16).padStart(32, '0')));
    expect(await store.put([entryOf('a')])).toBe(false);
    await client.zRem('{everything}:i', 'last');
    const order = await store.currentOrder();
    await store.invalidate([DIGEST]);
    expect(await store.put([entryOf('a', { order })])).toBe(true);
    expect(await store.put([entryOf('b', { order, indexes: [DIGEST] })])).toBe(false);
  });

  test('orders rise, whatever the clock of the server', async () => {
    await using both = await opened(server().url, 'clock');
    const { client, store } = both;
    await store.currentOrder();
    const far = Date.now() * 1_000 + 1e12;
    await client.zAdd('{clock}:i', { score: far, value: 'last' });
    const before = await store.currentOrder();
    await store.invalidate([DIGEST]);
    expect([before, await store.currentOrder()]).toEqual([far, far + 1]);
    expect(await store.put([entryOf('a', { order: before, indexes: [DIGEST] })])).toBe(false);
  });

  test('a full server: writes are refused, reads go on, and it can be emptied', async () => {
    const full = await startRedis({ maxmemory: '0', 'maxmemory-policy': 'noeviction' });
    try {
      await using both = await opened(full.url, 'full');
      const { client, store } = both;
      const letters = ['a', 'b', 'c', 'd'];
      await store.put(
        letters.map((letter) => entryOf(letter, { indexes: [DIGEST], staleAt: letter === 'b' ? 1 : 9_000 })),
      );
      await client.configSet('maxmemory', '1');
      expect(await outcome(store.put([entryOf('e')]))).toBe('refusal');
      expect(await outcome(store.put([entryOf('a', { kind: 'redirect' })]))).toBe(true);
      expect([await store.currentOrder(), await outcome(store.invalidate([DIGEST]))]).toEqual([0, 'refusal']);
      expect(await outcome(store.acquireLease('a', 'me', 1))).toBe('refusal');
      expect([(await store.find(idOf('a')))?.kind, await store.count(), await idsOf(store)]).toEqual([
        'response',
        4,
        letters,
      ]);
      await store.ready();
      expect(await store.delete([idOf('a')])).toBe(1);
      expect(await managed(store).deleteExpired(2)).toBe(1);
      expect(await store.deleteGroups([idOf('c')])).toBe(1);
      await managed(store).clear();
      expect([await store.count(), await client.keys('{full}:*')]).toEqual([0, []]);
      await client.configSet('maxmemory', '0');
      expect(await store.put([entryOf('a')])).toBe(true);
    } finally {
      await full.stop();
    }
  });

  test('a replica: writes and deletions are refused, reads go on', async () => {
    const { hostname, port } = new URL(server().url);
    const replica = await startRedis({ replicaof: `${hostname} ${port}` });
    try {
      await using master = await opened(server().url, 'replicated');
      await master.store.put([entryOf('a')]);
      await using both = await opened(replica.url, 'replicated');
      const { store } = both;
      for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
        if ((await outcome(store.find(idOf('a')))) !== undefined) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect((await store.find(idOf('a')))?.kind).toBe('response');
      await store.ready();
      expect(await outcome(store.put([entryOf('b')]))).toBe('refusal');
      expect(await outcome(store.delete([idOf('a')]))).toBe('refusal');
      expect(await outcome(store.invalidate([]))).toBe('refusal');
      expect(await store.currentOrder()).toBe(0);
      expect([await store.count(), (await store.find(idOf('a')))?.kind]).toEqual([1, 'response']);
    } finally {
      await replica.stop();
    }
  });

  test('users: one that may not write is refused, one that may not read or has a wrong password is an outage', async () => {
    const secured = await startRedis();
    try {
      await using admin = await opened(secured.url, 'users');
      const { client } = admin;
      await admin.store.put([entryOf('a')]);
      await client.sendCommand(['ACL', 'SETUSER', 'reader', 'on', '>pass', '~*', '+@read', '+@connection', '-keys']);
      await client.sendCommand(['ACL', 'SETUSER', 'nobody', 'on', '>pass', '~*', '+@connection']);
      const as = (username: string, password = 'pass') =>
        new RedisStore('users', { url: secured.url, clientOptions: { username, password } }, Date.now);
      const reader = as('reader');
      expect([(await reader.find(idOf('a')))?.kind, await outcome(reader.put([entryOf('b')]))]).toEqual([
        'response',
        'refusal',
      ]);
      expect(await outcome(reader.ready())).toBeUndefined();
      const nobody = as('nobody');
      expect([await outcome(nobody.find(idOf('a'))), await outcome(nobody.ready())]).toEqual(['outage', 'outage']);
      const stranger = as('reader', 'wrong');
      expect([await outcome(stranger.find(idOf('a'))), await outcome(stranger.put([entryOf('b')]))]).toEqual([
        'outage',
        'outage',
      ]);
      await client.configSet('requirepass', 'secret');
      const anonymous = new RedisStore('users', { url: secured.url }, Date.now);
      expect([await outcome(anonymous.find(idOf('a'))), await outcome(anonymous.put([entryOf('b')]))]).toEqual([
        'outage',
        'outage',
      ]);
      for (const store of [reader, nobody, stranger, anonymous]) await store.close();
    } finally {
      await secured.stop();
    }
  });

  test('a server that is gone is an outage, also for leases; nothing opens after close', async () => {
    const gone = await startRedis();
    const store = new RedisStore('gone', { url: gone.url }, Date.now);
    try {
      await store.put([entryOf('a')]);
      expect(await store.acquireLease('a', 'me', 60)).toBe(true);
      await gone.kill();
      const calls = [
        store.find(idOf('a')),
        store.put([entryOf('a')]),
        store.count(),
        store.currentOrder(),
        store.acquireLease('a', 'me', 60),
        store.releaseLease('a', 'me'),
        store.ready(),
      ];
      expect(await Promise.all(calls.map(outcome))).toEqual(calls.map(() => 'outage'));
      await gone.start();
      await store.put([entryOf('b')]);
      const listing = store.list();
      await store.put([entryOf('c')]);
      await listing.next();
      await store.close();
      expect(await outcome(store.find(idOf('a')))).toBe('outage');
      expect(await outcome(store.list().next())).toBe('outage');
    } finally {
      await store.close();
      await gone.stop();
    }
  });

  test('a server that hangs: every call ends, with few timers', async () => {
    const frozen = await startRedis();
    const store = new RedisStore('frozen', { url: frozen.url }, Date.now);
    try {
      await store.put([entryOf('a')]);
      frozen.freeze();
      const started = performance.now();
      const calls = Array.from({ length: 5_000 }, (_, index) =>
        index % 2 === 0 ? store.find(idOf('a')) : store.ready(),
      );
      expect(new Set(await Promise.all(calls.map(outcome)))).toEqual(new Set(['outage']));
      expect(performance.now() - started).toBeLessThan(12_000);
      frozen.resume();
      expect((await store.find(idOf('a')))?.kind).toBe('response');
    } finally {
      frozen.resume();
      await store.close();
      await frozen.stop();
    }
  }, 30_000);
});

import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Entry } from '../../lib/models/entry.js';
import type { EntryQuery, Store } from '../../lib/stores/store.js';
import { temporaryFolder } from '../support/api.js';
import { program } from '../support/child.js';
import { TestClock } from '../support/clock.js';
import { entryOf, idOf } from '../support/entries.js';
import { until } from '../support/faults.js';
import { managed } from '../support/managed.js';

/** How to open a backend's store for a test. */
export interface Backend {
  /** A store of that cache name; the same name in the same folder is the same cache. */
  open(
    folder: string,
    cacheName: string,
    options: { maxEntries?: number; maxSize?: number; retention?: number },
    now: () => number,
  ): Store;
  /** Whether other stores and processes can read its entries. */
  readonly persistent: boolean;
  /** Bytes of a large body that it takes. Default: 1,000,000. */
  readonly largest?: number;
  /** Whether it orders the invalidations of several processes. Default: false. */
  readonly ordered?: boolean;
  /** Whether `replace` compares and writes in one step. Default: true. */
  readonly atomic?: boolean;
  /** Whether it takes maxEntries and maxSize. Default: true. */
  readonly bounded?: boolean;
  /** Whether it supports leases. Default: true. */
  readonly leases?: boolean;
  /** Whether it deletes entries past their retention by the test's clock. Default: true. */
  readonly expires?: boolean;
  /** A module that exports `open(folder, cacheName, argument): Store`, for several processes on one store. */
  readonly processModule?: string;
  /** The argument of `open`: the server's URL. */
  readonly processArgument?: () => string;
  /** Puts something under an id that is no entry of ours, with the store's own client. */
  plantGarbage?(folder: string, cacheName: string, id: string): Promise<void>;
}

async function ids(store: Store, query?: EntryQuery): Promise<string[]> {
  const found: string[] = [];
  for await (const summary of store.list(query)) found.push(summary.id);
  return found.map((one) => one.replace(/^(.)\1{63}/, '$1')).sort();
}

/** The contract of every backend, with its real engine. */
export function describeBackend(name: string, backend: Backend): void {
  describe(`${name} as a store`, () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let clock: TestClock;
    let store: Store;
    const open: Store[] = [];

    const another = (cacheName = 'cache', options = {}): Store => {
      const opened = backend.open(folder.path, cacheName, options, clock.now);
      open.push(opened);
      return opened;
    };

    beforeEach(async () => {
      folder = await temporaryFolder();
      clock = new TestClock();
      store = another();
    });

    afterEach(async () => {
      for (const opened of open.splice(0)) await opened.close();
      await folder[Symbol.asyncDispose]();
    });

    test('writes entries that belong together, and lists them by any of their digests', async () => {
      const indexes = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(32, '0'));
      const variant = entryOf('d', { id: `${idOf('c')}.${'f'.repeat(32)}`, group: idOf('c'), indexes });
      const redirect = entryOf('e', { kind: 'redirect', group: idOf('c'), indexes: ['e'.repeat(32)] });
      expect(await store.put([variant, entryOf('c', { kind: 'variants' }), redirect])).toBe(true);
      expect((await store.find(variant.id))?.indexes).toEqual(indexes);
      expect(await ids(store, { index: String(indexes.at(-1)) })).toEqual([`c.${'f'.repeat(32)}`]);
      expect(await ids(store, { index: 'e'.repeat(32) })).toEqual(['e']);
      expect(await store.deleteGroups([idOf('c')])).toBe(1);
      expect([await ids(store), await ids(store, { index: 'e'.repeat(32) })]).toEqual([[], []]);
    });

    test.each(['response', 'variants'] as const)('a redirect never replaces a %s', async (kind) => {
      await store.put([entryOf('a', { kind })]);
      const redirect = entryOf('a', { kind: 'redirect', group: idOf('b') });
      expect(await store.put([entryOf('b'), redirect])).toBe(true);
      expect([(await store.find(idOf('a')))?.kind, (await store.find(idOf('b')))?.kind]).toEqual([kind, 'response']);
      await store.delete([idOf('a')]);
      await store.put([redirect]);
      await store.put([{ ...redirect, group: idOf('c') }]);
      expect((await store.find(idOf('a')))?.group).toBe(idOf('c'));
    });

    test('replaces an entry only if it is still stored', async () => {
      const other = backend.persistent ? another() : store;
      await store.put([entryOf('a', { body: Buffer.from('1'), meta: Buffer.from('one'), indexes: ['1'.repeat(32)] })]);
      const found = (await store.find(idOf('a'))) as Entry;
      const changed = { ...found, body: Buffer.from('2'), meta: Buffer.from('two'), staleAt: 9_000 };
      expect([await other.replace(found, changed), await store.replace(found, found)]).toEqual([true, false]);
      const now = (await store.find(idOf('a'))) as Entry;
      expect([Buffer.from(now.body).toString(), now.staleAt]).toEqual(['2', 9_000]);
      expect([await ids(store, { index: '1'.repeat(32) }), await managed(store).count()]).toEqual([['a'], 1]);
      expect(await ids(store, { staleBy: 9_000 })).toEqual(['a']);
      await other.delete([idOf('a')]);
      expect([await store.replace(now, changed), await store.find(idOf('a'))]).toEqual([false, undefined]);
      expect(await ids(store)).toEqual([]);
    });

    test('replaces an entry with a large body', async () => {
      const body = Buffer.alloc(backend.largest ?? 1_000_000, 'x');
      await store.put([entryOf('a', { body })]);
      const found = (await store.find(idOf('a'))) as Entry;
      const larger = { ...found, body: Buffer.from(body).fill('y'), meta: Buffer.from('two') };
      expect(await store.replace(found, larger)).toBe(true);
      expect(Buffer.compare((await store.find(idOf('a')))?.body ?? Buffer.from('?'), larger.body)).toBe(0);
    });

    if (backend.atomic ?? true) {
      test('loses no replacement of several writers', async () => {
        const stores = backend.persistent ? [store, another(), another()] : [store, store, store];
        await store.put([entryOf('a', { body: Buffer.from('0'), meta: Buffer.from('0') })]);
        const increment = async (one: Store): Promise<void> => {
          for (;;) {
            const found = await one.find(idOf('a'));
            // The file of an entry that is being replaced is absent for moments.
            if (!found) {
              await new Promise(setImmediate);
              continue;
            }
            const next = Buffer.from(String(Number(Buffer.from(found.body).toString()) + 1));
            if (await one.replace(found, { ...found, body: next, meta: next })) return;
          }
        };
        await Promise.all(
          stores.map(async (one) => {
            for (let number = 0; number < 8; number += 1) await increment(one);
          }),
        );
        expect(Buffer.from((await store.find(idOf('a')))?.body ?? '').toString()).toBe('24');
        expect([await ids(store), await managed(store).count()]).toEqual([['a'], 1]);
      });
    }

    if (backend.ordered ?? false) {
      test('refuses entries that were requested before an invalidation of one of their names', async () => {
        const other = another();
        const [digest, unrelated] = ['1'.repeat(32), '2'.repeat(32)];
        const before = (await store.currentOrder?.()) ?? 0;
        await other.invalidate?.([digest]);
        const after = (await store.currentOrder?.()) ?? 0;
        expect(after).toBeGreaterThan(before);
        const old = entryOf('a', { order: before, indexes: [unrelated, digest] });
        expect([await store.put([old]), await store.find(old.id)]).toEqual([false, undefined]);
        expect(await store.put([{ ...old, indexes: [unrelated] }])).toBe(true);
        expect(await store.put([{ ...old, order: after }])).toBe(true);
        const redirect = entryOf('r', { kind: 'redirect', group: idOf('c'), order: after });
        const variant = entryOf('v', { id: `${idOf('c')}.${'f'.repeat(32)}`, group: idOf('c'), order: after });
        for (const [name, expected] of [
          [idOf('c'), [false, false, false, true]],
          [idOf('r'), [true, true, false, true]],
        ] as const) {
          const at = (await store.currentOrder?.()) ?? 0;
          await other.invalidate?.([name]);
          const writes = [[entryOf('c')], [variant], [entryOf('c'), redirect], [entryOf('d')]];
          const outcomes: boolean[] = [];
          for (const entries of writes)
            outcomes.push(await store.put(entries.map((entry) => ({ ...entry, order: at }))));
          expect(outcomes).toEqual(expected);
        }
        await other.invalidate?.([]);
        expect(await store.put([entryOf('b', { order: after })])).toBe(false);
        expect(await store.put([entryOf('b', { order: (await store.currentOrder?.()) ?? 0 })])).toBe(true);
      });
    }

    test('is ready, and empty', async () => {
      await store.ready();
      expect([await managed(store).count(), await ids(store), await store.find(idOf('a'))]).toEqual([0, [], undefined]);
    });

    test.each([
      ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
      ['nothing', Buffer.alloc(0)],
      ['a large body', Buffer.alloc(backend.largest ?? 1_000_000, 'xyz')],
    ])('keeps entries whole: %s', async (_, body) => {
      const given = entryOf('a', {
        body,
        signature: 'header..signature',
        protection: 'S',
        staleAt: Number.POSITIVE_INFINITY,
        indexes: ['1'.repeat(32), '2'.repeat(32)],
        group: idOf('b'),
      });
      await store.put([given]);
      const found = await store.find(idOf('a'));
      expect({ ...found, size: 0, meta: Buffer.from(found?.meta ?? ''), body: undefined }).toEqual({
        ...given,
        size: 0,
        body: undefined,
      });
      expect(Buffer.compare(found?.body ?? Buffer.from('?'), body)).toBe(0);
    });

    test('replaces the entry with the same id', async () => {
      await store.put([entryOf('a', { indexes: ['1'.repeat(32)] })]);
      await store.put([entryOf('a', { body: Buffer.from('new'), staleAt: 9_000, indexes: [] })]);
      expect(Buffer.from((await store.find(idOf('a')))?.body ?? '').toString()).toBe('new');
      expect([await managed(store).count(), await ids(store, { index: '1'.repeat(32) })]).toEqual([1, []]);
    });

    test('replaces several digests by others, and keeps those that stay', async () => {
      const digests = (...numbers: number[]) => numbers.map((number) => String(number).repeat(32));
      const found = async () => {
        const lists = await Promise.all(digests(1, 2, 3, 4).map((index) => ids(store, { index })));
        return lists.map(({ length }) => length);
      };
      for (const [numbers, expected] of [
        [
          [1, 2, 3],
          [1, 1, 1, 0],
        ],
        [
          [1, 2, 3],
          [1, 1, 1, 0],
        ],
        [
          [2, 4, 3],
          [0, 1, 1, 1],
        ],
        [[3], [0, 0, 1, 0]],
        [
          [1, 4],
          [1, 0, 0, 1],
        ],
      ] as const) {
        await store.put([entryOf('a', { indexes: digests(...numbers) })]);
        expect(await found()).toEqual(expected);
      }
    });

    describe('with several entries', () => {
      beforeEach(async () => {
        await store.put([entryOf('a', { indexes: ['1'.repeat(32)], staleAt: 2_000 })]);
        await store.put([
          entryOf('b', { indexes: ['2'.repeat(32), '1'.repeat(32)], staleAt: 3_000, receivedAt: 1_500 }),
        ]);
        await store.put([entryOf('c', { kind: 'variants', staleAt: Number.POSITIVE_INFINITY, receivedAt: 3_000 })]);
        await store.put([entryOf('d', { id: `${idOf('c')}.${'f'.repeat(32)}`, group: idOf('c'), staleAt: 4_000 })]);
        await store.put([entryOf('e', { kind: 'redirect', group: idOf('a'), staleAt: 2_000 })]);
      });

      test.each<[string, EntryQuery | undefined, string[]]>([
        ['no condition', undefined, ['a', 'b', 'c', `c.${'f'.repeat(32)}`, 'e']],
        ['a kind', { kind: 'response' }, ['a', 'b', `c.${'f'.repeat(32)}`]],
        ['a group', { group: idOf('a') }, ['a', 'e']],
        ['a group of variants', { group: idOf('c') }, ['c', `c.${'f'.repeat(32)}`]],
        ['a URL, asked or final', { index: '1'.repeat(32) }, ['a', 'b']],
        ['what is expired', { staleBy: 2_000 }, ['a', 'e']],
        ['what is fresh', { freshAt: 2_000 }, ['b', 'c', `c.${'f'.repeat(32)}`]],
        ['what is old', { receivedBefore: 1_500 }, ['a', `c.${'f'.repeat(32)}`, 'e']],
        ['what is new', { receivedAfter: 1_000 }, ['b', 'c']],
        ['what is fresh and new', { freshAt: 3_000, receivedAfter: 1_500 }, ['c']],
        [
          'all at once',
          { kind: 'response', group: idOf('a'), index: '1'.repeat(32), staleBy: 2_000, receivedBefore: 1_001 },
          ['a'],
        ],
        ['nothing that fits', { kind: 'response', group: idOf('z') }, []],
      ])('lists and counts by %s', async (_, query, expected) => {
        expect(await ids(store, query)).toEqual(expected);
        const counted =
          query?.kind === undefined ? (await ids(store, { ...query, kind: 'response' })).length : expected.length;
        expect(await managed(store).count(query)).toBe(counted);
      });

      test('drops ids with their groups', async () => {
        expect(await store.deleteGroups([idOf('a'), idOf('c'), idOf('x')])).toBe(2);
        expect(await ids(store)).toEqual(['b']);
      });

      test('drops exactly these', async () => {
        expect(await store.delete([idOf('a'), idOf('c'), idOf('x')])).toBe(1);
        expect(await ids(store)).toEqual(['b', `c.${'f'.repeat(32)}`, 'e']);
      });

      test('deletes expired entries', async () => {
        expect(await managed(store).deleteExpired(1_999)).toBe(0);
        expect(await managed(store).deleteExpired(3_000)).toBe(2);
        expect(await ids(store)).toEqual(['c', `c.${'f'.repeat(32)}`]);
      });

      test('clears everything', async () => {
        await managed(store).clear();
        expect([await managed(store).count(), await ids(store)]).toEqual([0, []]);
        await store.put([entryOf('a')]);
        expect(await managed(store).count()).toBe(1);
      });

      test('lists while its reader drops and puts', async () => {
        for await (const { id: listed } of store.list({ kind: 'response' })) {
          await store.delete([listed]);
          await store.put([entryOf('v', { kind: 'variants' })]);
        }
        expect(await managed(store).count()).toBe(0);
      });
    });

    test('lists thousands of entries, each once', async () => {
      const number = 2_100;
      for (let index = 0; index < number; index += 50) {
        await store.put(Array.from({ length: 50 }, (_, step) => entryOf(index + step)));
      }
      const listed = new Set<string>();
      for await (const summary of store.list()) listed.add(summary.id);
      expect([listed.size, await managed(store).count()]).toEqual([number, number]);
      await managed(store).clear();
      expect(await managed(store).count()).toBe(0);
    });

    test('keeps caches of similar names apart', async () => {
      const [one, two] = [another('user_1'), another('userX1')];
      await one.put([entryOf('a')]);
      await two.put([entryOf('a')]);
      await managed(one).clear();
      expect([await managed(one).count(), await managed(two).count()]).toEqual([0, 1]);
    });

    if (backend.bounded ?? true) {
      test('is bounded by number and bytes, oldest use first', async () => {
        const small = another('few', { maxEntries: 20 });
        for (let index = 0; index < 60; index += 1) {
          clock.advance(1);
          await small.put([entryOf(index)]);
          await small.find(idOf(0));
        }
        await until('it is small', async () => (await managed(small).count()) <= 20);
        expect([await small.find(idOf(0)), await small.find(idOf(1))]).toEqual([expect.anything(), undefined]);

        const light = another('light', { maxSize: 100_000 });
        for (let index = 0; index < 60; index += 1) {
          await light.put([entryOf(index, { body: Buffer.alloc(9_000), size: 9_020 })]);
        }
        await until('it is light', async () => (await managed(light).count()) <= 11);
        expect(await managed(light).count()).toBeGreaterThan(5);
      });

      test('refuses an entry over its bound, and evicts no more than the bound asks for', async () => {
        const light = another('tight', { maxSize: 200_000 });
        const numbered = (number: number, bytes: number) =>
          entryOf(number, { body: Buffer.alloc(bytes), size: bytes + 20 });
        for (let number = 0; number < 10; number += 1) await light.put([numbered(number, 5_000)]);
        await expect((async () => light.put([numbered(20, 400_000)]))()).rejects.toMatchObject({
          name: 'StoreFailure',
          kind: 'entry',
        });
        await light.put([numbered(21, 5_000)]);
        expect([await managed(light).count(), await light.find(numbered(20, 0).id)]).toEqual([11, undefined]);
        const few = another('fewer', { maxEntries: 20 });
        for (let number = 0; number < 25; number += 1) {
          clock.advance(1);
          await few.put([numbered(number, 10)]);
        }
        await until('it is small', async () => (await managed(few).count()) <= 20);
        await few.close();
        const left = backend.persistent ? await managed(another('fewer')).count() : 20;
        expect(left).toBe(20);
      });
    }

    if (backend.expires ?? true) {
      test('deletes entries past their retention', async () => {
        const brief = another('brief', { retention: 60 });
        await brief.put([entryOf('a', { staleAt: clock.now() + 1_000 })]);
        clock.advance(120);
        await brief.put([entryOf('b', { staleAt: clock.now() + 1_000 })]);
        await until('the old one is gone', async () => (await ids(brief)).length < 2);
        expect(await ids(brief)).toEqual(['b']);
      });
    }

    test('may be closed twice', async () => {
      await store.put([entryOf('a')]);
      await store.close();
      await store.close();
    });

    if (backend.persistent) {
      test('keeps entries beyond its own life', async () => {
        await store.put([entryOf('a')]);
        await store.close();
        expect((await another().find(idOf('a')))?.id).toBe(idOf('a'));
      });
    }

    if (backend.leases ?? true) {
      test('grants a lease to one holder at a time', async () => {
        const other = another();
        expect([await store.acquireLease?.('a', 'me', 60), await other.acquireLease?.('a', 'you', 60)]).toEqual([
          true,
          false,
        ]);
        expect([await store.acquireLease?.('a', 'me', 60), await other.acquireLease?.('b', 'you', 60)]).toEqual([
          true,
          true,
        ]);
        await other.releaseLease?.('a', 'you');
        expect(await other.acquireLease?.('a', 'you', 60)).toBe(false);
        await store.releaseLease?.('a', 'me');
        expect(await other.acquireLease?.('a', 'you', 60)).toBe(true);
        expect([await managed(store).count(), await ids(store)]).toEqual([0, []]);
      });

      test('a lease ends with its time', async () => {
        await store.acquireLease?.('a', 'me', 0.05);
        clock.advance(1);
        await new Promise((resolve) => setTimeout(resolve, 80));
        expect([await store.acquireLease?.('a', 'you', 60), await store.acquireLease?.('a', 'me', 60)]).toEqual([
          true,
          false,
        ]);
      });
    } else {
      test('supports no leases', () => {
        expect(store.acquireLease).toBeUndefined();
      });
    }

    if (backend.plantGarbage) {
      test('counts, lists and deletes unreadable entries', async () => {
        await store.put([entryOf('a')]);
        await backend.plantGarbage?.(folder.path, 'cache', idOf('b'));
        expect((await store.find(idOf('b')))?.kind).toBe('unknown');
        expect([await managed(store).count(), await ids(store, { kind: 'unknown' })]).toEqual([2, ['b']]);
        expect([await store.delete([idOf('b')]), await managed(store).count()]).toEqual([1, 1]);
      });
    }

    if (backend.processModule) {
      test('takes the writes of several processes', async () => {
        await store.ready();
        const argument = backend.processArgument?.() ?? '';
        await using writers = program(writer(backend.processModule ?? ''));
        await Promise.all(['1', '2', '3', '4'].map((number) => writers.run(folder.path, number, argument)));
        expect(await managed(store).count()).toBe(4 * 50);
      });
    }
  });
}

/** A program that writes fifty entries of its own. */
function writer(module: string): string {
  return `
    import { entryOf } from './__tests__/support/entries.js';
    import { open } from ${JSON.stringify(path.resolve(module))};
    const [, , folder, number, argument] = process.argv;
    const store = open(folder, 'cache', argument);
    for (let index = 0; index < 50; index += 1) await store.put([entryOf(100 * number + index)]);
    await store.close();
  `;
}

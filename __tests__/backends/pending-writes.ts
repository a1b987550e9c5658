import { describe, expect, test } from '@jest/globals';
import type { Entry } from '../../lib/models/entry.js';
import type { Store } from '../../lib/stores/store.js';
import { entryOf } from '../support/entries.js';
import { managed } from '../support/managed.js';

/** A command of a write that a test can delay: the check for invalidations, or the publication. */
type Step = 'check' | 'publish';

/** Called before each step of each store of a test. */
type BeforeStep = (step: Step) => Promise<void>;

interface PendingWrites {
  /** Opens two stores of one cache; the steps of the first call `before`. */
  open(
    name: string,
    before: BeforeStep,
  ): Promise<{ held: Store; other: Store; [Symbol.asyncDispose](): Promise<void> }>;
  /** Number of all documents that the cache's entries use, pending ones included. */
  stored(name: string): Promise<number>;
}

const [DIGEST, UNRELATED] = ['1'.repeat(32), '2'.repeat(32)];

/** The protocol of a store without transactions, as docs/decisions/0021 describes it. */
export function describePendingWrites(name: string, { open, stored }: PendingWrites): void {
  describe(`${name}: a write and an invalidation at the same time`, () => {
    let number = 0;

    /** Runs a test with two stores; `at` sets what happens before a step of the first, once. */
    async function withStores(
      work: (stores: {
        held: Store;
        other: Store;
        cache: string;
        at(step: Step, act: () => Promise<unknown>): void;
      }) => Promise<void>,
    ): Promise<void> {
      number += 1;
      const cache = `pending_${number}`;
      let planned: { step: Step; act: () => Promise<unknown> } | undefined;
      await using stores = await open(cache, async (step) => {
        if (planned?.step !== step) return;
        const { act } = planned;
        planned = undefined;
        await act();
      });
      await work({
        ...stores,
        cache,
        at: (step, act) => {
          planned = { step, act };
        },
      });
    }

    const answer = (body: string, more: Partial<Entry> = {}) =>
      entryOf('a', { body: Buffer.from(body), indexes: [DIGEST], ...more });
    const bodyOf = async (store: Store) => {
      const found = await store.find(entryOf('a').id);
      return found && Buffer.from(found.body).toString();
    };

    test.each<[Step, readonly string[]]>([
      ['check', [DIGEST]],
      ['check', []],
      ['publish', [DIGEST]],
      ['publish', []],
    ])('an invalidation before the step "%s" of %j is not undone', async (step, digests) => {
      await withStores(async ({ held, other, cache, at }) => {
        const order = (await held.currentOrder?.()) ?? 0;
        at(step, async () => other.invalidate?.(digests));
        expect(await held.put([answer('old', { order })])).toBe(false);
        expect([await bodyOf(held), await managed(other).count(), await stored(cache)]).toEqual([undefined, 0, 0]);
        expect(await held.put([answer('new', { order: order + 1 })])).toBe(true);
        expect(await bodyOf(other)).toBe('new');
      });
    });

    test.each<Step>(['check', 'publish'])(
      'an invalidation of something else at the step "%s" refuses nothing',
      async (step) => {
        await withStores(async ({ held, other, at }) => {
          at(step, async () => other.invalidate?.([UNRELATED]));
          expect(await held.put([answer('first')])).toBe(true);
          expect(await bodyOf(other)).toBe('first');
        });
      },
    );

    test('a write that was asked for after the invalidation survives it', async () => {
      await withStores(async ({ held, other, at }) => {
        await other.invalidate?.([DIGEST]);
        const order = (await held.currentOrder?.()) ?? 0;
        // An invalidation that began before, and withdraws pending writes only now.
        at('publish', async () => other.invalidate?.([UNRELATED]));
        expect(await held.put([answer('new', { order })])).toBe(true);
        expect(await bodyOf(other)).toBe('new');
      });
    });

    test.each<Step>(['check', 'publish'])(
      'readers see the previous entry until the step "%s" is done',
      async (step) => {
        await withStores(async ({ held, other, cache, at }) => {
          await held.put([answer('first')]);
          at(step, async () => {
            expect([await bodyOf(other), await managed(other).count()]).toEqual(['first', 1]);
          });
          await held.put([answer('second', { indexes: [UNRELATED] }), entryOf('b', { kind: 'redirect' })]);
          expect([await bodyOf(other), await managed(other).count()]).toEqual(['second', 1]);
          expect(await stored(cache)).toBe(2);
        });
      },
    );

    test.each<Step>(['check', 'publish'])(
      'a writer that ends before the step "%s" leaves the previous entry',
      async (step) => {
        await withStores(async ({ held, other, cache, at }) => {
          await held.put([answer('first')]);
          at(step, async () => {
            throw new Error('the writer ended');
          });
          await expect(held.put([answer('second'), entryOf('b')])).rejects.toThrow();
          const listed: string[] = [];
          for await (const { id } of other.list()) listed.push(id);
          expect([await bodyOf(other), listed, await managed(other).count()]).toEqual(['first', [entryOf('a').id], 1]);
          expect(await other.put([answer('third')])).toBe(true);
          expect(await bodyOf(other)).toBe('third');
          await managed(other).clear();
          expect(await stored(cache)).toBe(0);
        });
      },
    );

    test('a redirect never replaces a response that is published meanwhile', async () => {
      await withStores(async ({ held, other, cache, at }) => {
        at('publish', async () => other.put([answer('direct')]));
        const redirect = entryOf('a', { kind: 'redirect', group: entryOf('b').id });
        expect(await held.put([redirect])).toBe(true);
        expect([(await held.find(redirect.id))?.kind, await bodyOf(held), await stored(cache)]).toEqual([
          'response',
          'direct',
          1,
        ]);
      });
    });
  });
}

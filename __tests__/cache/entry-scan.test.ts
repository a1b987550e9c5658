import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { codecFor } from '../../lib/cache/backend-options.js';
import { BaseCache } from '../../lib/cache/base-cache.js';
import type { Entry } from '../../lib/models/entry.js';
import { MemoryStore } from '../../lib/stores/memory/index.js';
import type { EntryQuery } from '../../lib/stores/store.js';
import { redirect } from '../serializers/records.js';
import { startBench } from '../support/api.js';
import { managed } from '../support/managed.js';

/** A store with latency that counts concurrent operations. */
class DistantStore extends MemoryStore {
  readonly #now = { reading: 0, writing: 0 };
  readonly most = { reading: 0, writing: 0 };

  constructor() {
    super({}, Date.now);
  }

  async #far<T>(what: 'reading' | 'writing', work: () => T): Promise<T> {
    this.#now[what] += 1;
    this.most[what] = Math.max(this.most[what], this.#now[what]);
    await turn();
    this.#now[what] -= 1;
    return work();
  }

  override find(id: string): never {
    return this.#far('reading', () => super.find(id)) as never;
  }

  override put(entries: readonly Entry[]): never {
    return this.#far('writing', () => super.put(entries)) as never;
  }
}

function distantCache() {
  const store = new DistantStore();
  return { store, cache: new BaseCache({ store, codec: codecFor({ cacheName: 'distant' }), now: Date.now }) };
}

test.each([
  ['many small ones', 100, 10, 32],
  ['few large ones', 6, 1_500_000, 3],
])('whole responses are read and written several at once: %s', async (_, number, size, atOnce) => {
  await using bench = await startBench(
    { expireAfter: 60 },
    (_request, response) => void response.end('x'.repeat(size)),
  );
  for (let index = 0; index < number; index += 1) await bench.api.get(`/${index}`);
  const { store, cache } = distantCache();
  const reported: number[] = [];
  await cache.update(bench.api.cache as BaseCache, { onProgress: ({ copied }) => reported.push(copied) });
  expect(reported).toEqual(Array.from({ length: number }, (_, index) => index + 1));
  expect(store.most).toEqual({ reading: 0, writing: atOnce });
  await cache.resetExpiration('1h');
  expect(store.most).toEqual({ reading: atOnce, writing: atOnce });
  let listed = 0;
  for await (const response of cache.values()) if (response.expires && response.expires > new Date()) listed += 1;
  expect(listed).toBe(number);
});

/** One that has to look at each entry. */
class ListingStore extends MemoryStore {
  override readonly count = undefined as never;
  override readonly deleteExpired = undefined as never;
  listings = 0;

  override list(query?: EntryQuery) {
    this.listings += 1;
    return super.list(query);
  }
}

test('without an index, entries are listed to count and delete them', async () => {
  const store = new ListingStore({}, Date.now);
  const codec = codecFor({ cacheName: 'listed' });
  for (let index = 0; index < 1_200; index += 1) {
    const staleAt = index % 2 === 0 ? 1_000 : 9_000;
    const record = { ...redirect, key: `key-${index}`, target: 'key', url: '', staleAt };
    store.put([await codec.encode(record)]);
  }
  expect(await managed(store).count({ kind: 'redirect' })).toBe(1_200);
  expect(await managed(store).count()).toBe(0);
  store.listings = 0;
  expect(await managed(store).deleteExpired(1_000)).toBe(0);
  expect(store.listings).toBe(1);
  expect(await managed(store).count({ kind: 'redirect' })).toBe(600);
});

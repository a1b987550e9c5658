import { describe, expect, test } from '@jest/globals';
import type { BaseCache } from '../../lib/cache/base-cache.js';
import { internalsOf } from '../../lib/cache/internals.js';
import type { Entry } from '../../lib/models/entry.js';
import type { Store } from '../../lib/stores/store.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { describeStores } from '../support/stores.js';

const DAMAGES: readonly (readonly [string, (entry: Entry) => Entry])[] = [
  ['metadata that is none', (entry) => ({ ...entry, meta: Buffer.from('something else') })],
  ['metadata that ends early', (entry) => ({ ...entry, meta: entry.meta.subarray(0, entry.meta.length >> 1) })],
  ['a body of another length', (entry) => ({ ...entry, body: Buffer.from('short') })],
  ['the entry of another key', (entry) => ({ ...entry, meta: Buffer.from('json\n{"key":"other"}') })],
];

/** Returns the entry of a key as a plain object: memory keeps objects whose members are computed. */
async function storedFor(cache: BaseCache, key: string): Promise<{ readonly store: Store; readonly entry: Entry }> {
  const { breaker, repository } = internalsOf(cache);
  const found = (await breaker.store.find(repository.codec.names(key)[0])) as Entry;
  const { id, kind, group, receivedAt, staleAt, indexes, order, protection, signature, size, meta, body } = found;
  const entry = { id, kind, group, receivedAt, staleAt, indexes, order, protection, signature, size, meta, body };
  return { store: breaker.store, entry };
}

function sized(entry: Entry): Entry {
  return { ...entry, size: entry.meta.byteLength + entry.body.byteLength };
}

describeStores((options) => {
  describe('a damaged entry', () => {
    test.each(DAMAGES)('with %s is a miss and an event, and the next answer replaces it', async (_, damage) => {
      await using folder = await temporaryFolder();
      const shared = { ...options(folder.path), expireAfter: 60, oldDataOnError: true, staleWhileRevalidate: true };
      await using bench = await startBench(shared);
      const { api, events } = bench;
      await api.cache.ready();
      for (const url of ['/a', '/b']) await api.get(url);
      const { cacheKey = '' } = await api.get('/a');
      const { store, entry } = await storedFor(api.cache, cacheKey);
      await store.put([sized(damage(entry))]);
      events.length = 0;
      const missed = await api.get('/a');
      expect([missed.fromCache, missed.data.count]).toEqual([false, 3]);
      expect(events.filter(({ type }) => ['invalid', 'error'].includes(type)).map(({ type }) => type)).toEqual([
        'invalid',
      ]);
      expect(events.find(({ type }) => type === 'invalid')).toMatchObject({
        key: cacheKey,
        reason: expect.any(String),
      });
      expect(internalsOf(api.cache).breaker.state).toBe('closed');
      expect([(await api.get('/a')).fromCache, (await api.get('/b')).fromCache]).toEqual([true, true]);
    });

    test('is counted, not listed, and deleted as invalid', async () => {
      await using folder = await temporaryFolder();
      await using bench = await startBench({ ...options(folder.path), expireAfter: 60 });
      const { cache } = bench.api;
      await cache.ready();
      await bench.api.get('/b');
      const { cacheKey = '' } = await bench.api.get('/a');
      const { store, entry } = await storedFor(cache, cacheKey);
      await store.put([sized({ ...entry, meta: Buffer.from('something else') })]);
      const urls: string[] = [];
      for await (const url of cache.urls()) urls.push(url);
      expect([await cache.responseCount(), urls]).toEqual([2, [`${bench.origin.url}/b`]]);
      expect([await cache.delete({ invalid: true }), await cache.responseCount()]).toEqual([1, 1]);
    });
  });
});

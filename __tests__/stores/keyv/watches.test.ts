import { expect, test } from '@jest/globals';
import Keyv from 'keyv';
import { KeyvStore } from '../../../lib/stores/keyv/index.js';
import { Watches } from '../../../lib/stores/keyv/watches.js';
import { entryOf, idOf } from '../../support/entries.js';

test('a change of the same entry is noticed until the work ends', async () => {
  const watches = new Watches();
  const seen: boolean[] = [];
  await watches.watching('a', async (isChanged) => {
    watches.changed(['b']);
    seen.push(isChanged());
    await watches.watching('a', async () => watches.changed(['b', 'a']));
    seen.push(isChanged());
  });
  await watches.watching('a', async (isChanged) => seen.push(isChanged()));
  expect(seen).toEqual([false, true, false]);
});

/** A Map in which reads wait until they are released. */
class SlowMap extends Map<string, unknown> {
  release = () => {};
  #held: Promise<void> | undefined;

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  override get(key: string): unknown {
    const value = super.get(key);
    return this.#held && key.includes(idOf('a')) ? this.#held.then(() => value) : value;
  }
}

test.each([
  ['a write', (store: KeyvStore) => store.put([entryOf('b'), entryOf('a', { meta: Buffer.from('three') })]), 'three'],
  ['a deletion', (store: KeyvStore) => store.delete([idOf('a')]), undefined],
  [
    'another replacement',
    async (store: KeyvStore) => store.replace(entryOf('a'), entryOf('a', { meta: Buffer.from('four') })),
    'four',
  ],
])('%s during the comparison is not undone by the replacement', async (_, change, expected) => {
  const map = new SlowMap();
  const store = new KeyvStore(new Keyv({ store: map }), 'cache', {}, Date.now);
  await store.put([entryOf('a')]);
  map.hold();
  const changing = change(store);
  const replacing = store.replace(entryOf('a'), entryOf('a', { meta: Buffer.from('two') }));
  await new Promise(setImmediate);
  map.release();
  await changing;
  expect(await replacing).toBe(false);
  const found = await store.find(idOf('a'));
  expect(found && Buffer.from(found.meta).toString()).toBe(expected);
});

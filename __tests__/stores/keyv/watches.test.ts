import { expect, test } from '@jest/globals';
import Keyv from 'keyv';
import { KeyvStore } from '../../../lib/stores/keyv/index.js';
import { Watches } from '../../../lib/stores/keyv/watches.js';
import { entryOf, idOf } from '../../support/entries.js';
import { SlowAdapter } from '../../support/slow-adapter.js';

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

/** An adapter of which the reads of one entry wait until they are released. */
class HeldAdapter extends SlowAdapter {
  release = () => {};
  #held: Promise<void> | undefined;

  constructor() {
    super(new Map(), { get: 0, set: 0, delete: 0 });
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  override async get(key: string): Promise<unknown> {
    const value = await super.get(key);
    if (key.includes(idOf('a'))) await this.#held;
    return value;
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
  const adapter = new HeldAdapter();
  const store = new KeyvStore(new Keyv({ store: adapter }), 'cache', {}, Date.now);
  await store.put([entryOf('a')]);
  adapter.hold();
  const changing = change(store);
  const replacing = store.replace(entryOf('a'), entryOf('a', { meta: Buffer.from('two') }));
  await new Promise(setImmediate);
  adapter.release();
  await changing;
  expect(await replacing).toBe(false);
  const found = await store.find(idOf('a'));
  expect(found && Buffer.from(found.meta).toString()).toBe(expected);
});

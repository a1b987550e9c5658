import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import KeyvSqlite from '@keyv/sqlite';
import Keyv from 'keyv';
import { KeyvStore } from '../../lib/stores/keyv/index.js';
import { temporaryFolder } from '../support/api.js';
import { entryOf } from '../support/entries.js';
import { managed } from '../support/managed.js';

/** Line 6 of Keyv has no option `useKeyPrefix`, and other options for what values become. */
const isLine6 = 'decode' in Keyv.prototype;
const now = () => 0;
const [A, B] = [entryOf('a'), entryOf('b', { indexes: ['1'.repeat(32)] })];

/** An adapter with methods for many keys, over a `Map`. */
class MapAdapter extends EventEmitter {
  readonly opts = { dialect: 'redis' };
  readonly calls: string[] = [];
  namespace: string | undefined;

  constructor(readonly map = new Map<string, unknown>()) {
    super();
  }

  async get(key: string) {
    this.calls.push('get');
    return this.map.get(key);
  }

  async getMany(keys: string[]) {
    this.calls.push('getMany');
    return keys.map((key) => this.map.get(key));
  }

  async set(key: string, value: unknown): Promise<boolean> {
    this.calls.push('set');
    this.map.set(key, value);
    return true;
  }

  async setMany(entries: { key: string; value: unknown }[]) {
    this.calls.push('setMany');
    for (const { key, value } of entries) this.map.set(key, value);
  }

  async delete(key: string) {
    this.calls.push('delete');
    return this.map.delete(key);
  }

  async deleteMany(keys: string[]) {
    this.calls.push('deleteMany');
    for (const key of keys) this.map.delete(key);
    return true;
  }

  async has(key: string) {
    return this.map.has(key);
  }

  async hasMany(keys: string[]) {
    return keys.map((key) => this.map.has(key));
  }

  async clear() {
    throw new Error('clear() removes the data of others');
  }

  async *iterator(): AsyncGenerator<[string, unknown]> {
    yield* [...this.map];
  }
}

/** An adapter that writes its namespace before keys itself, as that of Redis does. */
class PrefixingAdapter extends MapAdapter {
  separator = '::';

  override async get(key: string) {
    return super.get(this.#own(key));
  }

  override async getMany(keys: string[]) {
    return super.getMany(keys.map((key) => this.#own(key)));
  }

  override async set(key: string, value: unknown) {
    return super.set(this.#own(key), value);
  }

  override async setMany(entries: { key: string; value: unknown }[]) {
    return super.setMany(entries.map((one) => ({ ...one, key: this.#own(one.key) })));
  }

  override async delete(key: string) {
    return super.delete(this.#own(key));
  }

  override async deleteMany(keys: string[]) {
    return super.deleteMany(keys.map((key) => this.#own(key)));
  }

  override async *iterator(namespace = this.namespace): AsyncGenerator<[string, unknown]> {
    for (const [key, value] of [...this.map]) {
      if (namespace && key.startsWith(namespace + this.separator))
        yield [key.slice(namespace.length + this.separator.length), value];
      else if (!namespace && !key.includes(this.separator)) yield [key, value];
    }
  }

  #own(key: string): string {
    return this.namespace ? this.namespace + this.separator + key : key;
  }
}

/** Whether management sees both entries of a store and removes exactly them; `unsupported` if it refuses. */
async function manage(store: KeyvStore): Promise<unknown> {
  try {
    await store.put([A, B]);
    const counted = await managed(store).count();
    const listed = await managed(store).count({ index: '1'.repeat(32) });
    await managed(store).clear();
    const left = await managed(store).count();
    return [counted, listed, left, await store.find(A.id), await store.find(B.id)];
  } catch (error) {
    if ((error as Error).name === 'UnsupportedOperationError') return 'unsupported';
    throw error;
  }
}

const SEEN_AND_REMOVED = [2, 1, 0, undefined, undefined];

describe('management sees exactly the entries of the cache', () => {
  const foreign = ['mine', 'http_cache:settings', 'http_cache:l:x', 'http_cachex:a', 'n1', 'x:http_cache'];
  const plant = (map: Map<string, unknown>) => {
    for (const key of foreign) map.set(key, 'kept');
  };
  const isKept = (map: Map<string, unknown>) => foreign.every((key) => map.get(key) === 'kept');
  const sources: [string, () => MapAdapter | Map<string, unknown>][] = [
    ['a Map', () => new Map<string, unknown>()],
    ['an adapter', () => new MapAdapter()],
    ['an adapter that writes prefixes itself', () => new PrefixingAdapter()],
  ];
  const mapOf = (source: MapAdapter | Map<string, unknown>) => (source instanceof MapAdapter ? source.map : source);

  test.each(
    sources.flatMap(([name, make]) =>
      [
        {},
        { namespace: undefined },
        { namespace: 'http_cache' },
        { namespace: 'http' },
        { namespace: 'n1' },
        { namespace: 'a:b' },
        { namespace: 'a:http_cache' },
        { namespace: 'http_cache:l' },
        { namespace: 'http_cache', useKeyPrefix: false },
        { namespace: 'n1', useKeyPrefix: false },
        { useKeyPrefix: false },
      ].map((options) => [name, JSON.stringify(options), make, options] as const),
    ),
  )('of a Keyv over %s with %s', async (_, __, make, options) => {
    const source = make();
    plant(mapOf(source));
    const keyv = new Keyv({ store: source, ...options } as never);
    expect(await manage(new KeyvStore(keyv, 'http_cache', {}, now))).toEqual(SEEN_AND_REMOVED);
    expect([isKept(mapOf(source)), mapOf(source).size]).toEqual([true, foreign.length]);
  });

  test.each(sources)('of %s by itself, whose namespace stays as it is', async (_, make) => {
    const source = make();
    plant(mapOf(source));
    if (source instanceof MapAdapter) source.namespace = 'mine';
    expect(await manage(new KeyvStore(source, 'http_cache', {}, now))).toEqual(SEEN_AND_REMOVED);
    expect([isKept(mapOf(source)), mapOf(source).size]).toEqual([true, foreign.length]);
    if (source instanceof MapAdapter) expect(source.namespace).toBe('mine');
  });

  test.each(sources)('of two Keyvs with namespaces of their own over %s, or refuses', async (_, make) => {
    const source = make();
    const first = new KeyvStore(new Keyv({ store: source, namespace: 'n1' } as never), 'one', {}, now);
    await first.put([A, B]);
    const second = new KeyvStore(new Keyv({ store: source, namespace: 'n2' } as never), 'two', {}, now);
    await second.put([A]);
    const attempt = async <T>(work: Promise<T>) =>
      work.catch((error: Error) => {
        if (error.name !== 'UnsupportedOperationError') throw error;
        return 'unsupported';
      });
    const before = await attempt(managed(first).count());
    const cleared = await attempt(managed(first).clear());
    // An entry that management does not see must not be a hit.
    const visible = [await first.find(A.id), await first.find(B.id)].filter(Boolean).length;
    if (cleared !== 'unsupported') expect(visible).toBe(0);
    expect(before === 'unsupported' || before === 2 || visible === 0).toBe(true);
    expect((await second.find(A.id))?.id).toBe(A.id);
    expect(await managed(second).count()).toBe(1);
  });

  test('or refuses, if the adapter does not list the keys that it keeps', async () => {
    const adapter = new PrefixingAdapter();
    adapter.separator = ':';
    const store = new KeyvStore(adapter, 'http_cache', {}, now);
    await expect(managed(store).count()).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
    expect(await manage(store)).toBe('unsupported');
    expect((await store.find(A.id))?.id).toBe(A.id);
    expect([...adapter.map.keys()].filter((key) => key.includes(':p:'))).toEqual([]);
  });

  test('of several caches in one Keyv, whose names are namespaces of one another', async () => {
    const map = new Map<string, unknown>();
    const plain = new KeyvStore(new Keyv({ store: map, namespace: '' } as never), 'one', {}, now);
    const nested = new KeyvStore(new Keyv({ store: map, namespace: 'one' } as never), 'l', {}, now);
    for (const store of [plain, nested]) await store.put([A, B]);
    await managed(plain).clear();
    expect([await managed(plain).count(), await managed(nested).count()]).toEqual([0, 2]);
    await plain.put([A]);
    await managed(nested).clear();
    expect([await managed(plain).count(), await managed(nested).count()]).toEqual([1, 0]);
  });

  test('of the adapter of SQLite that two Keyvs share', async () => {
    await using folder = await temporaryFolder();
    const adapter = new KeyvSqlite({ uri: `sqlite://${folder.path}/keyv.sqlite` });
    const stores = ['n1', 'n2'].map(
      (namespace) => new KeyvStore(new Keyv({ store: adapter, namespace } as never), 'one', {}, now),
    );
    for (const store of stores.toReversed()) expect(await manage(store)).toEqual(SEEN_AND_REMOVED);
    await adapter.disconnect();
  });
});

describe('a value that cannot be read', () => {
  /** A Keyv over a `Map` with two entries, the first of which is replaced by a value. */
  async function startDamaged(damage: (stored: unknown) => unknown, options: object = {}) {
    const map = new Map<string, unknown>();
    const keyv = new Keyv({ store: map, ...options } as never);
    const store = new KeyvStore(keyv, 'http_cache', {}, now);
    await store.put([A, B]);
    const key = [...map.keys()].find((one) => one.endsWith(A.id)) ?? '';
    map.set(key, damage(map.get(key)));
    return { store, map };
  }
  /** Line 6 wraps what a Map keeps. */
  const inMap = (value: unknown) => (isLine6 ? { value } : value);

  test.each<[string, unknown]>([
    ['text', 'not ours'],
    ['JSON of another shape', '{"a":1}'],
    ['a number as JSON', '42'],
    ['JSON that ends early', '{"value":"QUtD'],
    ['an envelope of a number', '{"value":42}'],
    ['an envelope of wrong base64', '{"value":"%%%"}'],
    ['an envelope of base64 of something else', '{"value":"aGVsbG8="}'],
    ['an envelope with an expiry', '{"value":"aGVsbG8=","expires":9999999999999}'],
    ['an empty text', ''],
    ['a number', 42],
    ['true', true],
    ['an object', { a: 1 }],
    ['an array', ['a']],
    ['a Buffer', Buffer.from('bytes')],
    [
      'an object whose properties throw',
      {
        get value() {
          throw new Error('not ours');
        },
      },
    ],
  ])('costs neither an outage nor other entries: %s', async (_, value) => {
    const { store } = await startDamaged(() => inMap(value));
    const found = await store.find(A.id);
    expect(found?.kind ?? 'unknown').toBe('unknown');
    expect((await store.find(B.id))?.kind).toBe('response');
    expect([await managed(store).count(), await managed(store).count({ kind: 'unknown' })]).toEqual([2, 1]);
    expect([await store.delete([A.id]), await managed(store).count()]).toEqual([1, 1]);
    await store.put([A]);
    expect((await store.find(A.id))?.kind).toBe('response');
  });

  test('is replaced by the next write', async () => {
    const { store } = await startDamaged(() => inMap('not ours'));
    await store.put([A]);
    expect((await store.find(A.id))?.kind).toBe('response');
    await managed(store).clear();
    expect(await managed(store).count()).toBe(0);
  });

  test('goes with clear()', async () => {
    const { store, map } = await startDamaged(() => inMap('not ours'));
    await managed(store).clear();
    expect([...map]).toEqual([]);
  });

  test.each<[string, (text: string) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no such format');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such format'))],
  ])('is one that a deserializer %s for', async (_, deserialize) => {
    const map = new Map<string, unknown>();
    const plain = new KeyvStore(new Keyv({ store: map } as never), 'http_cache', {}, now);
    await plain.put([A, B]);
    const options = isLine6
      ? { serialization: { stringify: JSON.stringify, parse: deserialize } }
      : { serialize: JSON.stringify, deserialize };
    const store = new KeyvStore(new Keyv({ store: map, ...options } as never), 'http_cache', {}, now);
    expect((await store.find(A.id))?.kind).toBe('unknown');
    expect(await managed(store).count()).toBe(2);
    expect(await store.delete([A.id, B.id])).toBe(2);
  });

  test('in a list of the secondary index costs its ids, and is replaced', async () => {
    const map = new Map<string, unknown>();
    const store = new KeyvStore(new Keyv({ store: map } as never), 'http_cache', {}, now);
    await store.put([B]);
    map.set([...map.keys()].find((key) => key.includes(':l:')) ?? '', inMap('not ours'));
    expect(await managed(store).count({ index: '1'.repeat(32) })).toBe(0);
    await store.put([{ ...A, indexes: B.indexes }]);
    expect(await managed(store).count({ index: '1'.repeat(32) })).toBe(1);
  });

  test('is no outage, but an adapter that fails is one', async () => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(new Keyv({ store: adapter } as never), 'http_cache', {}, now);
    await store.put([A]);
    adapter.get = () => Promise.reject(new Error('no connection'));
    await expect(store.find(A.id)).rejects.toThrow('no connection');
  });

  test('is no outage either where the adapter reports its errors by events alone', async () => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(new Keyv({ store: adapter } as never), 'http_cache', {}, now);
    adapter.get = async () => void adapter.emit('error', new Error('no connection'));
    await expect(store.find(A.id)).rejects.toThrow('no connection');
  });
});

describe('values that a Keyv of the user changes', () => {
  const reversed = (text: string) => [...text].reverse().join('');
  const options = isLine6
    ? { compression: { compress: reversed, decompress: reversed } }
    : {
        serialize: (data: object) => reversed(JSON.stringify(data)),
        deserialize: (text: string) => JSON.parse(reversed(text)),
      };

  test('come back as they were', async () => {
    const map = new Map<string, unknown>();
    const store = new KeyvStore(new Keyv({ store: map, ...options } as never), 'http_cache', {}, now);
    await store.put([A]);
    expect(Buffer.from((await store.find(A.id))?.body ?? '').toString()).toBe('body of a');
    expect(await manage(store)).toEqual(SEEN_AND_REMOVED);
  });
});

describe('writes of several entries', () => {
  const variants = Array.from({ length: 60 }, (_, index) => entryOf(index));

  test('are calls for many keys, in batches', async () => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(adapter, 'http_cache', {}, now);
    await store.put(variants);
    expect(new Set(adapter.calls)).toEqual(new Set(['getMany', 'setMany']));
    expect(adapter.calls.filter((call) => call === 'setMany').length).toBe(3);
    adapter.calls.length = 0;
    expect(await store.delete(variants.map(({ id }) => id))).toBe(60);
    expect(new Set(adapter.calls)).toEqual(new Set(['getMany', 'deleteMany']));
  });

  test('are calls for one key, where Keyv would give those for many other keys', async () => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(new Keyv({ store: adapter, namespace: 'http_cache' } as never), 'http_cache', {}, now);
    await store.put(variants.slice(0, 5));
    expect((await store.find(variants[3]?.id ?? ''))?.kind).toBe('response');
    expect([await store.delete(variants.slice(0, 5).map(({ id }) => id)), adapter.map.size]).toEqual([5, 0]);
  });

  test.each<[string, (adapter: MapAdapter) => void, object]>([
    [
      'throws',
      (adapter) => Object.assign(adapter, { set: () => Promise.reject(new Error('down')) }),
      { kind: 'outage' },
    ],
    ['returns false', (adapter) => Object.assign(adapter, { set: async () => false }), { kind: 'outage' }],
    [
      'returns true and reports an error',
      (adapter) => Object.assign(adapter, { set: async () => adapter.emit('error', new Error('OOM command')) }),
      { kind: 'refusal', message: 'OOM command' },
    ],
    [
      'says that the value is too large',
      (adapter) => Object.assign(adapter, { set: () => Promise.reject(new Error('Value too large')) }),
      { kind: 'entry' },
    ],
  ])('fail if the adapter %s', async (_, change, expected) => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(new Keyv({ store: adapter } as never), 'http_cache', {}, now);
    change(adapter);
    await expect(store.put([A])).rejects.toMatchObject({ name: 'StoreFailure', ...expected });
  });

  test('succeed though another call failed meanwhile', async () => {
    const adapter = new MapAdapter();
    const store = new KeyvStore(new Keyv({ store: adapter } as never), 'http_cache', {}, now);
    const { set } = adapter;
    adapter.set = async (key, value) => {
      adapter.emit('error', new Error('of somebody else'));
      return set.call(adapter, key, value);
    };
    await store.put([A]);
    expect((await store.find(A.id))?.kind).toBe('response');
  });
});

test('a deletion that the adapter did not carry out fails', async () => {
  const adapter = new MapAdapter();
  const store = new KeyvStore(new Keyv({ store: adapter } as never), 'http_cache', {}, now);
  await store.put([A]);
  adapter.delete = async () => {
    adapter.emit('error', new Error('READONLY You cannot write'));
    return true;
  };
  await expect(store.delete([A.id])).rejects.toMatchObject({ kind: 'refusal' });
  expect((await store.find(A.id))?.kind).toBe('response');
});

test('lists of the secondary index shrink when an entry loses digests', async () => {
  const map = new Map<string, unknown>();
  const store = new KeyvStore(map, 'http_cache', {}, now);
  const lists = () => [...map.keys()].filter((key) => key.includes(':l:')).length;
  const tags = Array.from({ length: 20 }, (_, index) => index.toString(16).padStart(32, '0'));
  await store.put([{ ...A, indexes: tags }]);
  expect(lists()).toBe(20);
  await store.put([{ ...A, indexes: tags.slice(0, 3) }]);
  expect([lists(), await managed(store).count({ index: String(tags[2]) })]).toEqual([3, 1]);
  await store.put([{ ...A, indexes: [] }]);
  expect(lists()).toBe(0);
});

test('an adapter that iterates, and whose options name no dialect, is accepted', async () => {
  const adapter = new MapAdapter();
  Object.assign(adapter, { opts: { anything: true } });
  expect(await manage(new KeyvStore(adapter, 'http_cache', {}, now))).toEqual(SEEN_AND_REMOVED);
});

test('an adapter with get, set, delete and an iterator alone is accepted: it needs no clear', async () => {
  const values = new Map<string, unknown>();
  const adapter = {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: unknown) => void values.set(key, value),
    delete: async (key: string) => values.delete(key),
    iterator: async function* () {
      yield* values;
    },
  };
  const store = new KeyvStore(adapter, 'few', {}, now);
  await store.put([A, B]);
  expect((await store.find(A.id))?.kind).toBe('response');
  const found: string[] = [];
  for await (const { id } of store.list()) found.push(id);
  expect(found.sort()).toEqual([A.id, B.id]);
  for await (const _ of store.clear());
  expect([values.size, await store.find(A.id)]).toEqual([0, undefined]);
  await store.close();
});

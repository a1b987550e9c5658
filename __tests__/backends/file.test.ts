import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { BaseCache } from '../../lib/cache/base-cache.js';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import type { Serializer } from '../../lib/serializers/serializer.js';
import { gzipStage, utf8Stage } from '../../lib/serializers/stages.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { FileStore } from '../../lib/stores/filesystem/index.js';
import { type Bench, startBench, temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';
import { entryOf, idOf } from '../support/entries.js';
import { until } from '../support/faults.js';
import { managed } from '../support/managed.js';
import { expectPermissions } from '../support/permissions.js';
import { describeBackend } from './contract.js';

describeBackend('filesystem', {
  open: (folder, cacheName, options, now) => new FileStore(path.join(folder, cacheName), options, now),
  persistent: true,
  leases: false,
  processModule: '__tests__/backends/file-process.ts',
  plantGarbage: async (folder, cacheName, id) => {
    const part = path.join(folder, cacheName, 'responses_v1', id.slice(0, 2));
    mkdirSync(part, { recursive: true });
    writeFileSync(path.join(part, `${id}.bin`), 'not ours');
  },
});

function inFiles(cacheName: string, more: object = {}): CacheOptions {
  return { backend: 'filesystem', cacheName, ...more } as CacheOptions;
}

/** The files under the folder of entries, whatever they are. */
function filesOf(cacheName: string): string[] {
  const rows = path.join(cacheName, 'responses_v1');
  if (!existsSync(rows)) return [];
  const names = readdirSync(rows, { recursive: true, encoding: 'utf8' }).map((name) => path.join(rows, name));
  return names.filter((name) => statSync(name).isFile()).sort();
}

function extensionsOf(cacheName: string): string[] {
  return filesOf(cacheName)
    .map((file) => path.extname(file))
    .sort();
}

/** The only file of a cache, after a response was stored and served. */
async function onlyFile({ api }: Bench, cacheName: string): Promise<string> {
  await api.get('/a');
  expect((await api.get('/a')).fromCache).toBe(true);
  const [file = '', ...more] = filesOf(cacheName);
  expect(more).toEqual([]);
  return file;
}

const json = {
  name: 'json',
  dumps: (value: never) => JSON.stringify(value),
  loads: (text: never) => JSON.parse(text) as unknown,
};

function ownSerializer(name: string): Serializer {
  return { name, dumps: JSON.stringify, loads: (data) => JSON.parse(Buffer.from(data).toString()) as unknown };
}

describe('a file', () => {
  test('is for its owner alone', async () => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'deep/cache');
    await using bench = await startBench(inFiles(cacheName));
    expectPermissions(await onlyFile(bench, cacheName), 0o600);
  });

  test.each([
    ['.json', 'json', {}],
    ['.json', 'json, signed', { secretKey: 's'.repeat(32) }],
    ['.json', 'one of your own that is named json', { serializer: ownSerializer('json') }],
    ['.yaml', 'yaml', { serializer: 'yaml' }],
    ['.bin', 'v8', { serializer: 'v8' }],
    ['.bin', 'bson', { serializer: 'bson' }],
    ['.bin', 'a pipeline', { serializer: new SerializerPipeline([json, utf8Stage, gzipStage]) }],
    ['.bin', 'one of your own', { serializer: ownSerializer('mine') }],
    ['.bin', 'json, encrypted', { encryptionKey: 'e'.repeat(32) }],
    ['.bin', 'yaml, encrypted', { serializer: 'yaml', encryptionKey: 'e'.repeat(32) }],
  ])('is a %s with the serializer %s', async (extension, _, options) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    await using bench = await startBench(inFiles(cacheName, options));
    expect(path.extname(await onlyFile(bench, cacheName))).toBe(extension);
  });

  test.each([
    ['json', (url: string) => `json;text\n{\n  "key": .*\n  "url": "${url}",\n.*\n}\n`],
    ['yaml', (url: string) => `yaml;text\nkey: .*\nurl: ${url}\n.*\n`],
  ])('is read by a person with %s', async (serializer, metadata) => {
    await using folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    await using bench = await startBench(inFiles(cacheName, { serializer }));
    const text = readFileSync(await onlyFile(bench, cacheName), 'utf8');
    expect(text).toMatch(new RegExp(`^AKC2r.*\n${metadata(`${bench.origin.url}/a`)}{"url":"/a","count":1}$`, 's'));
  });
});

describe('a cache that is opened with another serializer', () => {
  /** `/a` and `/b` in JSON, for five seconds, and an instance that writes YAML. */
  async function startSwitched(backendOptions: object = {}) {
    const folder = await temporaryFolder();
    const cacheName = path.join(folder.path, 'cache');
    const bench = await startBench(inFiles(cacheName, { expireAfter: 5 }));
    const { cacheKey = '' } = await bench.api.get('/a');
    await bench.api.get('/b');
    const yaml = bench.more(inFiles(cacheName, { serializer: 'yaml', backendOptions }));
    const stop = async () => {
      await bench[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
    return { yaml, bench, cacheName, cacheKey, [Symbol.asyncDispose]: stop };
  }

  test('cannot read the entries of the other, reports it, and replaces them', async () => {
    await using switched = await startSwitched();
    const { yaml, bench, cacheName, cacheKey } = switched;
    expect(await yaml.cache.responseCount()).toBe(2);
    expect((await yaml.get('/a')).fromCache).toBe(false);
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: 'invalid', key: cacheKey, reason: 'wrong-serializer' }),
    );
    expect(extensionsOf(cacheName)).toEqual(['.json', '.yaml']);
    expect([(await yaml.get('/a')).fromCache, await yaml.cache.responseCount()]).toEqual([true, 2]);

    expect((await bench.api.get('/a')).fromCache).toBe(false);
    expect(extensionsOf(cacheName)).toEqual(['.json', '.json']);
  });

  test.each<[string, string[], (cache: BaseCache, key: string) => Promise<unknown>]>([
    ['as invalid', ['.yaml'], (cache) => cache.delete({ invalid: true })],
    ['by its key', ['.json', '.yaml'], (cache, key) => cache.delete(key)],
    ['as expired', ['.yaml'], (cache) => cache.removeExpiredResponses()],
    ['with all else', [], (cache) => cache.clear()],
  ])('removes the entries of the other %s', async (_, left, remove) => {
    await using switched = await startSwitched();
    const { yaml, bench, cacheName, cacheKey } = switched;
    bench.clock.advance(10);
    await yaml.get('/c');
    await remove(yaml.cache, cacheKey);
    expect(extensionsOf(cacheName)).toEqual(left);
  });

  test('evicts the entries of the other as the oldest', async () => {
    await using switched = await startSwitched({ maxEntries: 2 });
    const { yaml, bench, cacheName } = switched;
    for (const url of ['/c', '/d']) {
      bench.clock.advance(10);
      await yaml.get(url);
      await until('the oldest are gone', () => extensionsOf(cacheName).length <= 2);
    }
    expect(extensionsOf(cacheName)).toEqual(['.yaml', '.yaml']);
  });
});

describe('files of one id', () => {
  test('are looked for under the own extension first, counted once, and dropped together', async () => {
    await using folder = await temporaryFolder();
    const [text, binary] = [
      new FileStore(folder.path, {}, Date.now, '.json'),
      new FileStore(folder.path, {}, Date.now, '.bin'),
    ];
    const { id } = entryOf('a');
    // As if the process that replaced one by the other had been killed in between.
    await binary.put([entryOf('a', { body: Buffer.from('binary') })]);
    const [file = ''] = filesOf(folder.path);
    const kept = readFileSync(file);
    await text.put([entryOf('a', { body: Buffer.from('text') })]);
    writeFileSync(file, kept);
    const found = await Promise.all([text, binary].map((store) => store.find(id)));
    expect(found.map((one) => String(one?.body))).toEqual(['text', 'binary']);
    expect(await managed(text).count()).toBe(1);
    expect([await text.delete([id]), filesOf(folder.path)]).toEqual([1, []]);
  });

  test('are replaced so that a reader always finds one', async () => {
    await using folder = await temporaryFolder();
    const [text, binary] = [
      new FileStore(folder.path, {}, Date.now, '.json'),
      new FileStore(folder.path, {}, Date.now, '.bin'),
    ];
    let missed = 0;
    for (let index = 0; index < 100; index += 1) {
      const id = idOf(index);
      await binary.put([entryOf(index)]);
      let writing = true;
      const written = text.put([entryOf(index)]).finally(() => {
        writing = false;
      });
      const read = async (store: FileStore) => {
        while (writing) {
          if (!(await store.find(id))) missed += 1;
          // A small file is read synchronously, and the writer needs the event loop.
          await setImmediate();
        }
      };
      await Promise.all([written, read(text), read(text), read(binary)]);
    }
    expect(missed).toBe(0);
    expect(new Set(extensionsOf(folder.path))).toEqual(new Set(['.json']));
  });
});

describe('links', () => {
  test('are deleted with their entries, and are found among others', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, {}, Date.now);
    const links = () => {
      const names = readdirSync(path.join(folder.path, 'links_v1'), { recursive: true, encoding: 'utf8' });
      return names.filter((name) => name !== 'empty').sort();
    };
    const [group, url] = ['a'.repeat(64), `${'a'.repeat(31)}b`];
    await store.put([entryOf('b', { group, indexes: [url, 'a'.repeat(32)] })]);
    await store.put([entryOf('c', { group, indexes: [url] })]);
    const files = (letter: string) => [group, url].map((from) => path.join('aa', `${from}.${letter.repeat(64)}`));
    expect(links()).toEqual(
      ['aa', ...files('b'), ...files('c'), path.join('aa', `${'a'.repeat(32)}.${'b'.repeat(64)}`)].sort(),
    );
    expect(await managed(store).count({ index: url })).toBe(2);
    expect(await managed(store).count({ index: 'a'.repeat(32) })).toBe(1);
    expect(await store.delete([entryOf('b').id])).toBe(1);
    expect(links()).toEqual(['aa', ...files('c')].sort());
    expect([await store.deleteGroups([group]), links()]).toEqual([1, ['aa']]);
  });
});

test('writes succeed while the cache is cleared', async () => {
  await using folder = await temporaryFolder();
  const store = new FileStore(folder.path, {}, Date.now);
  let writing = true;
  const write = async (from: number) => {
    for (let index = from; index < 400; index += 4) {
      await store.put([entryOf(index % 20, { group: idOf('f'), indexes: ['1'.repeat(32)] })]);
    }
  };
  const clear = async () => {
    while (writing) await managed(store).clear();
  };
  const clearing = clear();
  await Promise.all([0, 1, 2, 3].map(write)).finally(() => {
    writing = false;
  });
  await clearing;
  await managed(store).clear();
  await store.close();
  expect(filesOf(folder.path)).toEqual([]);
});

describe('bounds', () => {
  test('apply to entries written during eviction and by another process', async () => {
    await using folder = await temporaryFolder();
    const stores = [1, 2].map(() => new FileStore(folder.path, { maxEntries: 50 }, Date.now));
    const write = async (store: FileStore, from: number) => {
      for (let index = from; index < 400; index += 2) await store.put([entryOf(index)]);
    };
    await Promise.all(stores.map(write));
    for (const store of stores) await store.close();
    const left = filesOf(folder.path).length;
    // Each process knows of the other's writes when it looks.
    expect(left).toBeLessThanOrEqual(100);
    expect(left).toBeGreaterThan(20);
  });

  test('that cannot be looked after are no failure of a write', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, { maxEntries: 1 }, Date.now);
    await store.put([entryOf('a')]);
    writeFileSync(path.join(folder.path, 'responses_v1', 'no-folder'), '');
    await store.put([entryOf('b')]);
    await store.close();
    expect((await store.find(entryOf('b').id))?.kind).toBe('response');
  });
});

describe('a file that was left half written', () => {
  /** Such a file, and one that is being written. */
  async function startAbandoned(options: { retention?: number; maxEntries?: number } = {}) {
    const folder = await temporaryFolder();
    const clock = new TestClock();
    const store = new FileStore(folder.path, options, clock.now);
    await store.put([entryOf('a', { staleAt: Number.POSITIVE_INFINITY })]);
    const [file = ''] = filesOf(folder.path);
    const [abandoned, current] = [`${file}.0123456789ab.tmp`, `${file}.ba9876543210.tmp`];
    for (const one of [abandoned, current]) writeFileSync(one, readFileSync(file));
    utimesSync(abandoned, clock.now() / 1000 - 700, clock.now() / 1000 - 700);
    return { store, clock, path: folder.path, file, current, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
  }

  test('is no entry', async () => {
    await using abandoned = await startAbandoned();
    const { store } = abandoned;
    const listed: string[] = [];
    for await (const { id } of store.list()) listed.push(id);
    expect([listed, await managed(store).count()]).toEqual([[entryOf('a').id], 1]);
  });

  test('is removed with expired entries', async () => {
    await using abandoned = await startAbandoned();
    expect(await managed(abandoned.store).deleteExpired(0)).toBe(0);
    expect(filesOf(abandoned.path)).toEqual([abandoned.file, abandoned.current]);
  });

  test.each([
    ['the retention', { retention: 60 }],
    ['the bounds', { maxEntries: 1 }],
  ])('goes as a write looks after %s', async (_, options) => {
    await using abandoned = await startAbandoned(options);
    abandoned.clock.advance(61);
    await abandoned.store.put([entryOf('b', { staleAt: Number.POSITIVE_INFINITY })]);
    await abandoned.store.close();
    expect(filesOf(abandoned.path).filter((file) => file.endsWith('.tmp'))).toEqual([abandoned.current]);
  });

  test('goes with everything', async () => {
    await using abandoned = await startAbandoned();
    await managed(abandoned.store).clear();
    expect(filesOf(abandoned.path)).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { FileStore } from '../../lib/stores/filesystem/index.js';
import { HEAD_LENGTH } from '../../lib/stores/stored-form.js';
import { temporaryFolder } from '../support/api.js';
import { confinedProgram } from '../support/confined.js';
import { entryOf, idOf } from '../support/entries.js';
import { until } from '../support/faults.js';
import { managed } from '../support/managed.js';
import { describeOnPosix } from '../support/permissions.js';
import { describeWithSmallDisk } from '../support/small-disk.js';

const now = Date.now;
const DIGEST = '1'.repeat(32);
const [A, B] = [entryOf('a', { indexes: [DIGEST] }), entryOf('b')];

function entryFile(root: string, id: string): string {
  return path.join(root, 'responses_v1', id.slice(0, 2), `${id}.bin`);
}

/** Everything below a folder, with the content of files. */
function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => lstatSync(path.join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

/** Reads until the store reads synchronously, since reads have been quick. */
async function readsQuickly(store: FileStore, id: string): Promise<void> {
  await until('a read is synchronous', async () => {
    const found = store.find(id);
    if (!(found instanceof Promise) && typeof (found as { then?: unknown } | undefined)?.then !== 'function')
      return true;
    await found;
    return false;
  });
}

function replace<T>(file: string, make: () => T): T {
  rmSync(file);
  return make();
}

async function socketAt(file: string): Promise<() => void> {
  // Paths of sockets are short: made elsewhere and moved.
  const short = path.join(tmpdir(), `s${process.pid}-${Date.now() % 100_000}`);
  const server = createServer().listen(short);
  await new Promise((resolve) => server.once('listening', resolve));
  renameSync(short, file);
  return () => server.close();
}

describe.each([
  ['asynchronously', false],
  ['synchronously', true],
])('an entry that is read %s', (_, quick) => {
  const expectReplaced = async (__: string, damage: (file: string) => unknown) => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, {}, now);
    await store.put([A, B]);
    if (quick) await readsQuickly(store, B.id);
    const file = entryFile(folder.path, A.id);
    const undo = await damage(file);
    expect((await store.find(A.id))?.kind).toBe('unknown');
    expect((await store.find(B.id))?.kind).toBe('response');
    expect([await managed(store).count(), await managed(store).count({ kind: 'unknown' })]).toEqual([2, 1]);
    await store.put([A]);
    expect([(await store.find(A.id))?.kind, lstatSync(file).isFile()]).toEqual(['response', true]);
    rmSync(file);
    writeFileSync(file, 'x'.repeat(300));
    const undoAgain = await damage(file);
    expect([await store.delete([A.id]), await managed(store).count(), existsSync(file)]).toEqual([1, 1, false]);
    for (const end of [undo, undoAgain]) if (typeof end === 'function') end();
  };

  test.each<[string, (file: string) => unknown]>([
    ['lacks the end of its body', (file) => truncateSync(file, lstatSync(file).size - 1)],
    ['lacks its body', (file) => truncateSync(file, lstatSync(file).size - 'body of a'.length)],
    ['lacks a part of its metadata', (file) => truncateSync(file, HEAD_LENGTH + 33 + 5)],
    ['lacks its digests', (file) => truncateSync(file, HEAD_LENGTH)],
    ['lacks a part of its head', (file) => truncateSync(file, 50)],
    ['is empty', (file) => truncateSync(file, 0)],
    ['is longer', (file) => writeFileSync(file, 'more', { flag: 'a' })],
    ['is longer than the memory', (file) => truncateSync(file, 3 * 2 ** 30)],
    [
      'is a long file of zeros',
      (file) => {
        writeFileSync(file, '');
        truncateSync(file, 3 * 2 ** 30);
      },
    ],
    ['is of another format', (file) => writeFileSync(file, 'AKC1 something')],
    ['is a folder', (file) => replace(file, () => mkdirSync(file))],
  ])('and %s, is unreadable, counted, deleted and replaced', expectReplaced);

  describeOnPosix('and', () => {
    test.each<[string, (file: string) => unknown]>([
      ['is a FIFO', (file) => replace(file, () => execFileSync('mkfifo', [file]))],
      ['is a socket', (file) => replace(file, () => socketAt(file))],
      ['is a link to nothing', (file) => replace(file, () => symlinkSync('nowhere', file))],
      ['is a link to itself', (file) => replace(file, () => symlinkSync(path.basename(file), file))],
      [
        'is a link to a whole entry',
        (file) => {
          renameSync(file, `${file}.real`);
          symlinkSync(`${file}.real`, file);
        },
      ],
    ])('%s, is unreadable, counted, deleted and replaced', expectReplaced);
  });

  test('is not served from a subfolder that is a link', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, {}, now);
    await store.put([A, B]);
    if (quick) await readsQuickly(store, B.id);
    const subfolder = path.dirname(entryFile(folder.path, A.id));
    renameSync(subfolder, path.join(folder.path, 'elsewhere'));
    symlinkSync(path.join(folder.path, 'elsewhere'), subfolder, 'junction');
    expect(await store.find(A.id)).toBeUndefined();
  });
});

test('a folder with files of somebody else in place of an entry is left', async () => {
  await using folder = await temporaryFolder();
  const store = new FileStore(folder.path, {}, now);
  await store.put([A]);
  const file = entryFile(folder.path, A.id);
  rmSync(file);
  mkdirSync(file);
  writeFileSync(path.join(file, 'mine'), 'mine');
  expect((await store.find(A.id))?.kind).toBe('unknown');
  await expect(store.put([A])).rejects.toMatchObject({ name: 'StoreFailure', kind: 'entry' });
  expect(await store.delete([A.id])).toBe(0);
  await managed(store).clear();
  expect(readFileSync(path.join(file, 'mine'), 'utf8')).toBe('mine');
});

describeOnPosix('links', () => {
  /** A cache beside files of somebody else, with one of its folders replaced by a link to theirs. */
  async function startLinked(linked: (root: string) => string) {
    const folder = await temporaryFolder();
    const [root, theirs] = [path.join(folder.path, 'cache'), path.join(folder.path, 'theirs')];
    const store = new FileStore(root, {}, now);
    await store.put([A]);
    const place = linked(root);
    renameSync(place, theirs);
    symlinkSync(theirs, place);
    return { store, root, before: contentOf(theirs), theirs, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
  }

  test.each<[string, (root: string) => string]>([
    ['of entries', (root) => path.dirname(entryFile(root, A.id))],
    ['of the index', (root) => path.join(root, 'links_v1', DIGEST.slice(0, 2))],
  ])('at a subfolder %s are neither followed nor removed', async (_, linked) => {
    await using one = await startLinked(linked);
    const { store } = one;
    await expect(store.put([A])).rejects.toMatchObject({ kind: 'refusal', message: /is not a folder/ });
    await store.delete([A.id]);
    for await (const { id } of store.list({ index: DIGEST })) await store.delete([id]);
    await managed(store).clear();
    expect(contentOf(one.theirs)).toEqual(one.before);
    await store.put([B]);
    expect((await store.find(B.id))?.kind).toBe('response');
  });

  test.each(['responses_v1', 'links_v1'])('at %s are neither followed nor removed', async (part) => {
    await using one = await startLinked((root) => path.join(root, part));
    const { store } = one;
    await expect(store.put([A])).rejects.toMatchObject({ kind: 'refusal' });
    await store.delete([A.id]);
    await managed(store).clear();
    expect(contentOf(one.theirs)).toEqual(one.before);
  });

  test('at files are replaced, not written through', async () => {
    await using folder = await temporaryFolder();
    const root = path.join(folder.path, 'cache');
    const victim = path.join(folder.path, 'victim');
    writeFileSync(victim, 'precious');
    const store = new FileStore(root, { durable: true }, now);
    await store.put([A, entryOf('c', { kind: 'redirect', group: A.id })]);
    for (const name of Object.keys(contentOf(root))) {
      rmSync(path.join(root, name));
      symlinkSync(victim, path.join(root, name));
    }
    await store.put([A, entryOf('c', { kind: 'redirect', group: A.id })]);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect([(await store.find(A.id))?.kind, await managed(store).count({ index: DIGEST })]).toEqual(['response', 1]);
    await managed(store).clear();
    expect([readFileSync(victim, 'utf8'), contentOf(root)]).toEqual(['precious', {}]);
  });

  test('at the folder of the cache itself are followed: the user chose it', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(path.join(folder.path, 'disk'));
    symlinkSync('disk', path.join(folder.path, 'cache'));
    const store = new FileStore(path.join(folder.path, 'cache'), {}, now);
    await store.put([A]);
    expect([await managed(store).count(), readdirSync(path.join(folder.path, 'disk')).sort()]).toEqual([
      1,
      ['links_v1', 'responses_v1'],
    ]);
  });
});

test('nothing is removed whose name is not exactly one of the cache', async () => {
  await using folder = await temporaryFolder();
  const store = new FileStore(folder.path, { maxEntries: 5 }, now);
  await store.put([A, B]);
  const sub = (name: string) => path.join('responses_v1', 'aa', name);
  const theirs = [
    'debts.cleared',
    'notes.txt',
    'draft.tmp',
    `responses_v1.aa.0123456789ab.cleared`,
    path.join('responses_v1', 'notes.json'),
    path.join('responses_v1', `${A.id}.bin`),
    sub('notes.json'),
    sub('aa.json'),
    sub(`${A.id}.txt`),
    sub(`${A.id}.bin.bak`),
    sub(`${A.id}.tmp`),
    sub(`${A.id}.bin.0123.tmp`),
    sub(`${A.id}.bin.0123456789AB.tmp`),
    sub(`${A.id.toUpperCase()}.bin`),
    sub(`${B.id}.bin`),
    path.join('responses_v1', 'aa', 'deep', `${A.id}.bin`),
    path.join('responses_v1', 'longer', `${A.id}.bin`),
    path.join('links_v1', 'mine'),
    path.join('links_v1', '11', `${DIGEST}.mine`),
    path.join('links_v1', '11', `${'2'.repeat(32)}.${A.id}`),
    path.join('other', 'aa', `${A.id}.bin`),
  ];
  for (const name of theirs) {
    const file = path.join(folder.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'theirs');
    utimesSync(file, 1, 1);
  }
  expect(await managed(store).count()).toBe(2);
  await store.delete([A.id]);
  await managed(store).clear();
  await store.put([A]);
  expect([await managed(store).count(), await managed(store).deleteExpired(Number.MAX_SAFE_INTEGER)]).toEqual([1, 1]);
  await managed(store).clear();
  await store.close();
  expect(Object.keys(contentOf(folder.path)).sort()).toEqual([...theirs].sort());
});

describe('a write of several entries', () => {
  const marker = entryOf('c', { kind: 'variants' });
  const variant = entryOf('d', { id: `${'c'.repeat(64)}.${'f'.repeat(32)}`, group: 'c'.repeat(64), indexes: [DIGEST] });
  const redirect = entryOf('e', { kind: 'redirect', group: marker.id });

  test('changes nothing if one of them cannot be written', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, { maxSize: 2_000 }, now);
    await store.put([entryOf('c', { body: Buffer.from('old') })]);
    const large = { ...variant, body: Buffer.alloc(4_000) };
    await expect(store.put([large, marker, redirect])).rejects.toMatchObject({ kind: 'entry' });
    expect([(await store.find(marker.id))?.kind, await store.find(redirect.id)]).toEqual(['response', undefined]);
    expect(Object.keys(contentOf(folder.path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('never puts a redirect in place of a response that comes at the same time', async () => {
    await using folder = await temporaryFolder();
    const stores = [1, 2, 3].map(() => new FileStore(folder.path, {}, now));
    const [one, two, three] = stores as [FileStore, FileStore, FileStore];
    for (let round = 0; round < 100; round += 1) {
      const direct = entryOf(round);
      const mapping = entryOf(round, { kind: 'redirect', group: idOf('b') });
      if (round % 2 === 0) await one.put([mapping]);
      await Promise.all([one.put([mapping]), two.put([direct]), three.put([mapping])]);
      expect((await one.find(direct.id))?.kind).toBe('response');
    }
    expect(Object.keys(contentOf(folder.path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('leaves no member of the index for digests that an entry has lost', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, {}, now);
    await store.put([A]);
    await store.put([{ ...A, indexes: ['2'.repeat(32)] }]);
    const members = () => Object.keys(contentOf(path.join(folder.path, 'links_v1'))).filter((name) => name !== 'empty');
    expect(members()).toEqual([path.join('22', `${'2'.repeat(32)}.${A.id}`)]);
    await store.put([{ ...A, indexes: [] }]);
    expect(members()).toEqual([]);
  });

  test('is found by its digests, however often it is deleted and cleared meanwhile', async () => {
    await using folder = await temporaryFolder();
    const [writer, other] = [new FileStore(folder.path, {}, now), new FileStore(folder.path, {}, now)];
    let isDone = false;
    const disturb = async () => {
      for (let round = 0; !isDone; round += 1) {
        if (round % 2 === 0) await other.delete([A.id]);
        else await managed(other).clear();
      }
    };
    const disturbing = disturb();
    for (let round = 0; round < 200; round += 1) await writer.put([A]);
    isDone = true;
    await disturbing;
    const isThere = (await writer.find(A.id)) !== undefined;
    expect(await managed(writer).count({ index: DIGEST })).toBe(isThere ? 1 : 0);
    await writer.put([A]);
    expect(await managed(writer).count({ index: DIGEST })).toBe(1);
  });
});

test('members of the index are links to one file, and to another when that one has all that it can', async () => {
  await using folder = await temporaryFolder();
  const store = new FileStore(folder.path, {}, now);
  await store.put([A]);
  const empty = path.join(folder.path, 'links_v1', 'empty');
  const member = path.join(folder.path, 'links_v1', '11', `${DIGEST}.${A.id}`);
  expect(lstatSync(member).ino).toBe(lstatSync(empty).ino);
  rmSync(empty);
  await store.put([entryOf('c', { indexes: [DIGEST] })]);
  expect([await managed(store).count({ index: DIGEST }), lstatSync(empty).nlink]).toEqual([2, 2]);
});

describe('bounds', () => {
  const numbered = (number: number, bytes = 900) => entryOf(number, { body: Buffer.alloc(bytes) });

  test('count an entry that is replaced once', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(folder.path, { maxEntries: 10, maxSize: 20_000 }, now);
    for (let round = 0; round < 10; round += 1) {
      for (let number = 0; number < 10; number += 1) await store.put([numbered(number)]);
    }
    await store.close();
    expect([await managed(store).count(), await store.size()]).toEqual([10, 10 * (HEAD_LENGTH + 16 + 900)]);
  });

  test('count a file once that was deleted before its eviction', async () => {
    await using folder = await temporaryFolder();
    const clock = { time: Date.now() };
    const store = new FileStore(folder.path, { maxEntries: 10 }, () => clock.time);
    const fill = async (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        clock.time += 2_000;
        await store.put([numbered(number)]);
      }
      await store.close();
    };
    await fill(0, 12);
    await store.delete([2, 3, 4, 5, 6].map((number) => numbered(number).id));
    await fill(12, 22);
    expect(await managed(store).count()).toBe(10);
  });

  test('count a file once that is written, deleted or evicted several times at once', async () => {
    await using folder = await temporaryFolder();
    const clock = { time: Date.now() };
    const store = new FileStore(folder.path, { maxEntries: 10 }, () => clock.time);
    const put = (number: number, times = 1) => {
      clock.time += 2_000;
      return Promise.all(Array.from({ length: times }, () => store.put([numbered(number)])));
    };
    const countAfter = async (work: Promise<unknown>) => {
      await work;
      await store.close();
      return managed(store).count();
    };
    for (let number = 0; number < 9; number += 1) await put(number);
    const [first, second, third] = [0, 1, 2].map((number) => [numbered(number).id] as const);
    // The write begins an eviction of the file that is deleted.
    const evicted = async () => {
      await put(10);
      return store.delete(first ?? []);
    };
    expect([await countAfter(put(9, 5)), await countAfter(evicted())]).toEqual([10, 10]);
    for (const ids of [second, third]) {
      const deleted = await Promise.all([1, 2, 3].map(() => store.delete(ids ?? [])));
      expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(1);
    }
    for (let number = 11; number < 20; number += 1) await put(number);
    expect(await countAfter(put(20))).toBe(10);
  });

  test('evict exactly as many as they ask for, and none that was used since', async () => {
    await using folder = await temporaryFolder();
    const clock = { time: Date.now() };
    const store = new FileStore(folder.path, { maxEntries: 10 }, () => clock.time);
    for (let number = 0; number < 30; number += 1) {
      clock.time += 2_000;
      await store.put([numbered(number)]);
      await store.find(numbered(0).id);
    }
    await store.close();
    expect([await managed(store).count(), (await store.find(numbered(0).id))?.kind]).toEqual([10, 'response']);
  });
});

describe('in a confined process', () => {
  const source = `
    import axios from 'axios';
    import { setupCache } from './lib/index.js';
    import { fill, release } from './__tests__/support/confined.js';
    const [, , cacheName, fault] = process.argv;
    const events = [];
    let asked = 0;
    const adapter = async (config) => ({ data: 'x'.repeat(5000), status: 200, statusText: 'OK ' + ++asked, headers: {}, config });
    const api = setupCache(axios.create({ adapter }), {
      backend: 'filesystem', cacheName, onEvent: ({ type, reason }) => events.push(reason ? type + ' ' + reason : type),
    });
    const get = async (name) => (await api.get('http://a.example/' + name)).fromCache;
    await get('before').catch(() => {});
    const started = process.cpuUsage();
    await fill(fault, cacheName);
    const during = [await get('before'), await get('other'), await get('other'), await get('before')];
    const cpu = process.cpuUsage(started);
    const removed = await api.cache.clear().then(() => 'cleared', (error) => error.cause?.kind ?? error.code ?? String(error));
    await release(fault, cacheName);
    await get('after');
    console.log(JSON.stringify({ during, removed, after: await get('after'), cpu: (cpu.user + cpu.system) / 1e6 }));
  `;

  const expectToWorkAgain = async (_: string, fault: string, expected: object) => {
    await using confined = await confinedProgram(source);
    const result = JSON.parse(await confined.run(fault)) as { cpu: number };
    expect(result).toMatchObject(expected);
    // Nothing is attempted without end.
    expect(result.cpu).toBeLessThan(5);
  };

  describeWithSmallDisk('with a small disk', () => {
    test.each<[string, string, object]>([
      ['on a full disk', 'full', { during: [true, false, false, true], removed: 'cleared', after: true }],
      ['on a read-only disk', 'read-only', { during: [true, false, false, true], after: true }],
    ])('%s no request fails, and the cache works again', expectToWorkAgain);
  });

  describeOnPosix('with limits and permissions', () => {
    test.each<[string, string, object]>([
      ['without file descriptors', 'descriptors', { during: [false, false, false, false], after: true }],
      ['without access to the folder', 'no-access', { during: [false, false, false, false], after: true }],
      ['with a file in place of the folder', 'file', { during: [false, false, false, false], after: true }],
    ])('%s no request fails, and the cache works again', expectToWorkAgain);
  });
});

/** Replaces `sync` of files and folders by a function that gets each by its inode. */
async function observeSync(folder: string, observe: (inode: number) => Promise<void>) {
  const probe = await open(path.join(folder, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  const { sync } = prototype;
  return jest.spyOn(prototype, 'sync').mockImplementation(async function (this: typeof probe) {
    await observe((await this.stat()).ino);
    await sync.call(this);
  });
}

test('durable: the file and its folder are synced before a write is acknowledged', async () => {
  await using folder = await temporaryFolder();
  const root = path.join(folder.path, 'cache');
  const store = new FileStore(root, { durable: true }, now);
  await store.put([B]);
  const synced: number[] = [];
  const waiting: (() => void)[] = [];
  const spy = await observeSync(folder.path, async (inode) => {
    synced.push(inode);
    await new Promise<void>((resolve) => waiting.push(resolve));
  });
  try {
    let isAcknowledged = false;
    const writing = Promise.resolve(store.put([B])).then(() => {
      isAcknowledged = true;
    });
    const file = entryFile(root, B.id);
    const before = lstatSync(file).ino;
    await until('the file is synced', () => waiting.length === 1);
    // The file that is synced is not yet in its place.
    expect([isAcknowledged, lstatSync(file).ino]).toEqual([false, before]);
    waiting[0]?.();
    // Windows cannot sync folders.
    if (process.platform !== 'win32') {
      await until('the folder is synced', () => waiting.length === 2);
      expect([isAcknowledged, lstatSync(file).ino]).toEqual([false, synced[0]]);
      waiting[1]?.();
    }
    await writing;
    const expected = [file, path.dirname(file)].map((one) => lstatSync(one).ino);
    expect(synced).toEqual(process.platform === 'win32' ? expected.slice(0, 1) : expected);
  } finally {
    spy.mockRestore();
  }
  await store.close();
});

test('by default nothing is synced', async () => {
  await using folder = await temporaryFolder();
  const synced: number[] = [];
  const spy = await observeSync(folder.path, async (inode) => void synced.push(inode));
  const store = new FileStore(path.join(folder.path, 'cache'), {}, now);
  try {
    await store.put([A]);
    await store.put([A]);
  } finally {
    spy.mockRestore();
  }
  expect(synced).toEqual([]);
  await store.close();
});

import * as files from 'node:fs/promises';
import * as path from 'node:path';
import { beforeEach, expect, jest, test } from '@jest/globals';
import { entry } from '../backends/contract.js';
import { temporaryFolder } from '../support/api.js';

/** Which files the store reads, and what others do in between. */
const read: string[] = [];
let afterNextRead: (() => Promise<unknown>) | undefined;

jest.resetModules();
jest.unstable_mockModule('node:fs/promises', () => ({
  ...files,
  readFile: async (file: string) => {
    read.push(path.extname(file));
    try {
      return await files.readFile(file);
    } finally {
      const meanwhile = afterNextRead;
      afterNextRead = undefined;
      await meanwhile?.();
    }
  },
}));
const { FileStore } = await import('../../lib/stores/filesystem/index.js');

beforeEach(() => {
  read.length = 0;
});

test('a hit is one read; only a miss looks at files of other extensions', async () => {
  await using folder = await temporaryFolder();
  const store = new FileStore(folder.path, {}, Date.now, '.yaml');
  await store.put([entry('a')]);
  expect([(await store.find(entry('a').id))?.kind, read]).toEqual(['response', ['.yaml']]);
  read.length = 0;
  expect([await store.find(entry('b').id), new Set(read)]).toEqual([undefined, new Set(['.yaml', '.json', '.bin'])]);
});

test('a reader finds what replaces a file of another extension while it looks', async () => {
  await using folder = await temporaryFolder();
  const [text, binary] = [
    new FileStore(folder.path, {}, Date.now, '.json'),
    new FileStore(folder.path, {}, Date.now, '.bin'),
  ];
  await binary.put([entry('a', { body: Buffer.from('binary') })]);
  afterNextRead = () => text.put([entry('a', { body: Buffer.from('text') })]);
  expect(String((await text.find(entry('a').id))?.body)).toBe('text');
});

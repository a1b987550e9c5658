import { readdir, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import type { CacheOptions } from '../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from './support/api.js';
import { foundSecrets, PLACES, PLANTING_OPTIONS, plantingOrigin, secretOf } from './support/planted-secrets.js';

/** Backends whose raw store is searched: how they are opened in a folder, and where their bytes are. */
const RAW_STORES: readonly (readonly [name: string, options: (folder: string) => CacheOptions])[] = [
  ['sqlite', (folder) => ({ backend: 'sqlite', cacheName: path.join(folder, 'cache.sqlite') })],
  ['filesystem', (folder) => ({ backend: 'filesystem', cacheName: path.join(folder, 'cache') })],
  [
    'filesystem with yaml',
    (folder) => ({ backend: 'filesystem', cacheName: path.join(folder, 'cache'), serializer: 'yaml' }),
  ],
];

async function bytesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

/** Sends a request with a secret in each place. */
async function plant({ api, origin }: Bench): Promise<void> {
  for (const [index, place] of PLACES.entries()) {
    const config = await place.request(secretOf(index), origin.url);
    const { cacheStatus } = await api.request({ url: `/${index}`, ...config });
    if (!cacheStatus?.includes('; stored')) throw new Error(`${place.name} was not stored: ${cacheStatus}`);
  }
}

/** Everything that users can see of the cache. */
async function reportsOf({ api, events }: Bench): Promise<string> {
  const reports = [JSON.stringify(events)];
  for await (const response of api.cache.values()) {
    const { request, headers, url, history } = response;
    reports.push(String(response), JSON.stringify([request, headers, url, history]));
  }
  for await (const url of api.cache.urls()) reports.push(url);
  return reports.join('\n');
}

test('there are a hundred places', () => {
  expect(PLACES.length).toBeGreaterThanOrEqual(100);
});

test.each(RAW_STORES)(
  'no planted secret is found in %s, in what the cache shows, or in debug output',
  async (_, options) => {
    await using folder = await temporaryFolder();
    const logged: string[] = [];
    const originalWrite = process.stderr.write.bind(process.stderr);
    process.env.DEBUG = 'axios-keyv-cache';
    process.stderr.write = ((text: string) => logged.push(text)) as never;
    try {
      await using bench = await startBench(
        { ...options(folder.path), ...PLANTING_OPTIONS } as CacheOptions,
        plantingOrigin,
      );
      await plant(bench);
      expect(await bench.api.cache.responseCount()).toBe(PLACES.length);
      expect(foundSecrets(await reportsOf(bench))).toEqual([]);
    } finally {
      process.stderr.write = originalWrite;
      delete process.env.DEBUG;
    }
    const raw = await bytesOf(folder.path);
    expect(raw).toContain('harmless');
    expect(foundSecrets(raw)).toEqual([]);
    expect(logged.length).toBeGreaterThan(PLACES.length);
    expect(foundSecrets(logged.join('\n'))).toEqual([]);
  },
);

test.each<[string, (secret: string) => string]>([
  ['as it is', (secret) => `a${secret}b`],
  ['in base64 at offset 0', (secret) => Buffer.from(`${secret}yz`).toString('base64')],
  ['in base64 at offset 1', (secret) => Buffer.from(`x${secret}yz`).toString('base64')],
  ['in base64 at offset 2', (secret) => Buffer.from(`xx${secret}yz`).toString('base64')],
  ['in base64 for URLs', (secret) => Buffer.from(`x${secret}`).toString('base64url')],
  ['in hexadecimal digits', (secret) => Buffer.from(`a${secret}b`).toString('hex')],
  ['in UTF-16', (secret) => Buffer.from(`a${secret}b`, 'utf16le').toString('latin1')],
])('the search finds a secret %s, and no other', (_, encoded) => {
  expect(foundSecrets(encoded(secretOf(3)))).toEqual([PLACES[3]?.name]);
});

import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { KeyvPostgres } from '@keyv/postgres';
import axios from 'axios';
import { MemoryCache } from '../../lib/cache/backends/memory-cache.js';
import { setupCache } from '../../lib/setup-cache.js';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { mongoInMemory } from '../../scripts/services/mongo.mjs';
import { postgres } from '../../scripts/services/postgres.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import type { Service } from '../../scripts/services/server.mjs';
import { CREDENTIALS } from '../backends/dynamodb-process.js';
import { temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';

/** All of the management surface on 100,000 entries, in bounded memory. */

const ENTRIES = Number(process.env.ENTRIES ?? 100_000);
const AT_ONCE = 100;
const MEGABYTE = 1024 * 1024;
const adapter = async (config: object) => ({
  data: 'x'.repeat(500),
  status: 200,
  statusText: 'OK',
  headers: {},
  config,
});

/** A backend with its server and its options. */
interface Backend {
  readonly service?: Service;
  /** Entries, if fewer. */
  readonly entries?: number;
  open(place: { readonly url: string; readonly folder: string }): object;
}

const SLOW = { backendTimeout: 60 };
/**
 * The server for MongoDB in memory takes 10 to 20 ms of processor time to insert an entry, also if one write
 * has 1,000 of them: 100,000 would take half an hour for each of the two backends.
 */
const MONGODB_ENTRIES = Math.min(ENTRIES, 10_000);
const BACKENDS: Readonly<Record<string, Backend>> = {
  sqlite: { open: ({ folder }) => ({ backend: 'sqlite', cacheName: path.join(folder, 'many') }) },
  filesystem: { open: ({ folder }) => ({ backend: 'filesystem', cacheName: path.join(folder, 'many') }) },
  redis: { service: redis, open: ({ url }) => ({ backend: 'redis', backendOptions: { ...SLOW, url } }) },
  mongodb: {
    service: mongoInMemory,
    entries: MONGODB_ENTRIES,
    open: ({ url }) => ({ backend: 'mongodb', backendOptions: { ...SLOW, url } }),
  },
  gridfs: {
    service: mongoInMemory,
    entries: MONGODB_ENTRIES,
    open: ({ url }) => ({ backend: 'gridfs', backendOptions: { ...SLOW, url } }),
  },
  dynamodb: {
    service: dynamo,
    open: ({ url }) => ({ backend: 'dynamodb', backendOptions: { ...SLOW, endpoint: url, ...CREDENTIALS } }),
  },
  'keyv over PostgreSQL': {
    service: postgres,
    open: ({ url }) => ({ backend: new KeyvPostgres({ uri: url, iterationLimit: 500 }), backendOptions: SLOW }),
  },
};

test.each(Object.entries(BACKENDS))('%s', async (backend, { service, entries = ENTRIES, open }) => {
  await using folder = await temporaryFolder();
  const server = await service?.start();
  const clock = new TestClock();
  const options = { cacheName: 'many', expireAfter: 60, ...open({ url: server?.url ?? '', folder: folder.path }) };
  const api = setupCache(axios.create({ adapter: adapter as never }), options as never, clock);
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    global.gc?.();
    const [started, before] = [performance.now(), process.memoryUsage().rss];
    const result = await work();
    const grown = (process.memoryUsage().rss - before) / MEGABYTE;
    console.log(`${backend}: ${what} ${((performance.now() - started) / 1000).toFixed(1)} s, ${Math.round(grown)} MB`);
    expect(grown).toBeLessThan(300);
    return result;
  };
  const { cache } = api;
  await cache.ready();
  await timed('fill', async () => {
    for (let start = 0; start < entries; start += AT_ONCE) {
      if (start === entries / 2) clock.advance(30);
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => api.get(`http://many.example/${start + index}`)));
    }
  });
  expect(await timed('responseCount', () => cache.responseCount())).toBe(entries);
  for (const listing of ['keys', 'urls', 'values'] as const) {
    const listed = await timed(listing, async () => {
      let number = 0;
      for await (const _ of cache[listing]()) number += 1;
      return number;
    });
    expect(listed).toBe(entries);
  }
  clock.advance(31);
  const half = { removed: entries / 2, kept: entries / 2 };
  expect(await timed('removeExpiredResponses', () => cache.removeExpiredResponses())).toEqual(half);
  await timed('resetExpiration', () => cache.resetExpiration('1h'));
  // A cache with a small bound, so that its entries do not count as memory of the copying.
  const other = new MemoryCache({ maxEntries: 1_000 }, clock);
  let last = {};
  await timed('update', () =>
    other.update(cache, {
      onProgress(progress) {
        last = progress;
      },
    }),
  );
  expect(last).toEqual({ copied: entries / 2, total: entries / 2 });
  await timed('deleteUrls', () => cache.deleteUrls([`http://many.example/${entries - 1}`]));
  await timed('clear', () => cache.clear());
  expect(await cache.responseCount()).toBe(0);
  await api.detachCache();
  await server?.stop();
});

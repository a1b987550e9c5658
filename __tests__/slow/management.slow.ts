import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import axios from 'axios';
import { MemoryCache } from '../../lib/cache/backends/memory-cache.js';
import { setupCache } from '../../lib/setup-cache.js';
import { mongoInMemory } from '../../scripts/services/mongo.mjs';
import { redis } from '../../scripts/services/redis.mjs';
import { temporaryFolder } from '../support/api.js';
import { TestClock } from '../support/clock.js';

/** All of the management surface on 100,000 entries, in bounded memory. */

const ENTRIES = Number(process.env.ENTRIES ?? 100_000);
const AT_ONCE = 200;
const MEGABYTE = 1024 * 1024;
const adapter = async (config: object) => ({
  data: 'x'.repeat(500),
  status: 200,
  statusText: 'OK',
  headers: {},
  config,
});

test.each(['sqlite', 'redis', 'filesystem', 'mongodb'] as const)('%s', async (backend) => {
  await using folder = await temporaryFolder();
  const service = { redis, mongodb: mongoInMemory }[backend as string];
  const server = await service?.start();
  const clock = new TestClock();
  const named = server
    ? { cacheName: 'many', backendOptions: { url: server.url, backendTimeout: 60 } }
    : { cacheName: path.join(folder.path, 'many') };
  const api = setupCache(
    axios.create({ adapter: adapter as never }),
    { backend, expireAfter: 60, ...named } as never,
    clock,
  );
  const took: string[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    global.gc?.();
    const [started, before] = [performance.now(), process.memoryUsage().rss];
    const result = await work();
    const grown = (process.memoryUsage().rss - before) / MEGABYTE;
    took.push(`${what} ${((performance.now() - started) / 1000).toFixed(1)} s, ${Math.round(grown)} MB`);
    expect(grown).toBeLessThan(300);
    return result;
  };
  const { cache } = api;
  await timed('fill', async () => {
    for (let start = 0; start < ENTRIES; start += AT_ONCE) {
      if (start === ENTRIES / 2) clock.advance(30);
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => api.get(`http://many.example/${start + index}`)));
    }
  });
  expect(await timed('responseCount', () => cache.responseCount())).toBe(ENTRIES);
  for (const listing of ['keys', 'urls', 'values'] as const) {
    const listed = await timed(listing, async () => {
      let number = 0;
      for await (const _ of cache[listing]()) number += 1;
      return number;
    });
    expect(listed).toBe(ENTRIES);
  }
  clock.advance(31);
  const half = { removed: ENTRIES / 2, kept: ENTRIES / 2 };
  expect(await timed('removeExpiredResponses', () => cache.removeExpiredResponses())).toEqual(half);
  await timed('resetExpiration', () => cache.resetExpiration('1h'));
  const other = new MemoryCache({ maxEntries: ENTRIES, maxSize: 2_000 * MEGABYTE }, clock);
  await timed('update', () => other.update(cache));
  expect(await other.responseCount()).toBe(ENTRIES / 2);
  await timed('deleteUrls', () => cache.deleteUrls([`http://many.example/${ENTRIES - 1}`]));
  await timed('clear', () => cache.clear());
  expect(await cache.responseCount()).toBe(0);
  console.log(`${backend}: ${took.join('; ')}`);
  await api.detachCache();
  await server?.stop();
});

import { randomBytes } from 'node:crypto';
import axios from 'axios';
import type { CacheOptions } from '../../lib/settings/types.js';
import { setupCache } from '../../lib/setup-cache.js';
import { program } from './child.js';
import { sendJson, startOrigin } from './origin.js';

const TAG = 'raced';
const PATHS = ['/r/0', '/r/1', '/r/2', '/r/3'];

/** The result of a race: how often responses were served from the store, and those that were older than an invalidation. */
export interface RaceResult {
  readonly hits: number;
  readonly refused: number;
  readonly outdated: readonly string[];
}

/**
 * Another process stores and reads responses with a tag all the time, while this one invalidates the tag. Each answer of the
 * origin has the number of invalidations that had begun when it was asked. A response that is served has to have been asked
 * for after the last invalidation that had ended before.
 *
 * @param options of both caches, without functions
 * @param ahead milliseconds by which the clock of the other process differs
 */
export async function raceTags(options: CacheOptions, invalidations: number, ahead: number): Promise<RaceResult> {
  let [version, floor, isOver] = [0, 0, false];
  let arrived = () => {};
  await using origin = await startOrigin(async ({ url }, response) => {
    if (url === '/floor') return sendJson(response, { floor, isOver });
    const answer = { version };
    arrived();
    // Some answers arrive before an invalidation ends, others after.
    for (let turns = randomBytes(1)[0] ?? 0; turns > 128; turns -= 16) await new Promise(setImmediate);
    sendJson(response, answer);
  });
  await using other = program(WRITER);
  const writing = other.run(origin.url, JSON.stringify(options), String(ahead));
  const api = setupCache(axios.create({ baseURL: origin.url }), options);
  const keys = await Promise.all(PATHS.map((url) => api.cache.createKey({ url })));
  const outdated: string[] = [];
  const ended = writing.then(
    () => true,
    () => true,
  );
  for (let number = 0; number < invalidations; number += 1) {
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    if (await Promise.race([arrival, ended])) break;
    version += 1;
    const begun = version;
    await api.cache.delete({ tags: [TAG] });
    floor = begun;
    for (const key of keys) {
      const stored = await api.cache.getResponse(key);
      if (stored && stored.data.version < floor) outdated.push(`${stored.data.version} after ${floor}`);
    }
  }
  isOver = true;
  const { hits, refused, wrong } = JSON.parse(await writing);
  await api.detachCache();
  return { hits, refused, outdated: [...outdated, ...wrong] };
}

const WRITER = `
  import axios from 'axios';
  import { setupCache } from './lib/index.js';

  const [origin, options, ahead] = process.argv.slice(2);
  const now = () => Date.now() + Number(ahead);
  const instance = axios.create({ baseURL: origin });
  const api = setupCache(instance, { ...JSON.parse(options), tags: ['${TAG}'] }, { now });
  const [wrong, plain] = [[], axios.create({ baseURL: origin })];
  let hits = 0;
  const work = async (path) => {
    for (;;) {
      const { floor, isOver } = (await plain.get('/floor')).data;
      if (isOver) return;
      const { data, fromCache } = await api.get(path);
      if (fromCache) hits += 1;
      if (data.version < floor) wrong.push(data.version + ' served after ' + floor);
      await api.get(path, { forceRefresh: true });
    }
  };
  await Promise.all(${JSON.stringify(PATHS)}.map(work));
  console.log(JSON.stringify({ hits, refused: api.cache.stats().skipped, wrong }));
  await api.detachCache();
`;

import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import axios, { Axios, type AxiosResponse } from 'axios';
import fc from 'fast-check';
import { MemoryCache } from '../lib/cache/backends/memory-cache.js';
import { SqliteCache } from '../lib/cache/backends/sqlite-cache.js';
import type { CacheEvent } from '../lib/models/events.js';
import {
  clear,
  disabled,
  enabled,
  getCache,
  installCache,
  isInstalled,
  removeExpiredResponses,
  uninstallCache,
} from '../lib/patcher.js';
import { setupCache } from '../lib/setup-cache.js';
import { startBench, temporaryFolder } from './support/api.js';
import { until } from './support/faults.js';
import { sendJson, startOrigin } from './support/origin.js';

const MEMORY = { backend: 'memory' } as const;
const untouched = Object.getOwnPropertyDescriptor(Axios.prototype, '_request');

function isUntouched(): boolean {
  return Object.getOwnPropertyDescriptor(Axios.prototype, '_request')?.value === untouched?.value;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

afterEach(async () => {
  await uninstallCache();
  expect(isUntouched()).toBe(true);
});

describe('installCache', () => {
  test('covers the default instance as a function and by verbs, existing and later instances, and subclasses', async () => {
    await using origin = await startOrigin();
    class Client extends Axios {}
    const existing = axios.create();
    installCache(MEMORY);
    const later = axios.create();
    const url = `${origin.url}/a`;
    const responses = [
      await axios(url),
      await axios.get(url),
      await axios.request({ url }),
      await existing.get(url),
      await later(url),
      await new Client(axios.defaults as never).get(url),
    ];
    expect(responses.map(({ fromCache }) => fromCache)).toEqual([false, true, true, true, true, true]);
    await uninstallCache();
    expect((await axios.get(url)).fromCache).toBeUndefined();
  });

  test('leaves instances alone that have a cache of their own, and their children', async () => {
    await using bench = await startBench();
    const child = bench.api.create({ baseURL: bench.origin.url });
    installCache(MEMORY);
    await axios.get(`${bench.origin.url}/a`);
    expect([(await bench.api.get('/a')).fromCache, (await child.get('/a')).fromCache]).toEqual([false, true]);
    expect(await getCache()?.responseCount()).toBe(1);
  });

  test('setupCache takes over a covered instance with its own settings', async () => {
    await using origin = await startOrigin();
    installCache(MEMORY);
    const instance = axios.create({ baseURL: origin.url });
    await instance.get('/a');
    const api = setupCache(instance, MEMORY);
    expect((await api.get('/a')).fromCache).toBe(false);
    await api.detachCache();
    expect((await instance.get('/a')).data.count).toBe(1);
  });

  test('a second call replaces the first', async () => {
    await using origin = await startOrigin();
    installCache(MEMORY);
    const first = getCache();
    await axios.get(origin.url);
    installCache(MEMORY);
    expect(getCache()).not.toBe(first);
    expect((await axios.get(origin.url)).fromCache).toBe(false);
  });

  test('refuses wrong options, and is then not there', () => {
    expect(() => installCache({ expireAfter: 'x' as never })).toThrow('expireAfter: "x"');
    expect(() => installCache({ instanceFactory: 1 as never })).toThrow('instanceFactory: 1');
    expect([isInstalled(), isUntouched()]).toEqual([false, true]);
  });

  test('gives back configs that can be sent again', async () => {
    await using origin = await startOrigin();
    installCache(MEMORY);
    const { config } = await axios.get(origin.url);
    const error = (await axios.get(origin.url, { signal: AbortSignal.abort() }).catch((reason: unknown) => reason)) as {
      config: object;
    };
    await uninstallCache();
    expect((await axios.request(config)).fromCache).toBeUndefined();
    expect((await axios.request({ ...error.config, signal: undefined } as object)).fromCache).toBeUndefined();
  });

  test.each<[string, (fn: () => Promise<unknown>) => Promise<unknown>]>([
    [
      'uninstallCache',
      async (fn) => {
        installCache({ backend: 'sqlite', cacheName: path.join(folder.path, 'uninstallCache') });
        await fn();
        await uninstallCache();
      },
    ],
    ['enabled', (fn) => enabled({ backend: 'sqlite', cacheName: path.join(folder.path, 'enabled') }, fn)],
  ])('%s closes the store after the requests in flight have stored their responses', async (name, run) => {
    let answer = () => {};
    await using origin = await startOrigin((_, response) => {
      answer = () => sendJson(response, {});
    });
    let request: Promise<AxiosResponse> | undefined;
    const ended = run(async () => {
      request = axios.get(origin.url);
      await until('the origin is asked', () => origin.asked.length > 0);
    });
    // The end of the installation begins before the origin answers.
    await until('the instances are restored', isUntouched);
    answer();
    expect((await request)?.cacheStatus).toContain('stored');
    await ended;
    const cache = new SqliteCache({ cacheName: path.join(folder.path, name) });
    expect(await cache.hasUrl(origin.url)).toBe(true);
    await cache.close();
  });

  test('instanceFactory makes the instances', async () => {
    await using origin = await startOrigin();
    const made: object[] = [];
    const instance = axios.create({ baseURL: origin.url });
    installCache({
      ...MEMORY,
      expireAfter: 60,
      instanceFactory: (covered, options) => {
        made.push(covered);
        return setupCache(covered, { ...options, allowableMethods: ['GET', 'POST'] });
      },
    });
    await instance.post('/a', 'x');
    expect([(await instance.post('/a', 'x')).fromCache, made.length]).toEqual([true, 1]);
    await uninstallCache();
    expect((await instance.post('/a', 'x')).fromCache).toBeUndefined();
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['throws undefined', () => Promise.reject.call(undefined as never, 1)],
    ['returns nothing', () => undefined],
    ['returns an instance without a cache', () => axios.create()],
    ['is async', async () => Promise.reject(new Error('mine'))],
  ])('an instanceFactory that %s: the request is sent without a cache, and an event reports it', async (_, make) => {
    await using origin = await startOrigin();
    const events: CacheEvent[] = [];
    installCache({ ...MEMORY, onEvent: (event) => events.push(event), instanceFactory: make as never });
    const responses = [await axios.get(origin.url), await axios.get(origin.url)];
    expect(responses.map(({ status, fromCache }) => [status, fromCache])).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    expect(events.map(({ type, reason }) => [type, reason])).toEqual([
      ['error', 'instance-factory'],
      ['error', 'instance-factory'],
    ]);
    await uninstallCache();
  });

  test('a made instance that cannot be detached does not keep uninstallCache from its end', async () => {
    await using origin = await startOrigin();
    const events: CacheEvent[] = [];
    installCache({
      ...MEMORY,
      onEvent: (event) => events.push(event),
      instanceFactory: (instance, options) => {
        const made = setupCache(instance, options);
        const { detachCache } = made;
        const detach = () => detachCache().then(() => Promise.reject(new Error('mine')));
        return Object.create(made, { detachCache: { value: detach } });
      },
    });
    await axios.get(origin.url);
    await uninstallCache();
    expect(events.filter(({ type }) => type === 'error').map(({ reason }) => reason)).toEqual(['detach']);
    expect((await axios.get(origin.url)).fromCache).toBeUndefined();
  });

  test.each([[1], [[1]], [[{}]], [[axios, axios.create()]], [[undefined]]])('refuses copies: %p', (copies) => {
    expect(() => installCache({ ...MEMORY, copies: copies as never })).toThrow(/^copies: .* axios 1\.7\.9 or later$/);
    expect([isInstalled(), isUntouched()]).toEqual([false, true]);
  });

  test('an instance of a factory is disabled in disabled, and covered by an installation within it', async () => {
    await using origin = await startOrigin();
    const instance = axios.create({ baseURL: origin.url });
    const instanceFactory = setupCache;
    installCache({ ...MEMORY, instanceFactory });
    await instance.get('/a');
    expect((await instance.get('/a')).fromCache).toBe(true);
    expect((await disabled(() => instance.get('/a'))).fromCache).not.toBe(true);
    for (const options of [MEMORY, { ...MEMORY, instanceFactory }]) {
      const within = await enabled(options, async () => [await instance.get('/a'), await instance.get('/a')]);
      expect(within.map(({ fromCache }) => fromCache)).toEqual([false, true]);
    }
    expect((await instance.get('/a')).fromCache).toBe(true);
    await uninstallCache();
    expect((await instance.get('/a')).fromCache).toBeUndefined();
  });

  test('clear and removeExpiredResponses affect the installed cache', async () => {
    await using origin = await startOrigin();
    expect([isInstalled(), getCache(), await removeExpiredResponses()]).toEqual([
      false,
      undefined,
      { removed: 0, kept: 0 },
    ]);
    await clear();
    installCache(MEMORY);
    await axios.get(origin.url);
    expect(await removeExpiredResponses()).toEqual({ removed: 0, kept: 1 });
    await clear();
    expect(await getCache()?.responseCount()).toBe(0);
  });
});

describe('enabled and disabled', () => {
  test('cover the requests that their function starts, and no others', async () => {
    await using origin = await startOrigin();
    const backend = new MemoryCache();
    const inside = enabled({ backend }, async () => {
      await axios.get(origin.url);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return (await axios.get(origin.url)).fromCache;
    });
    const outside = axios.get(origin.url).then(({ fromCache }) => fromCache);
    expect([await inside, await outside]).toEqual([true, undefined]);
    expect(isUntouched()).toBe(true);
  });

  test('the innermost wins', async () => {
    await using origin = await startOrigin();
    installCache(MEMORY);
    const outer = getCache();
    await axios.get(origin.url);
    expect((await disabled(() => axios.get(origin.url))).fromCache).toBeUndefined();
    await disabled(async () => {
      expect(isInstalled()).toBe(false);
      await enabled(MEMORY, async () => {
        expect(isInstalled()).toBe(true);
        expect(getCache()).not.toBe(outer);
      });
    });
    expect(getCache()).toBe(outer);
  });

  test('errors inside restore the previous state', async () => {
    const fail = () => {
      throw new Error('mine');
    };
    await expect(enabled(MEMORY, fail)).rejects.toThrow('mine');
    expect(() => disabled(fail)).toThrow('mine');
    expect([isInstalled(), isUntouched()]).toEqual([false, true]);
  });
});

test('any sequence of them leaves axios as it was found', async () => {
  const step = fc.constantFrom('install', 'uninstall', 'enabled', 'disabled', 'failing');
  const run = async (steps: readonly string[]): Promise<void> => {
    const [first, ...rest] = steps;
    if (first === undefined) return;
    if (first === 'install') installCache(MEMORY);
    else if (first === 'uninstall') await uninstallCache();
    else if (first === 'enabled') return enabled(MEMORY, () => run(rest));
    else if (first === 'disabled') return disabled(() => run(rest));
    else await enabled(MEMORY, () => Promise.reject(new Error('mine'))).catch(() => {});
    return run(rest);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), async (one, two) => {
      await Promise.all([run(one), run(two)]);
      await uninstallCache();
      expect([isInstalled(), isUntouched()]).toEqual([false, true]);
    }),
    { numRuns: 100 },
  );
});

test('1,000 interleavings of a task inside cacheDisabled and one outside are never mixed up', async () => {
  await using bench = await startBench();
  await bench.api.get('/');
  const adapter = async (config: object) => ({
    data: 'origin',
    status: 200,
    statusText: 'OK',
    headers: {},
    config: config as never,
  });
  const pause = (seed: number) =>
    seed % 3 === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(resolve));
  const outcomes = await Promise.all(
    Array.from({ length: 1_000 }, async (_, seed) => {
      const ask = async () => {
        await pause(seed);
        return (await bench.api.get('/', { adapter })).fromCache;
      };
      return Promise.all([bench.api.cacheDisabled(ask), ask()]);
    }),
  );
  expect(outcomes.every(([inside, outside]) => inside === false && outside === true)).toBe(true);
});

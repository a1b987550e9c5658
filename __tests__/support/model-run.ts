import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import axios, { type AxiosRequestConfig } from 'axios';
import fc from 'fast-check';
import { internalsOf } from '../../lib/cache/internals.js';
import type { CacheRequest } from '../../lib/models/cache-request.js';
import { createKey, type KeyRules } from '../../lib/request/cache-key.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { type CachedAxiosInstance, setupCache } from '../../lib/setup-cache.js';
import '../../lib/conversion/types.js';
import { TestClock } from './clock.js';
import { until } from './faults.js';
import { INVALIDATED_GROUP, LIFETIME, type ModelInvalidation, STALE_WHILE_REVALIDATE, USERS, World } from './model.js';
import { AVERAGE_STEPS, type GetStep, program, type Step, textOf, type WriteStep } from './model-program.js';
import { startOrigin } from './origin.js';

/** Two instances on one store. */
type OpenInstances = (options: CacheOptions, clock: TestClock) => readonly CachedAxiosInstance[];

/** The numbers of one run. */
interface ModelRun {
  steps: number;
  requests: number;
  hits: number;
}

/** Milliseconds within which a request arrives at an origin, unless it joins another one. */
const ARRIVAL = 20;

/**
 * Runs random programs until so many steps are done.
 *
 * @throws an Error with the shortest program that gives a wrong response
 */
export async function runModel(
  open: OpenInstances,
  { steps, seed, cacheControl }: { readonly steps: number; readonly seed: number; readonly cacheControl: boolean },
): Promise<ModelRun> {
  let world: World | undefined;
  const start = async (): Promise<Awaited<ReturnType<typeof startOrigin>>> => {
    const origin: Awaited<ReturnType<typeof startOrigin>> = await startOrigin((asked, response) =>
      world?.handle(origin.url, asked, response),
    );
    return origin;
  };
  await using first = await start();
  await using second = await start();
  const run: ModelRun = { steps: 0, requests: 0, hits: 0 };
  const property = fc.asyncProperty(program, async (all) => {
    const clock = new TestClock();
    world = new World(clock, cacheControl);
    const options = { expireAfter: LIFETIME, cacheControl, backendOptions: { backendTimeout: 30 } };
    const instances = open(options as CacheOptions, clock);
    try {
      await new Program(world, clock, instances, [first.url, second.url], cacheControl, run).run(all);
    } finally {
      world.release();
      for (const instance of instances) await instance.detachCache?.();
    }
  });
  const numRuns = Math.ceil(steps / AVERAGE_STEPS);
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns });
  if (failed) {
    const [shortest = []] = counterexample ?? [];
    throw new Error(`${errorInstance}\nSeed ${seed}. The shortest program:\n${textOf(shortest)}`);
  }
  return run;
}

/** The run of one program. */
class Program {
  readonly #world: World;
  readonly #clock: TestClock;
  readonly #instances: readonly CachedAxiosInstance[];
  readonly #origins: readonly string[];
  readonly #cacheControl: boolean;
  readonly #run: ModelRun;
  readonly #pending = new Set<Promise<void>>();
  #fault: Error | undefined;

  constructor(
    world: World,
    clock: TestClock,
    instances: readonly CachedAxiosInstance[],
    origins: readonly string[],
    cacheControl: boolean,
    run: ModelRun,
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#instances = instances;
    this.#origins = origins;
    this.#cacheControl = cacheControl;
    this.#run = run;
    world.targets.set(this.#url('0/r'), this.#url('0/a'));
    world.targets.set(this.#url('0/p'), this.#url('0/r'));
    world.targets.set(this.#url('1/r'), this.#url('0/a'));
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of [...steps, { do: 'release' } as const]) {
      this.#run.steps += 1;
      await this.#take(step);
      if (this.#fault) break;
    }
    this.#world.release();
    await Promise.all(this.#pending);
    if (this.#fault) throw this.#fault;
  }

  async #take(step: Step): Promise<void> {
    const world = this.#world;
    switch (step.do) {
      case 'get':
        return this.#start(this.#get(step), step.wait);
      case 'write':
        return this.#start(this.#write(step), step.wait);
      case 'hold':
        return world.hold(this.#url(step.url));
      case 'release':
        world.release();
        await Promise.all(this.#pending);
        return;
      case 'fail':
        world.failing.add(this.#url(step.url));
        return;
      case 'heal':
        world.failing.delete(this.#url(step.url));
        return;
      case 'redirect':
        world.targets.set(this.#url(step.url), this.#url(step.to));
        return;
      case 'vary':
        world.vary.set(this.#url(step.url), step.names);
        return;
      case 'advance':
        return this.#clock.advance(step.seconds);
      default:
        return this.#manage(step);
    }
  }

  /** Waits for a request, unless an origin delays it. */
  async #start(request: Promise<void>, wait: boolean): Promise<void> {
    const tracked = request.then(
      () => void this.#pending.delete(tracked),
      (error: Error) => {
        this.#fault ??= error;
      },
    );
    this.#pending.add(tracked);
    if (!wait) return;
    if (!this.#world.isHolding) return tracked;
    await Promise.race([tracked, this.#world.nextHeld, pause(ARRIVAL)]);
  }

  async #get(step: GetStep): Promise<void> {
    const { user, fields, cache, option } = step;
    const url = this.#url(step.url);
    const tags = step.tag === undefined ? [] : [step.tag];
    const flags = {
      forceRefresh: option === 'forceRefresh',
      oldDataOnError: option === 'oldDataOnError',
      staleWhileRevalidate: option === 'staleWhileRevalidate',
    };
    const request = this.#world.begin({ cache, url, user, fields, tags, ...flags });
    const config: AxiosRequestConfig = {
      url,
      headers: { ...USERS[user], ...fields, 'X-Request-Id': String(request.id) },
      validateStatus: null,
      tags,
      ...(flags.forceRefresh ? { forceRefresh: true } : {}),
      ...(flags.oldDataOnError ? { oldDataOnError: true } : {}),
      ...(flags.staleWhileRevalidate ? { staleWhileRevalidate: STALE_WHILE_REVALIDATE } : {}),
      ...(option === 'stream' ? { responseType: 'stream' } : {}),
    };
    const response = await this.#instance(cache).request(config);
    const { status, fromCache } = response;
    let { data } = response;
    if (option === 'stream') {
      const body = await text(data);
      data = body.startsWith('{') ? JSON.parse(body) : body;
    }
    this.#run.requests += 1;
    if (fromCache) this.#run.hits += 1;
    const fault = this.#world.faultOf(request, { status, data });
    if (fault !== undefined) throw new Error(`${JSON.stringify(step)} got ${fault}; ${response.cacheStatus}`);
    await response.refreshed?.catch(() => {});
    this.#world.end(request);
  }

  async #write({ method, url, user, cache, invalidates, other, tag, group }: WriteStep): Promise<void> {
    const what = {
      own: { url: this.#url(url) },
      pattern: { pattern: this.#url(other), inBackground: true },
      tag: { tag },
      none: undefined,
    }[invalidates];
    const option = {
      own: true as const,
      pattern: this.#url(other),
      tag: { tags: [tag] },
      none: undefined,
    }[invalidates];
    const base = { cache, url: this.#url(url), user, fields: {}, tags: [] };
    const flags = { forceRefresh: false, oldDataOnError: false, staleWhileRevalidate: false };
    const request = this.#world.begin({ ...base, ...flags });
    const { status, headers } = await this.#instance(cache).request({
      method,
      url: this.#url(url),
      headers: {
        ...USERS[user],
        'X-Request-Id': String(request.id),
        ...(group === undefined ? {} : { [INVALIDATED_GROUP]: group }),
      },
      validateStatus: null,
      ...(option === undefined ? {} : { invalidates: option }),
    });
    if (status !== 200) return;
    const began = Number(headers['x-arrived']);
    const all: (ModelInvalidation['what'] | undefined)[] = [what];
    if (this.#cacheControl) {
      all.push({ url: this.#url(url) });
      if (group !== undefined) all.push({ group, origin: new URL(this.#url(url)).origin });
    }
    for (const one of all) {
      if (one) this.#world.invalidate(one, cache, began).finished = this.#world.tick();
    }
  }

  async #manage(step: Exclude<Step, { do: 'get' | 'write' }>): Promise<void> {
    if (!('cache' in step)) return;
    const { cache } = this.#instance(step.cache);
    const remove = async (what: ModelInvalidation['what'], work: () => Promise<unknown>) => {
      const invalidation = this.#world.invalidate(what, step.cache);
      await work();
      invalidation.finished = this.#world.tick();
    };
    switch (step.do) {
      case 'deleteUrl':
        return remove({ url: this.#url(step.url) }, () => cache.deleteUrl(this.#url(step.url)));
      case 'deletePattern':
        return remove({ pattern: this.#url(step.url), inBackground: false }, () =>
          cache.delete({ urls: [`${this.#url(step.url)}*`] }),
        );
      case 'updateUrl':
        return this.#update({ url: this.#url(step.url) }, step.cache, this.#url(step.url));
      case 'updateKey': {
        const [url, { user }] = [this.#url(step.url), step];
        return this.#update({ key: { url, user } }, step.cache, { url, headers: { ...USERS[user] } });
      }
      case 'recreateKeys':
        return this.#recreateKeys(step.cache);
      case 'deleteTag':
        return remove({ tag: step.tag }, () => cache.delete({ tags: [step.tag] }));
      case 'deleteKey': {
        const [url, { user }] = [this.#url(step.url), step];
        const key = await cache.createKey({ url, headers: { ...USERS[user] } });
        return remove({ key: { url, user } }, () => cache.delete(key));
      }
      case 'clear':
        return remove('everything', () => cache.clear());
      case 'removeAll':
        return remove('everything', () => cache.removeExpiredResponses(0));
      case 'removeExpired':
        await cache.removeExpiredResponses();
    }
  }

  /**
   * Changes `keyFn` of all instances while no request is in flight and no other cache deletes by a pattern, and moves the
   * stored responses to the new keys.
   */
  async #recreateKeys(index: number): Promise<void> {
    this.#world.release();
    await Promise.all(this.#pending);
    for (const { cache } of this.#instances) {
      if (cache === this.#instance(index).cache) continue;
      const { invalidations } = internalsOf(cache).repository;
      await until('nothing is deleted in the background', () => invalidations.pending.size === 0);
    }
    const isSet = this.#instance(index).cacheSettings.keyFn !== undefined;
    const keyFn = (request: CacheRequest, rules: KeyRules) => `other ${createKey(request, rules)}`;
    for (const { cacheSettings } of this.#instances) cacheSettings.keyFn = isSet ? undefined : keyFn;
    await this.#instance(index).cache.recreateKeys();
    this.#world.keysRecreated();
  }

  async #update(what: Parameters<World['update']>[0], index: number, target: string | object): Promise<void> {
    const update = this.#world.update(what, index);
    const changed = await this.#instance(index).cache.updateResponse(target, ({ data }) => {
      return { ...data, updates: [...(data.updates ?? []), update.id] };
    });
    if (changed > 0) update.finished = this.#world.tick();
  }

  #url(name: string): string {
    return `${this.#origins[Number(name[0])]}${name.slice(1)}`;
  }

  #instance(index: number): CachedAxiosInstance {
    return this.#instances[index] as CachedAxiosInstance;
  }
}

/** Two instances that share one cache in memory. */
export const shareMemory: OpenInstances = (options, clock) => {
  const first = setupCache(axios.create(), { ...options, backend: 'memory' }, clock);
  const { backendOptions: _, ...rest } = options as { readonly backendOptions?: object };
  return [first, setupCache(axios.create(), { ...rest, backend: first.cache }, clock)];
};

/** Two caches on one SQLite file, as in two processes; each call opens another file. */
export function shareFile(cacheName: string): OpenInstances {
  let opened = 0;
  return (options, clock) => {
    opened += 1;
    const own = { ...options, backend: 'sqlite' as const, cacheName: `${cacheName}-${opened}` };
    return [0, 1].map(() => setupCache(axios.create(), own, clock));
  };
}

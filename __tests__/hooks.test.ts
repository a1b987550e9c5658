import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import type { CacheOptions } from '../lib/settings/types.js';
import { setupCache } from '../lib/setup-cache.js';
import { counting, startOrigin } from './support/origin.js';

/**
 * Whatever a user's function throws: the caller gets that error or the answer, and the next request for the same key
 * works.
 */

let thrown = 0;

function fail(): never {
  thrown += 1;
  throw new Error('thrown by a hook');
}

/** Throws at its first `times` calls, and is quiet afterwards. */
function failing<T>(result: T, times = 1) {
  let calls = 0;
  return (given?: unknown): T => {
    calls += 1;
    return calls <= times ? fail() : ((result ?? given) as T);
  };
}

interface Case {
  readonly options?: CacheOptions;
  readonly config?: AxiosRequestConfig;
  /** Done to the instance before it gets its cache, and after. */
  readonly before?: (instance: AxiosInstance) => unknown;
  readonly after?: (instance: AxiosInstance) => unknown;
  /** The response of the first caller. */
  readonly first: 'error' | 'answer';
  readonly url?: string;
  /** Of the last request, which is a hit. Default: `config`. */
  readonly later?: AxiosRequestConfig;
}

const rejecting = async () => fail();

const cases: Record<string, () => Case> = {
  'request interceptor registered before': () => ({
    before: (instance) => instance.interceptors.request.use(failing(undefined) as never),
    first: 'error',
  }),
  'request interceptor registered after': () => ({
    after: (instance) => instance.interceptors.request.use(failing(undefined) as never),
    first: 'error',
  }),
  'response interceptor registered before': () => ({
    before: (instance) => instance.interceptors.response.use(failing(undefined) as never),
    first: 'error',
  }),
  'response interceptor registered after': () => ({
    after: (instance) => instance.interceptors.response.use(failing(undefined) as never),
    first: 'error',
  }),
  transformRequest: () => ({ config: { transformRequest: failing(undefined) as never }, first: 'error' }),
  transformResponse: () => ({ config: { transformResponse: failing(undefined) as never }, first: 'error' }),
  paramsSerializer: () => ({
    config: { params: { a: 1 }, paramsSerializer: { serialize: failing('a=1', 2) as never } },
    first: 'error',
  }),
  validateStatus: () => ({ config: { validateStatus: failing(true) as never }, first: 'error' }),
  beforeRedirect: () => ({
    url: '/moved',
    config: { beforeRedirect: failing(undefined) as never },
    first: 'error',
    // A stored response does not answer a request with a beforeRedirect of unknown effect.
    later: {},
  }),
  filterFn: () => ({ options: { filterFn: failing(true) as never }, first: 'answer' }),
  'filterFn, async': () => {
    let calls = 0;
    return { options: { filterFn: () => (calls++ === 0 ? rejecting() : Promise.resolve(true)) }, first: 'answer' };
  },
  'expireAfter function': () => ({ options: { expireAfter: failing(60) as never }, first: 'answer' }),
  keyFn: () => ({ options: { keyFn: failing('the-key') as never }, first: 'error' }),
  credentials: () => ({ options: { credentials: failing('me') as never }, first: 'error' }),
  onEvent: () => ({ options: { onEvent: failing(undefined, 1_000) as never }, first: 'answer' }),
  'serializer dumps': () => {
    const hook = failing(undefined);
    const dumps = (value: unknown) => {
      hook();
      return JSON.stringify(value);
    };
    return {
      options: { serializer: { name: 'own', dumps, loads: (data) => JSON.parse(String(data)) } },
      first: 'answer',
    };
  },
  'serializer loads': () => {
    const hook = failing(undefined);
    const loads = (data: unknown) => {
      hook();
      return JSON.parse(String(data));
    };
    return { options: { serializer: { name: 'own', dumps: JSON.stringify, loads } }, first: 'answer' };
  },
};

describe.each(Object.entries(cases))('%s', (_, make) => {
  test('the caller gets the error or the answer, and the next request works', async () => {
    await using origin = await startOrigin((request, response, count) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/a' }).end();
      else counting(request, response, count);
    });
    const { options, config = {}, before, after, first, url = '/a', later = config } = make();
    thrown = 0;
    const instance = axios.create({ baseURL: origin.url });
    before?.(instance);
    const api = setupCache(instance, { backend: 'memory', ...options });
    after?.(api);
    const outcome = await api.get(url, config).then(
      ({ data }) => `answer ${data === undefined ? '' : 'whole'}`,
      (error: Error) => `error ${error.message}`,
    );
    expect(outcome).toMatch(first === 'error' ? /^error .*thrown by a hook$/ : /^answer whole$/);
    const again = await api.get(url, config);
    const answered = origin.asked.filter((asked) => asked.url === '/a').length;
    expect([again.status, answered <= 2]).toEqual([200, true]);
    expect((await api.get(url, later)).fromCache).toBe(true);
    expect(thrown).toBeGreaterThan(0);
    await api.detachCache();
  });
});

test('a backend whose every operation throws, synchronously or not', async () => {
  await using origin = await startOrigin();
  const throwing = () => {
    throw new Error('thrown by a backend');
  };
  for (const operation of [throwing, rejecting]) {
    const adapter = {
      get: operation,
      set: operation,
      delete: operation,
      clear: operation,
      opts: {},
      on: () => adapter,
    };
    const events: string[] = [];
    const api = setupCache(axios.create({ baseURL: origin.url }), {
      backend: adapter as never,
      onEvent: ({ type }) => events.push(type),
    });
    for (const url of ['/a', '/a', '/b']) expect((await api.get(url)).status).toBe(200);
    expect(events).toContain('error');
    await api.detachCache();
  }
});

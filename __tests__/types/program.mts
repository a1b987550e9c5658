import axios from 'axios';
import {
  BaseCache,
  CachedAxios,
  type CachedAxiosInstance,
  type CachedAxiosResponse,
  CacheError,
  CacheMixin,
  cachingAdapter,
  installCache,
  MemoryCache,
  setupCache,
} from 'axios-keyv-cache';
import { RedisCache } from 'axios-keyv-cache/redis';
import { SqliteCache } from 'axios-keyv-cache/sqlite';

/** Compiled in a project that has the packed package: as ES module and as CommonJS, by several versions of TypeScript. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

interface Item {
  readonly id: number;
}

// The extras of a set-up instance are there.
const api = setupCache(axios.create(), { expireAfter: '6m', allowableCodes: [200] });
export async function verbs(): Promise<void> {
  const got = await api.get<Item>('http://localhost/', { expireAfter: { minutes: 1 }, refresh: true });
  same<typeof got.data, Item>(true);
  same<typeof got.fromCache, boolean>(true);
  same<typeof got.cacheStatus, string>(true);
  same<typeof got.expires, Date | null | undefined>(true);
  same<typeof got.history.length, number>(true);
  for (const response of [
    await api('http://localhost/'),
    await api({ url: 'http://localhost/' }),
    await api.request({ url: 'http://localhost/' }),
    await api.head('http://localhost/'),
    await api.options('http://localhost/'),
    await api.delete('http://localhost/'),
    await api.post('http://localhost/', { a: 1 }),
    await api.put('http://localhost/', { a: 1 }),
    await api.patch('http://localhost/', { a: 1 }),
    await api.postForm('http://localhost/', { a: 1 }),
    await api.putForm('http://localhost/', { a: 1 }),
    await api.patchForm('http://localhost/', { a: 1 }),
  ]) {
    same<typeof response.fromCache, boolean>(true);
  }
  const own = await api.get<Item, Item>('http://localhost/');
  same<typeof own, Item>(true);
}

// Children of a set-up instance have the cache, instances of axios.create() do not.
const child = api.create({ timeout: 1 });
same<typeof child, CachedAxiosInstance>(true);
export const ofChild: Promise<boolean> = child
  .create()
  .get('http://localhost/')
  .then((response) => response.fromCache);
void child.cacheSettings.expireAfter;
// @ts-expect-error
void setupCache(axios).create().cache;
void setupCache(axios).Axios;

// Plain instances may have no extras.
export async function plain(): Promise<void> {
  const { fromCache } = await axios.get('http://localhost/');
  same<typeof fromCache, boolean | undefined>(true);
  const either = Math.random() > 0.5 ? api : axios.create();
  const { data } = await either.get<Item>('http://localhost/');
  same<typeof data, Item>(true);
}

// A set-up instance is an axios instance, and its responses are axios responses.
export function acceptsPlain(instance: ReturnType<typeof axios.create>): void {
  void instance;
}
acceptsPlain(api);
acceptsPlain(new CachedAxios());
export const typed: Promise<CachedAxiosResponse<Item>> = api.get<Item>('http://localhost/');
child.interceptors.response.use((response) => (response.cacheStatus ? response : response));

// Subclasses.
class Client extends CacheMixin(axios.Axios) {
  list() {
    return this.get<Item[]>('/items');
  }
}
export const listed: Promise<boolean> = new Client({}, { backend: 'memory' }).list().then(({ fromCache }) => fromCache);
class Api extends CachedAxios {
  list() {
    return this.get<Item[]>('/items').then(({ data, fromCache }) => [data.length, fromCache] as const);
  }
}
export const tuple: Promise<readonly [number, boolean]> = new Api({}, { expireAfter: -1 }).list();
export const count: Promise<number> = new CachedAxios({}, { expireAfter: -1 }).cache.responseCount();

// Functions of the response.
setupCache(axios.create(), { filterFn: (response) => response.data.ok === true });
setupCache(axios.create(), { filterFn: async (response) => response.headers.get('content-type') === 'text/plain' });
setupCache(axios.create(), { expireAfter: (response) => (response.status === 404 ? '1m' : undefined) });
setupCache(axios.create(), { credentials: (config) => String(config.headers.get('x-user')) });
setupCache(axios.create(), { keyFn: (request) => request.url });

// Errors and caches narrow.
export function narrow(value: unknown): string | undefined {
  if (value instanceof CacheError) return value.code;
  if (value instanceof BaseCache) return value.stats().hit.toFixed();
  return undefined;
}
export const bytes: Promise<Uint8Array | undefined> = api.cache.getResponse('key').then((response) => response?.body);

// Patching, adapters, management.
installCache({ copies: [axios], instanceFactory: (instance, options) => setupCache(instance, options) });
const adapter = cachingAdapter({ backend: MemoryCache });
axios.create({ adapter });
void adapter.close();
void api.prefetch(['http://localhost/', { url: '/a' }], { concurrency: 2, onProgress: ({ done }) => void done });
api.cacheDisabled().dispose();
export const disabled: Promise<boolean> = api.cacheDisabled(() => api.get('/')).then(({ fromCache }) => fromCache);

// Backends and their options.
setupCache(axios.create(), { backend: RedisCache, cacheName: 'child' });
setupCache(axios.create(), { backend: new SqliteCache({ cacheName: 'child' }) });
setupCache(axios.create(), { backend: 'sqlite', backendOptions: { busyTimeout: 1 } });
setupCache(axios.create(), {
  backend: 'redis',
  backendOptions: { clusterOptions: { rootNodes: [{ url: 'redis://a' }] } },
});

// Wrong options.
// @ts-expect-error
setupCache(axios.create(), { expireAfterwards: 1 });
// @ts-expect-error
setupCache(axios.create(), { backend: 'memory', backendOptions: { busyTimeout: 1 } });
// @ts-expect-error
setupCache(axios.create(), { backend: 'redis', backendOptions: { sentinelOptions: 'redis://a' } });
// @ts-expect-error
setupCache(axios.create(), { backend: 'mongodb', backendOptions: { clusterOptions: {} } });
// @ts-expect-error
api.get('http://localhost/', { allowableCodes: '200' });
// @ts-expect-error
api.get('http://localhost/', { backend: 'memory' });
// @ts-expect-error
api.prefetch([1]);

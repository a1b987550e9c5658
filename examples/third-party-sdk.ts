// Three ways to cache the requests of an SDK that uses axios.
import axios, { type AxiosAdapter, type AxiosInstance } from 'axios';
import { cachingAdapter, enabled, setupCache } from 'axios-keyv-cache';

class Sdk {
  readonly #http: AxiosInstance;
  constructor({ instance, adapter }: { instance?: AxiosInstance; adapter?: AxiosAdapter } = {}) {
    this.#http = instance ?? axios.create({ baseURL: 'https://example.org', ...(adapter ? { adapter } : {}) });
  }
  user = async (id: number) => (await this.#http.get(`/users/${id}`)).cacheStatus;
}

// 1. It accepts an instance.
const instance = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory' });
console.log(await new Sdk({ instance }).user(1));
await instance.detachCache();

// 2. It accepts an adapter.
const adapter = cachingAdapter({ backend: 'memory' });
console.log(await new Sdk({ adapter }).user(1));
await adapter.close();

// 3. It accepts nothing: all instances, while the function runs. Pass `copies` if the SDK has an axios of its own.
await enabled({ backend: 'memory' }, async () => {
  const sdk = new Sdk();
  console.log(await sdk.user(1), await sdk.user(1));
});

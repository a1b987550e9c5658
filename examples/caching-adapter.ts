// For SDKs that accept an adapter, but no instance of axios.
import axios, { type AxiosAdapter } from 'axios';
import { cachingAdapter } from 'axios-keyv-cache';

/** An SDK that makes its own instance. */
class Sdk {
  readonly #http;

  constructor(options: { readonly adapter?: AxiosAdapter }) {
    this.#http = axios.create({ baseURL: 'https://example.org', ...options });
  }

  async report(name: string): Promise<unknown> {
    return (await this.#http.get(`/reports/${name}`)).data;
  }
}

const adapter = cachingAdapter({ backend: 'memory', expireAfter: '1h' });
const sdk = new Sdk({ adapter });
console.log(await sdk.report('sales'), await sdk.report('sales'));
console.log(adapter.cache.stats().hit); // 1
await adapter.close();

// NestJS: HttpService wraps an axios instance, which setupCache sets up in place. Without the framework, so that it runs here.
import axios, { type AxiosInstance } from 'axios';
import { type CachedAxiosInstance, setupCache } from 'axios-keyv-cache';

/** In a module: `constructor(http: HttpService) {}` and `onModuleInit() { this.api = withCache(http.axiosRef); }`. */
export function withCache(axiosRef: AxiosInstance): CachedAxiosInstance {
  return setupCache(axiosRef, { backend: 'memory', expireAfter: '5m' });
}

export class UsersService {
  readonly #api: CachedAxiosInstance;

  constructor(http: { readonly axiosRef: AxiosInstance }) {
    this.#api = withCache(http.axiosRef);
  }

  async find(id: number): Promise<unknown> {
    return (await this.#api.get(`/users/${id}`)).data;
  }

  /** Closes the store when the application ends. */
  onApplicationShutdown(): Promise<void> {
    return this.#api.detachCache();
  }
}

const users = new UsersService({ axiosRef: axios.create({ baseURL: 'https://example.org' }) });
console.log(await users.find(1), await users.find(1));
await users.onApplicationShutdown();

// A limit for requests to the origin alone: it is in the adapter, which a hit does not reach.
import axios, { type AxiosAdapter, getAdapter } from 'axios';
import { setupCache } from 'axios-keyv-cache';

/** At most one request in so many milliseconds. */
function limited(milliseconds: number): AxiosAdapter {
  const send = getAdapter(['http', 'fetch']);
  let next = 0;
  return async (config) => {
    const wait = Math.max(0, next - Date.now());
    next = Math.max(next, Date.now()) + milliseconds;
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return send(config);
  };
}

const api = setupCache(axios.create({ baseURL: 'https://example.org', adapter: limited(50) }), { backend: 'memory' });
for (const id of [1, 2, 1, 2, 1, 2]) await api.get(`/items/${id}`); // two requests wait at most
console.log(api.cache.stats().hit); // 4
await api.detachCache();

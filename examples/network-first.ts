// Asks the origin first; answers from the cache if it is slow or cannot be reached.
import axios, { AxiosError } from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  // After 2 seconds the stored response answers, and the request continues. `true` waits for the origin.
  networkFirst: '2s',
});

await api.get('/timetable');
const online = await api.get('/timetable');
console.log(online.revalidated); // true: the origin answered in time, and confirmed the stored response

// Another instance over the same cache, whose requests fail.
const unreachable = axios.create({ baseURL: 'https://example.org' });
unreachable.defaults.adapter = (config) => Promise.reject(new AxiosError('offline', AxiosError.ERR_NETWORK, config));
const offline = setupCache(unreachable, { backend: api.cache, networkFirst: true });
const stored = await offline.get('/timetable');
console.log(stored.fromCache, stored.cacheStatus); // true
await offline.detachCache();
await api.detachCache();

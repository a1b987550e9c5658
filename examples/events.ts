// Prints the events of the cache.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  onEvent: ({ type, url, reason }) => console.log(type, url, reason),
});

await api.get('/a?token=never-seen-in-events');
await api.get('/a?token=never-seen-in-events');
console.log(api.cache.stats());
await api.detachCache();

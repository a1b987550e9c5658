// The second request is answered from SQLite, in this process and in the next.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { cacheName: 'basic', expireAfter: '6m' });

for (const attempt of [1, 2]) {
  const { fromCache, cacheStatus } = await api.get('/slow');
  console.log(attempt, fromCache, cacheStatus);
}
await api.detachCache();

// Responses in Redis, shared by machines; the lease lets one of them ask the origin.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'redis',
  cacheName: 'example',
  lease: true,
  backendOptions: { url: process.env.REDIS_URL ?? 'redis://localhost:6379', retention: '1d' },
});
await api.cache.ready();

for (const attempt of [1, 2]) {
  const { fromCache } = await api.get('/slow');
  console.log(attempt, fromCache);
}
await api.cache.clear();
await api.detachCache();

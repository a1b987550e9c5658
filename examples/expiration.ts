// Lifetimes by response, request, URL and instance.
import axios from 'axios';
import { DO_NOT_CACHE, NEVER_EXPIRE, setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  expireAfter: { hours: 1 },
  urlsExpireAfter: [
    ['example.org/static/', NEVER_EXPIRE],
    ['example.org/live', DO_NOT_CACHE],
    [/\.json$/, (response) => (response.size > 1000 ? '1d' : undefined)],
  ],
});

for (const url of ['/page', '/static/logo.svg', '/live', '/list.json']) {
  const { expires, cacheStatus } = await api.get(url);
  console.log(url, expires, cacheStatus);
}
console.log((await api.get('/page?once', { expireAfter: '2030-01-01' })).expires);
await api.detachCache();

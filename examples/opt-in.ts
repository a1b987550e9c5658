// Nothing is cached but the requests that ask for it.
import axios from 'axios';
import { DO_NOT_CACHE, setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  expireAfter: DO_NOT_CACHE,
  urlsExpireAfter: { 'example.org/countries': '1d' },
});

await api.get('/orders');
console.log((await api.get('/orders')).cacheStatus); // ... detail=do-not-cache
await api.get('/countries');
console.log((await api.get('/countries')).fromCache); // true
await api.get('/prices', { expireAfter: '1m' });
console.log((await api.get('/prices', { expireAfter: '1m' })).fromCache); // true
await api.detachCache();

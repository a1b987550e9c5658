// Fills the cache before it is needed: asks for what is not stored, four requests at a time.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '1d' });
const pages = Array.from({ length: 20 }, (_, page) => ({ url: '/catalog', params: { page } }));

const result = await api.prefetch(pages, {
  concurrency: 4,
  onProgress: (progress) => console.log(progress),
});
console.log(result);

const { fromCache } = await api.get('/catalog', { params: { page: 7 } });
console.log(fromCache); // true
await api.detachCache();

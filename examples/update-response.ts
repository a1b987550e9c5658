// Changes a stored response after a mutation, so that the next reader needs no request.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '10m' });
await api.get('/items');

const { data: item } = await api.post('/items', { name: 'new' });
const changed = await api.cache.updateResponse({ url: '/items' }, ({ data }) => ({ ...data, newest: item }));
console.log(`${changed} changed`);

const { fromCache, data } = await api.get('/items');
console.log(fromCache, data);
await api.detachCache();

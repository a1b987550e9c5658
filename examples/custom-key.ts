// A key of your own: here the order of the list in `ids` does not distinguish requests.
import axios from 'axios';
import { createKey, setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  keyFn(request, settings) {
    const url = new URL(request.url);
    const ids = url.searchParams.get('ids');
    if (ids !== null) url.searchParams.set('ids', ids.split(',').sort().join(','));
    return createKey({ ...request, url: url.href }, settings);
  },
});

await api.get('/items', { params: { ids: '1,2,3' } });
console.log((await api.get('/items', { params: { ids: '3,2,1' } })).fromCache); // true
await api.detachCache();

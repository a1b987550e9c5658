// QUERY (RFC 10008): a safe request with a body. Cached by default with `cacheControl`, by content and Content-Type.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', cacheControl: true });
const search = (query: object) => api.request({ method: 'QUERY', url: '/contacts', data: query });

await search({ name: 'a', limit: 10 });
const same = await search({ limit: 10, name: 'a' });
const other = await search({ name: 'b', limit: 10 });
console.log(same.fromCache, other.fromCache); // true false: the order of members does not count

// A QUERY invalidates nothing; a change of the resource invalidates its QUERY responses too.
await api.post('/contacts', { name: 'c' });
const after = await search({ name: 'a', limit: 10 });
console.log(after.fromCache); // false
await api.detachCache();

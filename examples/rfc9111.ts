// As RFC 9111 has it: headers of both sides decide.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', cacheControl: true });

const fresh = await api.get('/page', { headers: { 'Cache-Control': 'max-age=60' } });
const cached = await api.get('/page', { headers: { 'Cache-Control': 'only-if-cached' }, validateStatus: null });
console.log(fresh.cacheStatus, cached.status, cached.headers.age);
await api.detachCache();

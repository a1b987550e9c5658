// From one backend to another, with lifetimes, variants, redirects and tags.
import axios from 'axios';
import { FileCache, SqliteCache, setupCache } from 'axios-keyv-cache';

const from = new FileCache({ cacheName: 'old_cache' });
const before = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: from, expireAfter: '1d' });
await before.get('/users/1');
await before.detachCache();

const to = new SqliteCache({ cacheName: 'new_cache' });
await to.update(from);
const after = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: to });
console.log((await after.get('/users/1')).fromCache); // true
await after.detachCache();
await Promise.all([from.close(), to.close()]);

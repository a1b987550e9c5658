// Removes what depends on a record by its tag, after a mutation and by hand.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  expireAfter: '1h',
  // Of the instance; those of a request are added.
  tags: (response) => (response.url.includes('/users') ? 'users' : undefined),
});

const { tags } = await api.get('/users/1', { tags: ['user:1'] });
console.log(tags); // [ 'user:1', 'users' ]
await api.get('/users/2', { tags: ['user:2'] });
await api.get('/news', { tags: ['news', 'user:1'] });

// After the answer, unless it is an error.
await api.patch('/users/1', { name: 'new' }, { invalidates: { tags: ['user:1'] } });
console.log(await api.cache.responseCount()); // 1: /users/2

// Stale, but kept: revalidated by its ETag, and still usable if the origin fails.
await api.cache.resetExpiration(0, { tags: 'users' });
const { revalidated, isExpired } = await api.get('/users/2');
console.log(revalidated, isExpired);

console.log(await api.cache.delete({ tags: 'users' }), 'deleted');
await api.detachCache();

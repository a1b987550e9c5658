// A request that changes data removes the stored responses that it makes out of date.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '1h' });

await api.get('/articles');
await api.get('/articles/1', { tags: ['article-1'] });
await api.get('/feed', { tags: ['article-1', 'article-2'] });

// Its own URL alone.
await api.patch('/articles/1', { title: 'Newer' }, { invalidates: true });

// Its own URL, everything below /articles, and all responses with the tag.
await api.put('/articles/1', { title: 'New' }, { invalidates: { urls: ['/articles'], tags: ['article-1'] } });

console.log((await api.get('/feed')).fromCache); // false
await api.detachCache();

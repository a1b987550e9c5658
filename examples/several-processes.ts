// Several processes share a file. With `lease`, one of them asks the origin for a key, and the others read its response.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const options = { backend: 'sqlite', cacheName: 'shared', expireAfter: '10m', lease: true } as const;
const first = setupCache(axios.create({ baseURL: 'https://example.org' }), options);
const second = setupCache(axios.create({ baseURL: 'https://example.org' }), options); // as in another process

const responses = await Promise.all([first.get('/report'), second.get('/report')]);
console.log(responses.map(({ fromCache }) => fromCache)); // one of them asked the origin
await Promise.all([first.detachCache(), second.detachCache()]);

// Stores a response that was obtained elsewhere, reads a cache outside of any request, and copies it into another
// backend.
import axios from 'axios';
import { FileCache, MemoryCache } from 'axios-keyv-cache';

const memory = new MemoryCache();
const key = await memory.saveResponse(await axios.get('https://example.org/slow'), { expireAfter: '1d' });
console.log(String(await memory.getResponse(key)));

const files = new FileCache({ cacheName: 'copied' });
await files.update(memory, { onProgress: ({ copied, total }) => console.log(`${copied} of ${total}`) });
for await (const response of files.filter({ valid: true, expired: false })) console.log(String(response));

for (const cache of [memory, files]) await cache.close();

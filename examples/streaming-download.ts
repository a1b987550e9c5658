// A stream arrives as it does without a cache, and is stored after its end. Bodies above `maxBodySize` are not stored.
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'filesystem',
  cacheName: 'downloads',
  maxBodySize: 512 * 1024 * 1024,
});
for (const _ of [1, 2]) {
  const response = await api.get('/large', { responseType: 'stream' });
  await pipeline(response.data, createWriteStream('large.bin'));
  console.log(response.fromCache); // false, true
}
await api.detachCache();

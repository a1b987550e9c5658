// Responses in MongoDB, and those over 16 MB in its GridFS.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const url = process.env.MONGODB_URL ?? 'mongodb://127.0.0.1:27017';

for (const backend of ['mongodb', 'gridfs'] as const) {
  const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
    backend,
    cacheName: `example_${backend}`,
    backendOptions: { url },
  });
  await api.cache.ready();
  for (const attempt of [1, 2]) {
    const { fromCache } = await api.get('/slow');
    console.log(backend, attempt, fromCache);
  }
  await api.cache.clear();
  await api.detachCache();
}

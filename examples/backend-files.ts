// One readable file for each response, in a folder.
import { readdir } from 'node:fs/promises';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'filesystem',
  cacheName: 'example_files',
  serializer: 'yaml',
  backendOptions: { maxSize: 100_000_000 },
});
await api.get('/slow');
console.log(await readdir('example_files', { recursive: true }));
await api.detachCache();

import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const [, , cacheName, url, backend] = process.argv;
const api = setupCache(axios.create(), { cacheName, backend, onlyIfCached: true, oldDataOnError: true });
const start = performance.now();
const { fromCache, cacheStatus } = await api.get(url);
process.send({ fromCache, cacheStatus, milliseconds: performance.now() - start });
await api.detachCache();

// Stores responses with any Keyv adapter: PostgreSQL here.
import KeyvPostgres from '@keyv/postgres';
import axios from 'axios';
import { KeyvCache, setupCache } from 'axios-keyv-cache';

const uri = process.env.POSTGRES_URL ?? 'postgresql://postgres@localhost:5432/postgres';
const cache = new KeyvCache(new KeyvPostgres({ uri, table: 'http_cache' }), { cacheName: 'example' });
const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: cache });
await cache.ready();

for (const attempt of [1, 2]) {
  const { fromCache } = await api.get('/slow');
  console.log(attempt, fromCache);
}
console.log(await cache.responseCount(), 'stored');
await cache.clear();
await cache.close();

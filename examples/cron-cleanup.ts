// Run from cron: removes what has expired, and tells how much is left.
import { SqliteCache } from 'axios-keyv-cache';

const cache = new SqliteCache({ cacheName: 'basic' });
const { removed, kept } = await cache.removeExpiredResponses();
console.log(`${removed} removed, ${kept} kept`);
await cache.close();

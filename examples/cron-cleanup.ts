// Run by cron: removes expired responses, and prints the number of the others.
// `basic` is the file of basic.ts in the current folder. Cron starts in another folder: use an absolute path, or `~/`, in both.
import { SqliteCache } from 'axios-keyv-cache';

const cache = new SqliteCache({ cacheName: 'basic' });
const { removed, kept } = await cache.removeExpiredResponses();
console.log(`${removed} removed, ${kept} kept`);
await cache.close();

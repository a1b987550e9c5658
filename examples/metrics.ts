// Prints metrics in the text format of Prometheus: counters of the cache, and the time of its store from the channel.
import { subscribe } from 'node:diagnostics_channel';
import axios from 'axios';
import { type CacheEvent, setupCache } from 'axios-keyv-cache';

/** Upper bounds in seconds, with the number of observations up to each. */
const buckets = new Map([0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, Number.POSITIVE_INFINITY].map((le) => [le, 0]));
let [sum, count] = [0, 0];

subscribe('axios-keyv-cache', (message) => {
  const { storeDuration } = message as CacheEvent;
  if (storeDuration === undefined) return;
  sum += storeDuration;
  count += 1;
  for (const [le, number] of buckets) if (storeDuration <= le) buckets.set(le, number + 1);
});

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '1h' });
await Promise.all([api.get('/a'), api.get('/a'), api.get('/b')]);
await api.get('/a');

const { coalesced, bytesServed, bytesSaved, breaker, ...events } = api.cache.stats();
const lines = [
  '# TYPE http_cache_events_total counter',
  ...Object.entries(events).map(([type, number]) => `http_cache_events_total{type="${type}"} ${number}`),
  '# TYPE http_cache_coalesced_total counter',
  `http_cache_coalesced_total ${coalesced}`,
  '# TYPE http_cache_served_bytes_total counter',
  `http_cache_served_bytes_total ${bytesServed}`,
  '# TYPE http_cache_saved_bytes_total counter',
  `http_cache_saved_bytes_total ${bytesSaved}`,
  '# TYPE http_cache_store_up gauge',
  `http_cache_store_up ${breaker === 'closed' ? 1 : 0}`,
  '# TYPE http_cache_store_duration_seconds histogram',
  ...[...buckets].map(
    ([le, number]) =>
      `http_cache_store_duration_seconds_bucket{le="${le === Number.POSITIVE_INFINITY ? '+Inf' : le}"} ${number}`,
  ),
  `http_cache_store_duration_seconds_sum ${sum}`,
  `http_cache_store_duration_seconds_count ${count}`,
];
console.log(lines.join('\n'));
if (events.hit !== 2 || coalesced !== 1 || count < 5) throw new Error('the numbers are wrong');
await api.detachCache();

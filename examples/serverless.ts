// A serverless function: the instance outlives a call, and /tmp is the only place that can be written to.
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  cacheName: path.join(tmpdir(), 'serverless-example'),
  expireAfter: '5m',
  oldDataOnError: true,
});

export async function handler(event: { readonly path: string }) {
  const { data, cacheStatus } = await api.get(event.path);
  return { statusCode: 200, headers: { 'cache-status': cacheStatus }, body: JSON.stringify(data) };
}

console.log(await handler({ path: '/rates' }));
console.log(await handler({ path: '/rates' }));

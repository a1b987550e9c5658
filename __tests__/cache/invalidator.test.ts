import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';

/** `/start` redirects to `/middle`, which redirects to `/end`. */
const redirecting: Handler = ({ url }, response, count) => {
  const location = { '/start': '/middle', '/middle': '/end' }[url];
  if (location === undefined) sendJson(response, { count });
  else response.writeHead(302, { location }).end();
};

test.each([
  ['cache.delete', async (api, url) => void (await api.cache.delete({ urls: [`${url}*`] }))],
  ['cache.resetExpiration', (api, url) => api.cache.resetExpiration(0, { urls: [`${url}*`] })],
  ['cache.resetExpiration of the exact URL', (api, url) => api.cache.resetExpiration(0, { urls: url })],
  ['invalidates', async (api, url) => void (await api.post('/write', {}, { invalidates: url }))],
] as readonly (readonly [
  string,
  (api: Awaited<ReturnType<typeof startBench>>['api'], url: string) => Promise<void>,
])[])('a URL pattern of %s applies to a URL within a redirect chain', async (_, invalidate) => {
  await using bench = await startBench({}, redirecting);
  const { api, origin } = bench;
  for (const url of ['/start', '/middle', '/end']) {
    await api.get('/start', { refresh: true });
    expect((await api.get('/middle')).fromCache).toBe(true);
    await invalidate(api, `${origin.url}${url}`);
    expect((await api.get('/middle')).fromCache).toBe(false);
    await api.cache.clear();
  }
});

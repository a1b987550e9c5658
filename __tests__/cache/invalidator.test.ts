import { expect, test } from '@jest/globals';
import { internalsOf } from '../../lib/cache/internals.js';
import { NO_INVALIDATION } from '../../lib/cache/invalidations.js';
import type { Store } from '../../lib/stores/store.js';
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

test('a read is not served if its invalidation was pending when the store was asked, and carried out meanwhile', async () => {
  await using bench = await startBench();
  const { api, clock } = bench;
  await api.get('/a');
  const { breaker, repository } = internalsOf(api.cache);
  const store = breaker.store as { find: Store['find'] };
  const find = store.find.bind(store);
  const pending = { ...NO_INVALIDATION, everything: true, at: clock.now() };
  repository.invalidations.addPending(pending);
  store.find = async (id) => {
    const entry = await find(id);
    repository.invalidations.removePending(pending);
    return entry;
  };
  const response = await api.get('/a');
  expect([response.fromCache, response.data.count]).toEqual([false, 2]);
});

import { expect, test } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import axiosRetry from 'axios-retry';
import { setupCache } from '../../lib/setup-cache.js';
import { type Handler, sendJson, startOrigin } from '../support/origin.js';

const retrying = (instance: AxiosInstance) => {
  axiosRetry(instance, { retries: 3, retryDelay: () => 1 });
  return instance;
};

const orders = [
  ['before the cache', (instance: AxiosInstance) => setupCache(retrying(instance), { backend: 'memory' })],
  ['after the cache', (instance: AxiosInstance) => retrying(setupCache(instance, { backend: 'memory' }))],
] as const;

const failing = (fail: (response: Parameters<Handler>[1]) => void): Handler => {
  return (asked, response, count) => (count < 3 ? fail(response) : sendJson(response, { count, url: asked.url }));
};

test.each(orders)('set up %s: a retried response is stored, and a hit is not retried', async (_, setup) => {
  await using origin = await startOrigin(
    failing((response) => {
      response.statusCode = 503;
      response.end();
    }),
  );
  const api = setup(axios.create({ baseURL: origin.url }));
  const answers = [await api.get('/a'), await api.get('/a')];
  expect(answers.map(({ data, fromCache }) => [data.count, fromCache])).toEqual([
    [3, false],
    [3, true],
  ]);
});

test.each(orders)('set up %s: connections that break are retried', async (_, setup) => {
  await using origin = await startOrigin(failing((response) => void response.destroy()));
  const api = setup(axios.create({ baseURL: origin.url }));
  expect((await api.get('/a')).data.count).toBe(3);
  expect((await api.get('/a')).fromCache).toBe(true);
});

test.each(orders)('set up %s: a request that always fails rejects, and is sent again', async (_, setup) => {
  await using origin = await startOrigin((_asked, response) => {
    response.statusCode = 503;
    response.end();
  });
  const api = setup(axios.create({ baseURL: origin.url }));
  for (const total of [4, 8]) {
    await expect(api.get('/a')).rejects.toMatchObject({ response: { status: 503, fromCache: false } });
    expect(origin.asked).toHaveLength(total);
  }
});

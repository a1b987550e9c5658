import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { program } from '../support/child.js';
import { sendJson } from '../support/origin.js';

test('refreshed resolves to the response that the origin sent, transformed as the stale one', async () => {
  await using bench = await startBench({ expireAfter: 60, staleWhileRevalidate: true });
  const { api, clock } = bench;
  const config = { transformResponse: (data: string) => JSON.parse(data).count * 10 };
  expect((await api.get('/', config)).refreshed).toBeUndefined();
  expect((await api.get('/', config)).refreshed).toBeUndefined();
  clock.advance(61);
  const stale = await api.get('/', config);
  expect(stale.data).toBe(10);
  expect(await stale.refreshed).toMatchObject({ data: 20, status: 200, fromCache: false });
});

test('refreshed rejects if the refresh fails', async () => {
  await using bench = await startBench({ expireAfter: 60, staleWhileRevalidate: true }, (_, response, count) => {
    if (count === 1) sendJson(response, count);
    else if (count === 2) response.destroy();
    else response.writeHead(503).end();
  });
  const { api, clock } = bench;
  await api.get('/');
  clock.advance(61);
  await expect((await api.get('/')).refreshed).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect((await api.get('/')).refreshed).rejects.toMatchObject({ response: { status: 503 } });
});

test('a refresh that fails is no unhandled rejection, if nobody asks for its result', async () => {
  await using caller = program(`
    import axios from 'axios';
    import { setupCache } from './lib/index.js';
    let asked = 0;
    const adapter = async (config) => {
      asked += 1;
      if (asked === 1) return { data: 'x', status: 200, statusText: 'OK', headers: {}, config };
      throw new Error('refused');
    };
    const failures = [];
    const api = setupCache(axios.create({ adapter }), {
      backend: 'memory', expireAfter: 0.001, staleWhileRevalidate: true,
      onEvent: ({ type, error }) => type === 'error' && failures.push(error.message),
    });
    await api.get('http://a.example/');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { data, refreshed } = await api.get('http://a.example/');
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(JSON.stringify([data, refreshed instanceof Promise, asked, failures]));
  `);
  expect(JSON.parse(await caller.run())).toEqual(['x', true, 2, ['refused']]);
});

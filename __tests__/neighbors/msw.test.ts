import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import axios from 'axios';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { setupCache } from '../../lib/setup-cache.js';

let asked = 0;
const server = setupServer(
  http.get('http://msw.example/a', () => {
    asked += 1;
    return HttpResponse.json({ asked }, { headers: { etag: '"1"' } });
  }),
  http.get('http://msw.example/confirmed', ({ request }) => {
    asked += 1;
    return request.headers.get('if-none-match')
      ? new HttpResponse(null, { status: 304 })
      : HttpResponse.text('whole', { headers: { etag: '"1"' } });
  }),
);

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  asked = 0;
});
afterAll(() => server.close());

test.each(['http', 'fetch'] as const)('hits do not reach msw (%s)', async (adapter) => {
  const api = setupCache(axios.create({ baseURL: 'http://msw.example', adapter }), { backend: 'memory' });
  const answers = [await api.get('/a'), await api.get('/a')];
  expect([answers.map(({ data }) => data.asked), asked]).toEqual([[1, 1], 1]);
});

test.each(['http', 'fetch'] as const)('msw may confirm a stored response (%s)', async (adapter) => {
  const api = setupCache(axios.create({ baseURL: 'http://msw.example', adapter }), { backend: 'memory' });
  await api.get('/confirmed');
  const { data, revalidated } = await api.get('/confirmed', { refresh: true });
  expect([data, revalidated, asked]).toEqual(['whole', true, 2]);
});

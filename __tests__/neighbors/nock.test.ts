import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axios from 'axios';
import nock from 'nock';
import { setupCache } from '../../lib/setup-cache.js';

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.cleanAll();
  nock.restore();
});

test.each(['http', 'fetch'] as const)('an answer that nock gave once serves every request (%s)', async (adapter) => {
  nock('http://nock.example').get('/a').query({ page: 1 }).reply(200, { from: 'nock' }, { etag: '"1"' });
  const api = setupCache(axios.create({ baseURL: 'http://nock.example', adapter }), { backend: 'memory' });
  const first = await api.get('/a', { params: { page: 1 } });
  const second = await api.get('/a', { params: { page: 1 } });
  expect([first.fromCache, second.fromCache, second.data]).toEqual([false, true, { from: 'nock' }]);
  expect(nock.isDone()).toBe(true);
});

test('a request that nock refuses fails as with plain axios, and old data replaces it', async () => {
  nock('http://nock.example').get('/old').reply(200, 'old');
  nock('http://nock.example').get('/old').replyWithError('refused');
  const api = setupCache(axios.create({ baseURL: 'http://nock.example' }), { backend: 'memory', oldDataOnError: true });
  await api.get('/old');
  expect((await api.get('/old', { refresh: true })).data).toBe('old');
  await expect(api.get('/never')).rejects.toThrow();
});

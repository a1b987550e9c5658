import { expect, test } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import AxiosMockAdapter from 'axios-mock-adapter';
import { setupCache } from '../../lib/setup-cache.js';

test.each([
  [
    'before the cache',
    (instance: AxiosInstance) => {
      const mock = new AxiosMockAdapter(instance as never);
      return { mock, api: setupCache(instance, { backend: 'memory' }) };
    },
  ],
  [
    'after the cache',
    (instance: AxiosInstance) => {
      const api = setupCache(instance, { backend: 'memory' });
      return { mock: new AxiosMockAdapter(instance as never), api };
    },
  ],
])('set up %s: answers are stored, and equal to the mock’s', async (_, setup) => {
  const { mock, api } = setup(axios.create({ baseURL: 'http://mocked.example' }));
  mock.onGet('/object').reply(200, { a: [1, { b: null }] }, { 'x-from': 'mock' });
  mock.onGet('/text').reply(200, 'plain');
  mock.onGet('/missing').reply(404, { error: 'none' });
  mock.onGet('/broken').networkError();

  const [first, second] = [await api.get('/object'), await api.get('/object')];
  expect([second.data, second.headers['x-from'], second.fromCache]).toEqual([{ a: [1, { b: null }] }, 'mock', true]);
  expect(second.data).not.toBe(first.data);
  expect([(await api.get('/text')).data, (await api.get('/text')).data]).toEqual(['plain', 'plain']);
  for (const _ of [1, 2]) {
    await expect(api.get('/missing')).rejects.toMatchObject({ response: { status: 404, data: { error: 'none' } } });
    await expect(api.get('/broken')).rejects.toThrow('Network Error');
  }
  expect(mock.history.get.map(({ url }) => url)).toEqual([
    '/object',
    '/text',
    '/missing',
    '/broken',
    '/missing',
    '/broken',
  ]);
});

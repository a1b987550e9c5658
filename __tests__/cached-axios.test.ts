import { describe, expect, test } from '@jest/globals';
import { Axios } from 'axios';
import { CachedAxios, CacheMixin } from '../lib/cached-axios.js';
import { startOrigin } from './support/origin.js';

describe('CachedAxios', () => {
  test('is callable, and built like axios.create', async () => {
    await using origin = await startOrigin();
    const api = new CachedAxios({ baseURL: origin.url }, { backend: 'memory' });
    expect(api).toBeInstanceOf(CachedAxios);
    const responses = [
      await api('/a'),
      await api.get('/a'),
      await api.request({ url: '/a' }),
      await api({ url: '/a' }),
    ];
    expect(responses.map(({ fromCache }) => fromCache)).toEqual([false, true, true, true]);
    expect(api.call(undefined, '/a')).toBeInstanceOf(Promise);
    await api.detachCache();
  });

  test('can be extended', async () => {
    await using origin = await startOrigin();
    class Client extends CachedAxios {
      users() {
        return this.get('/users');
      }
    }
    const client = new Client({ baseURL: origin.url }, { backend: 'memory' });
    await client.users();
    expect([(await client.users()).fromCache, client instanceof Client]).toEqual([true, true]);
    await client.detachCache();
  });

  test('refuses wrong options', () => {
    expect(() => new CachedAxios({}, { backend: 'memory', expireAfter: 'x' as never })).toThrow('expireAfter: "x"');
    expect(() => new CachedAxios({ expireAfter: 1 } as object)).toThrow('expireAfter: not accepted in the defaults');
  });
});

test('CacheMixin adds caching to a class of its own', async () => {
  await using origin = await startOrigin();
  class Base extends Axios {
    readonly name = 'base';

    greet(): string {
      return `I am ${this.name}`;
    }
  }
  class Client extends CacheMixin(Base) {}
  const client = new Client({ baseURL: origin.url }, { backend: 'memory' });
  await client.get('/a');
  const { fromCache, data } = await client.get('/a');
  expect([fromCache, data, client.greet(), client instanceof Axios]).toEqual([
    true,
    { url: '/a', count: 1 },
    'I am base',
    true,
  ]);
  expect(await client.cache.responseCount()).toBe(1);
  await client.detachCache();
});

import { describe, expect, test } from '@jest/globals';
import { DynamoDbCache } from '../../../lib/cache/backends/dynamodb-cache.js';
import { GridFSCache } from '../../../lib/cache/backends/gridfs-cache.js';
import { MongoCache } from '../../../lib/cache/backends/mongo-cache.js';
import { RedisCache } from '../../../lib/cache/backends/redis-cache.js';
import type { BaseCache } from '../../../lib/cache/base-cache.js';
import { internalsOf } from '../../../lib/cache/internals.js';

type CacheClass = new (options: object) => BaseCache;

const CLASSES: readonly [name: string, Class: CacheClass, store: string][] = [
  ['RedisCache', RedisCache, 'redis'],
  ['MongoCache', MongoCache, 'mongodb'],
  ['GridFSCache', GridFSCache, 'gridfs'],
  ['DynamoDbCache', DynamoDbCache, 'dynamodb'],
];

describe.each(CLASSES)('%s', (_, Class, store) => {
  test('opens its own store, and connects to nothing', async () => {
    const cache = new Class({ cacheName: 'reports', backendTimeout: 2, retention: '1h' });
    expect([internalsOf(cache).breaker.store.name, cache instanceof Class]).toEqual([store, true]);
    await cache.close();
  });

  test.each<[object, RegExp]>([
    [{ cacheName: 'a/b' }, /^cacheName: "a\/b" is not accepted; expected a name/],
    [{ unknown: 1 }, /^unknown: .*expected one of/],
    [{ clientOptions: 'secret' }, /^clientOptions: (?!.*secret).*expected an object/],
    [{ retention: 'soon' }, /^retention: /],
  ])('refuses %j', (options, message) => {
    expect(() => new Class(options)).toThrow(message);
    expect(() => new Class(options)).toThrow(TypeError);
  });
});

test.each<[CacheClass, object]>([
  [MongoCache, { url: 'http://user:secret@host' }],
  [MongoCache, { client: 'mongodb://user:secret@host' }],
  [GridFSCache, { client: 'mongodb://user:secret@host' }],
  [RedisCache, { url: 'http://user:secret@host' }],
  [DynamoDbCache, { endpoint: 'ftp://user:secret@host' }],
  [DynamoDbCache, { credentials: 'secret' }],
])('%p shows no secret of %j in its error', (Class, options) => {
  expect(() => new Class(options)).toThrow(/^(?!.*secret).*expected/);
});

test.each([{ accessKeyId: 'a', secretAccessKey: 'b' }, async () => ({ accessKeyId: 'a', secretAccessKey: 'b' })])(
  'DynamoDbCache takes credentials as the AWS SDK does: %p',
  async (credentials) => {
    await new DynamoDbCache({ credentials }).close();
  },
);

import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { CacheError } from '../../lib/errors.js';
import { redisFailure } from '../../lib/stores/redis/failures.js';
import { redisLocation } from '../../lib/stores/redis/location.js';
import { hashSlot, shardOf, shardTags } from '../../lib/stores/redis/slots.js';
import { failureKind, StoreFailure } from '../../lib/stores/store-failure.js';

describe('failures by the reply of the server', () => {
  test.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'entry', 'entry'],
    ['ERR string exceeds maximum allowed size (proto-max-bulk-len)', 'entry', 'entry'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'refusal', 'outage'],
    ["READONLY You can't write against a read only replica.", 'refusal', 'outage'],
    ['MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk.', 'refusal', 'outage'],
    ["NOPERM this user has no permissions to run the 'set' command", 'refusal', 'outage'],
    ['NOREPLICAS Not enough good replicas to write.', 'refusal', 'outage'],
    ["ERR unknown command 'EVALSHA'", 'refusal', 'outage'],
    [
      'ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed',
      'refusal',
      'outage',
    ],
    ['LOADING Redis is loading the dataset in memory', 'outage', 'outage'],
    ['CLUSTERDOWN Hash slot not served', 'outage', 'outage'],
    ['MASTERDOWN Link with MASTER is down', 'outage', 'outage'],
    ['NOAUTH Authentication required.', 'outage', 'outage'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'outage', 'outage'],
    ['BUSY Redis is busy running a script.', 'outage', 'outage'],
    ['ERR max number of clients reached', 'outage', 'outage'],
    ['ERR Protocol error: unauthenticated multibulk length', 'outage', 'outage'],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'outage', 'outage'],
    ['Socket closed unexpectedly', 'outage', 'outage'],
    ['', 'outage', 'outage'],
  ])('%s: %s of a write, %s of a read', (message, write, read) => {
    const error = new Error(message);
    expect([failureKind(redisFailure(error, 'write')), failureKind(redisFailure(error, 'read'))]).toEqual([
      write,
      read,
    ]);
    expect((redisFailure(error, 'write') as Error).cause).toBe(error);
  });

  test('failures that have a kind, and errors of the set-up, stay as they are', () => {
    for (const error of [new StoreFailure('entry', 'x'), new CacheError('ERR_CACHE_BROKEN_PACKAGE', 'x')]) {
      expect(redisFailure(error, 'write')).toBe(error);
    }
  });
});

describe('hash tags', () => {
  test.each([
    ['{123456789}:x', 12_739],
    ['{foo}:r:1', 12_182],
    ['{user1000}.following', 3_443],
  ])('%s has the slot %d', (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });

  test.each([1, 2, 3, 16, 64, 1_000, 1_024])('%d shards are spread evenly over the slots', (shards) => {
    const slots = shardTags('http_cache', shards).map((tag) => hashSlot(`{${tag}}:`));
    expect(new Set(shardTags('http_cache', shards)).size).toBe(shards);
    if (shards > 1) expect(slots.map((slot) => Math.floor((slot * shards) / 16_384))).toEqual([...slots.keys()]);
  });

  test('ids are spread evenly, and variants are with their cache key', () => {
    const counts = new Array(64).fill(0);
    for (let index = 0; index < 64_000; index += 1) {
      const id = createHash('sha256').update(String(index)).digest('hex');
      counts[shardOf(id, 64)] += 1;
      expect(shardOf(`${id}.${'f'.repeat(32)}`, 64)).toBe(shardOf(id, 64));
    }
    expect([Math.min(...counts) > 850, Math.max(...counts) < 1_150]).toEqual([true, true]);
  });
});

describe('location', () => {
  test.each([
    [{}, 'redis://localhost:6379'],
    [{ url: 'rediss://user:s3cr3t@host:1/2?x=s3cr3t' }, 'rediss://host:1/2'],
    [{ url: 'redis://:s3cr3t@host:70000' }, 'redis://host:70000'],
    [{ clientOptions: { socket: { host: 'host', port: 1, tls: true }, password: 's3cr3t' } }, 'rediss://host:1'],
    [{ clientOptions: { socket: { path: '/run/redis.sock' } } }, 'unix:/run/redis.sock'],
    [{ clientOptions: { database: 3 } }, 'redis://localhost:6379/3'],
    [{ url: 'redis://host', clientOptions: { url: 'redis://other' } }, 'redis://host'],
    [{ clusterOptions: { rootNodes: [{ url: 'redis://:s3cr3t@host:1' }] } }, 'redis://host:1'],
    [
      { sentinelOptions: { name: 'main', sentinelRootNodes: [{ host: 'host', port: 1 }] } },
      'redis+sentinel://host:1/main',
    ],
    [{ client: { options: { url: 'redis://u:s3cr3t@host:1' } } }, 'redis://host:1'],
    [{ client: {} }, undefined],
  ])('%j', (options, location) => {
    expect(redisLocation(options)).toBe(location);
  });
});

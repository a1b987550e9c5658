import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { CacheEvent } from '../../lib/models/events.js';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import type { Serializer } from '../../lib/serializers/serializer.js';
import { brotliStage, gzipStage } from '../../lib/serializers/stages.js';
import { startBench } from '../support/api.js';

const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});

beforeEach(() => void emitWarning.mockClear());
afterAll(() => emitWarning.mockRestore());

const json: Serializer = {
  name: 'mine',
  dumps: (value) => JSON.stringify(value),
  loads: (text: string) => JSON.parse(text) as unknown,
};

/** A cache over a Map, which keeps bytes as a store does: every hit is read anew. */
const overMap = (serializer: Serializer | string, more: object = {}) =>
  startBench({ backend: new Map() as never, serializer: serializer as Serializer, expireAfter: 60, ...more });

describe('a hit comes back through the serializer', () => {
  test.each<[string, Serializer | string]>([
    ['text', json],
    ['text, async', { ...json, loads: async (text: string) => JSON.parse(text) as unknown }],
    ['text by its methods', { ...json, loads: (text: string) => JSON.parse(text.trim()) as unknown }],
    [
      'bytes',
      {
        name: 'bytes',
        dumps: (value) => new TextEncoder().encode(JSON.stringify(value)),
        loads: (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) as unknown,
      },
    ],
    ['a pipeline', new SerializerPipeline(['json', gzipStage])],
    ['a pipeline of bytes', new SerializerPipeline(['v8', brotliStage])],
    ['a pipeline of the user', new SerializerPipeline([json, gzipStage])],
    ['bson', 'bson'],
    ['yaml', 'yaml'],
  ])('%s', async (_, serializer) => {
    await using bench = await overMap(serializer);
    const first = await bench.api.get('/a');
    const again = await bench.api.get('/a');
    expect([first.fromCache, again.fromCache, again.data]).toEqual([false, true, first.data]);
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

describe('a serializer that fails costs the caching of its responses alone', () => {
  const failing: readonly (readonly [string, Serializer, RegExp])[] = [
    [
      'when it reads',
      {
        ...json,
        loads: () => {
          throw new Error('broken');
        },
      },
      /^serializer "mine" cannot read a stored response: broken/,
    ],
    [
      'when it reads, later',
      {
        ...json,
        loads: async () => {
          throw new Error('broken');
        },
      },
      /^serializer "mine" cannot read a stored response: broken/,
    ],
    ['by another value', { ...json, loads: () => ({}) }, /^serializer "mine" cannot read a stored response: /],
    [
      'when it writes',
      {
        ...json,
        dumps: () => {
          throw new Error('broken');
        },
      },
      /^serializer "mine" cannot write a response: broken/,
    ],
    ['by no value', { ...json, dumps: () => undefined as never }, /^serializer "mine" cannot write a response: /],
  ];

  test.each(failing)('%s: one warning without a listener', async (_, serializer, message) => {
    await using bench = await overMap(serializer, { onEvent: undefined });
    for (let index = 0; index < 4; index += 1) expect((await bench.api.get('/a')).status).toBe(200);
    await sleep(1);
    expect(emitWarning.mock.calls).toEqual([[expect.stringMatching(message), 'CacheWarning']]);
  });

  test.each(failing)('%s: events instead of warnings with a listener', async (_, serializer, message) => {
    const events: CacheEvent[] = [];
    await using bench = await overMap(serializer, { onEvent: (event: CacheEvent) => void events.push(event) });
    for (let index = 0; index < 3; index += 1) await bench.api.get('/a');
    const failed = events.filter(({ error }) => error !== undefined);
    expect(failed.length).toBeGreaterThan(0);
    for (const { error } of failed)
      expect(error).toMatchObject({ code: 'ERR_CACHE_SERIALIZER', message: expect.stringMatching(message) });
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

test('a memory cache serializes nothing that no hit reads', async () => {
  const dumps = jest.spyOn(JSON, 'stringify');
  await using bench = await startBench({ expireAfter: 60 });
  await bench.api.get('/a');
  const before = dumps.mock.calls.filter(([value]) => (value as { bodyForm?: unknown } | undefined)?.bodyForm).length;
  expect((await bench.api.get('/a')).fromCache).toBe(true);
  expect(before).toBe(0);
  dumps.mockRestore();
});

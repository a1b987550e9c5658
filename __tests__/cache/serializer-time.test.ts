import { expect, test } from '@jest/globals';
import { jsonSerializer } from '../../lib/serializers/formats.js';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import { startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { sendJson } from '../support/origin.js';

const NEVER = new Promise<never>(() => {});
const BACKEND_OPTIONS = { backendTimeout: 0.15 };

/** A serializer whose calls stop to settle on demand. */
function stoppable() {
  const state = { dumps: undefined as Promise<unknown> | undefined, loads: undefined as Promise<unknown> | undefined };
  const serializer = {
    name: 'mine',
    async dumps(value: unknown) {
      await state.dumps;
      return JSON.stringify(value);
    },
    async loads(text: string | Uint8Array) {
      await state.loads;
      return JSON.parse(String(text));
    },
  };
  const stage = {
    name: 'stage',
    bytes: true as const,
    async dumps(value: unknown) {
      await state.dumps;
      return value;
    },
    async loads(value: unknown) {
      await state.loads;
      return value;
    },
  };
  return { state, serializer, pipeline: new SerializerPipeline([jsonSerializer, stage as never]) };
}

test.each(['serializer', 'pipeline'] as const)(
  'a %s that never finishes to read costs a request one budget',
  async (kind) => {
    const own = stoppable();
    const options = { serializer: own[kind], backendOptions: BACKEND_OPTIONS };
    await using bench = await startBench(options, ({ url }, response) => sendJson(response, url, { vary: 'X-Mode' }));
    const get = (mode: string) => bench.api.get('/', { headers: { 'X-Mode': mode } });
    for (const mode of ['1', '2', '3']) await get(mode);
    own.state.loads = NEVER;
    const began = performance.now();
    const response = await get('3');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect([response.fromCache, response.data]).toEqual([false, '/']);
    const invalid = bench.events.filter(({ type }) => type === 'invalid');
    expect(invalid[0]).toMatchObject({ reason: 'unreadable', error: { code: 'ERR_CACHE_SERIALIZER' } });
    expect(bench.events.filter(({ type }) => type === 'error')).toEqual([]);
    own.state.loads = undefined;
    expect((await get('1')).fromCache).toBe(true);
  },
);

test.each(['serializer', 'pipeline'] as const)(
  'a %s that never finishes to write costs a request one budget',
  async (kind) => {
    const own = stoppable();
    await using bench = await startBench({ serializer: own[kind], backendOptions: BACKEND_OPTIONS });
    own.state.dumps = NEVER;
    const began = performance.now();
    const response = await bench.api.get('/');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect([response.status, response.cacheStatus]).toEqual([200, expect.stringContaining('detail=serializer')]);
    expect(bench.events.filter(({ type }) => type === 'error')).toMatchObject([
      { reason: 'serializer', error: { code: 'ERR_CACHE_SERIALIZER' } },
    ]);
    own.state.dumps = undefined;
    await bench.api.get('/other');
    expect((await bench.api.get('/other')).fromCache).toBe(true);
  },
);

test('a response that is serialized slowly is stored in the background, unless it is invalidated meanwhile', async () => {
  const own = stoppable();
  const options = { serializer: own.serializer, backendOptions: BACKEND_OPTIONS, cacheControl: true };
  await using bench = await startBench(options, ({ url }, response) => {
    sendJson(response, url, { 'cache-control': 'max-age=60' });
  });
  let finish: (() => void) | undefined;
  own.state.dumps = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await bench.api.get('/kept');
  await bench.api.get('/changed');
  await bench.api.post('/changed');
  finish?.();
  await until('the response is stored', async () => (await bench.api.cache.responseCount()) > 0);
  expect((await bench.api.get('/kept')).fromCache).toBe(true);
  expect((await bench.api.get('/changed')).fromCache).toBe(false);
});

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import type { CacheEvent } from '../../lib/models/events.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';

/** Records the events of the channel until it is disposed of. */
function listen(): { readonly events: CacheEvent[] } & Disposable {
  const events: CacheEvent[] = [];
  const listener = (event: unknown) => void events.push(event as CacheEvent);
  subscribe('axios-keyv-cache', listener);
  return { events, [Symbol.dispose]: () => void unsubscribe('axios-keyv-cache', listener) };
}

const withEtag: Parameters<typeof startBench>[1] = ({ headers }, response) => {
  if (headers['if-none-match']) response.writeHead(304, { etag: '"1"' }).end();
  else sendJson(response, { text: 'x'.repeat(100) }, { etag: '"1"' });
};
const SIZE = JSON.stringify({ text: 'x'.repeat(100) }).length;

test.each(['memory', 'sqlite'] as const)('events have sizes and the time of the store: %s', async (backend) => {
  await using folder = await temporaryFolder();
  const cacheName = path.join(folder.path, 'cache');
  await using bench = await startBench({ backend, cacheName, expireAfter: 60, staleWhileRevalidate: 60 }, withEtag);
  using channel = listen();
  const { api, clock } = bench;
  await api.get('/a');
  await api.get('/a');
  clock.advance(61);
  await (await api.get('/a')).refreshed;
  clock.advance(200);
  await api.get('/a');
  const measured = { store: backend, storeDuration: expect.any(Number) };
  const served = { ...measured, size: SIZE };
  expect(channel.events).toMatchObject([
    { type: 'stored', ...measured },
    { type: 'miss', ...served },
    { type: 'hit', ...served },
    { type: 'stale', ...served },
    { type: 'revalidated', reason: 'background' },
    { type: 'revalidated', ...served },
  ]);
  for (const { storeDuration = 0 } of channel.events) {
    expect(storeDuration).toBeGreaterThanOrEqual(0);
    expect(storeDuration).toBeLessThan(1);
  }
  expect(channel.events[4]?.size).toBeUndefined();
  expect(api.cache.stats()).toMatchObject({
    hit: 1,
    miss: 1,
    stale: 1,
    revalidated: 2,
    coalesced: 0,
    bytesServed: 4 * SIZE,
    bytesSaved: 3 * SIZE,
    breaker: 'closed',
  });
});

test('without subscribers the time of the store is not measured', async () => {
  await using bench = await startBench({ expireAfter: 60 });
  await bench.api.get('/a');
  await bench.api.get('/a');
  expect(bench.events.map(({ type }) => type)).toEqual(['stored', 'miss', 'hit']);
  for (const event of bench.events) expect(event.storeDuration).toBeUndefined();
  expect(bench.events.map(({ size }) => size)).toEqual([undefined, 22, 22]);
});

test('coalesced requests are counted, and their bytes are saved', async () => {
  await using bench = await startBench({ expireAfter: 60 }, withEtag);
  using channel = listen();
  await Promise.all([1, 2, 3].map(() => bench.api.get('/a')));
  const coalesced = channel.events.filter((event) => event.coalesced);
  expect(coalesced).toHaveLength(2);
  expect(coalesced[0]).toMatchObject({ type: 'hit', reason: 'collapsed', size: SIZE });
  expect(bench.api.cache.stats()).toMatchObject({ coalesced: 2, bytesServed: 3 * SIZE, bytesSaved: 2 * SIZE });
});

test('a stream from the origin has no size, one from the store has', async () => {
  await using bench = await startBench({ expireAfter: 60 }, withEtag);
  const read = async () => {
    const { data } = await bench.api.get('/a', { responseType: 'stream' });
    for await (const _ of data as AsyncIterable<unknown>);
  };
  await read();
  await read();
  const sizes = bench.events.filter(({ type }) => type === 'miss' || type === 'hit').map(({ size }) => size);
  expect(sizes).toEqual([undefined, SIZE]);
});

test('a part and a 304 count with the bytes that the caller gets', async () => {
  await using bench = await startBench({ cacheControl: true, expireAfter: 60 }, withEtag);
  await bench.api.get('/a');
  await bench.api.get('/a', { headers: { Range: 'bytes=0-9' } });
  const validateStatus = () => true;
  await bench.api.get('/a', { headers: { 'If-None-Match': '"1"' }, validateStatus });
  const hits = bench.events.filter(({ type }) => type === 'hit').map(({ size }) => size);
  expect(hits).toEqual([10, 0]);
});

test('events of an outage have the state of the circuit breaker', async () => {
  const backend = new Map<string, unknown>();
  let isDown = false;
  const get = backend.get.bind(backend);
  backend.get = (key) => {
    if (isDown) throw new Error('down');
    return get(key);
  };
  await using bench = await startBench({ backend: backend as never, expireAfter: 60 });
  using channel = listen();
  const { api } = bench;
  await api.get('/a');
  isDown = true;
  await api.get('/a');
  expect(api.cache.stats().breaker).toBe('open');
  isDown = false;
  await api.cache.ready();
  expect(api.cache.stats().breaker).toBe('closed');
  const changes = channel.events.filter(({ breaker }) => breaker !== undefined);
  expect(changes).toMatchObject([
    { type: 'error', store: 'keyv', breaker: 'open' },
    { type: 'recovered', store: 'keyv', breaker: 'closed', duration: expect.any(Number) },
  ]);
});

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EventHub } from '../../lib/cache/events.js';
import { CacheError } from '../../lib/errors.js';
import type { CacheEvent } from '../../lib/models/events.js';
import { startBench } from '../support/api.js';
import { program } from '../support/child.js';

/** An object whose `then` throws, as a method or as a property. */
function wrongThenable(how: 'value' | 'get'): object {
  const fail = () => {
    throw new Error('mine');
  };
  return Object.defineProperty({}, 'then', { [how]: fail });
}

const removed: CacheEvent = { type: 'removed', reason: 'deleted', count: 5 };

describe('listeners that fail affect nothing else', () => {
  test.each<[string, () => unknown]>([
    [
      'one that throws',
      () => {
        throw new Error('mine');
      },
    ],
    [
      'one that throws nothing',
      () => {
        throw undefined;
      },
    ],
    [
      'one that rejects',
      async () => {
        throw new Error('mine');
      },
    ],
    ['one that returns a wrong thenable', () => wrongThenable('value')],
    ['one that returns a thenable that cannot be asked', () => wrongThenable('get')],
  ])('%s', (_, failing) => {
    const hub = new EventHub();
    const heard: unknown[] = [];
    hub.listen(() => failing);
    hub.listen(() => (event) => heard.push(event));
    hub.emitToAll({ ...removed });
    expect(() => hub.emit('hit', () => ({ type: 'hit' }), failing)).not.toThrow();
    expect(heard).toEqual([removed]);
    expect(hub.counts).toMatchObject({ removed: 5, hit: 1 });
  });

  test('one that changes the event', () => {
    const hub = new EventHub();
    const heard: unknown[] = [];
    hub.listen(() => (event) => Object.assign(event, { count: 6 }));
    hub.listen(() => (event) => heard.push(event));
    hub.emitToAll({ ...removed });
    expect(heard).toEqual([removed]);
  });

  test('a listener that instances share gets an event once', () => {
    const hub = new EventHub();
    const heard: unknown[] = [];
    const listener = (event: CacheEvent) => heard.push(event);
    hub.listen(() => listener);
    const stop = hub.listen(() => listener);
    hub.emitToAll({ ...removed });
    stop();
    hub.emitToAll({ ...removed });
    expect(heard).toHaveLength(2);
  });
});

test('the removal of responses is an event for every instance of the cache', async () => {
  const heard: Record<string, unknown[]> = { one: [], other: [] };
  const listener = (name: string) => (event: CacheEvent) => {
    if (event.type === 'removed') heard[name]?.push([event.reason, event.count]);
    throw new Error('mine');
  };
  await using bench = await startBench({ expireAfter: 60, onEvent: listener('one') });
  const { api, clock, more } = bench;
  const other = more({ backend: api.cache, onEvent: listener('other') });
  for (const url of ['/a', '/b', '/c', '/d']) await api.get(url);
  await other.cache.delete({ urls: `${bench.origin.url}/a` });
  clock.advance(61);
  await api.get('/e');
  await api.removeExpiredResponses();
  await other.cache.deleteUrl(`${bench.origin.url}/e`);
  const expected = [
    ['deleted', 1],
    ['expired', 3],
    ['url', 1],
  ];
  expect(heard).toEqual({ one: expected, other: expected });
  expect(api.cache.stats().removed).toBe(5);
});

describe('subscribers of the diagnostics channel', () => {
  const heard: unknown[] = [];
  const failing = () => {
    throw new Error('mine');
  };
  const rejecting = async () => {
    throw new Error('mine');
  };
  const listening = (event: unknown) => void heard.push(event);

  beforeEach(() => {
    heard.length = 0;
    for (const subscriber of [failing, rejecting, listening]) subscribe('axios-keyv-cache', subscriber);
  });
  afterEach(() => {
    for (const subscriber of [failing, rejecting, listening]) unsubscribe('axios-keyv-cache', subscriber);
  });

  test('get every event; one that fails disturbs none of the others', () => {
    const hub = new EventHub();
    hub.emit('hit', () => ({ type: 'hit', key: 'a' }), undefined);
    hub.emitToAll({ ...removed });
    expect(heard).toEqual([{ type: 'hit', key: 'a' }, removed]);
  });
});

test('no failure of a listener or subscriber reaches the process', async () => {
  await using child = program(`
    import { subscribe } from 'node:diagnostics_channel';
    import { EventHub } from './lib/cache/events.js';
    const failing = [
      () => { throw new Error('mine'); },
      async () => { throw new Error('mine'); },
      () => ({ then() { throw new Error('mine'); } }),
      () => new Promise((_, reject) => setTimeout(reject, 5)),
    ];
    const hub = new EventHub();
    for (const listener of failing) {
      hub.listen(() => listener);
      subscribe('axios-keyv-cache', listener);
      hub.emit('hit', () => ({ type: 'hit' }), listener);
    }
    hub.emitToAll({ type: 'removed', count: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log('alive');
  `);
  expect(await child.run()).toBe('alive\n');
});

test('an event without a listener is not created', () => {
  const hub = new EventHub();
  hub.emit(
    'hit',
    () => {
      throw new Error('made');
    },
    undefined,
  );
  expect(hub.counts.hit).toBe(1);
});

describe('warnings', () => {
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const warnings = () => emitWarning.mock.calls as unknown[];

  beforeEach(() => void emitWarning.mockClear());
  afterAll(() => emitWarning.mockRestore());

  const failure = new CacheError('ERR_CACHE_SERIALIZER', 'serializer "mine" cannot read a stored response: broken');
  const invalid: CacheEvent = { type: 'invalid', reason: 'unreadable', error: failure };

  test('a serializer that fails is reported once without a listener', async () => {
    const hub = new EventHub();
    hub.emit(
      'invalid',
      () => ({ ...invalid }),
      () => {},
    );
    hub.emit(
      'invalid',
      () => ({ type: 'invalid', reason: 'unreadable', error: new SyntaxError('damaged') }),
      undefined,
    );
    expect(warnings()).toEqual([]);
    hub.emit('invalid', () => ({ ...invalid }), undefined);
    hub.emit('error', () => ({ ...invalid, type: 'error' }), undefined);
    expect(warnings()).toEqual([[`${failure.message}; such responses are not served from the cache`, 'CacheWarning']]);
  });

  test('an outage is reported each time without a listener', () => {
    const hub = new EventHub();
    hub.emitToAll({ type: 'error', error: new Error('refused') });
    const stop = hub.listen(() => () => {});
    hub.emitToAll({ type: 'error', error: new Error('refused') });
    stop();
    hub.emitToAll({ type: 'error', reason: 'store-timeout' });
    expect(warnings()).toEqual(
      ['refused', 'store-timeout'].map((reason) => [
        `the cache's store is not available, requests continue without it: ${reason}`,
        'CacheWarning',
      ]),
    );
  });
});

import { describe, expect, jest, test } from '@jest/globals';
import { MemoryCache } from '../../lib/cache/backends/memory-cache.js';
import { parseContains, parseDeletion, parseFilter, parseSelection, refuseSelection } from '../../lib/cache/queries.js';

const NOW = 1_000_000;

/** Wrong arguments of management, with the beginning of the message that refuses them. */
const WRONG: readonly (readonly [string, (value: never) => unknown, unknown, string])[] = [
  ['filter', (value) => parseFilter(value, NOW), { expird: true }, 'there is no such option; did you mean expired?'],
  [
    'filter',
    (value) => parseFilter(value, NOW),
    { maximum: 1 },
    'filter.maximum: 1 is not accepted, there is no such option; expected one of valid',
  ],
  ['filter', (value) => parseFilter(value, NOW), 'expired', 'filter: "expired" is not accepted; expected an object'],
  ['filter', (value) => parseFilter(value, NOW), null, 'filter: null is not accepted'],
  ['filter', (value) => parseFilter(value, NOW), { valid: 1 }, 'filter.valid: 1 is not accepted; expected true or'],
  ['filter', (value) => parseFilter(value, NOW), { olderThan: 'x' }, 'filter.olderThan: "x" is not accepted'],
  ['filter', (value) => parseFilter(value, NOW), { tags: [1] }, 'filter.tags[0]: 1 is not accepted'],
  [
    'delete',
    (value) => parseDeletion(value, NOW),
    { url: 'a.com' },
    'delete.url: "a.com" is not accepted, there is no such option; did you mean urls?',
  ],
  ['delete', (value) => parseDeletion(value, NOW), ['key'], 'delete: ["key"] is not accepted; expected an object'],
  ['delete', (value) => parseDeletion(value, NOW), undefined, 'delete: undefined is not accepted'],
  ['delete', (value) => parseDeletion(value, NOW), { keys: [''] }, 'delete.keys[0]: "" is not accepted'],
  ['delete', (value) => parseDeletion(value, NOW), { urls: 7 }, 'delete.urls: 7 is not accepted; expected a URL'],
  ['delete', (value) => parseDeletion(value, NOW), { urls: ['/posts'] }, 'delete.urls: "/posts" is not accepted'],
  ['delete', (value) => parseDeletion(value, NOW), { requests: 'a' }, 'delete.requests: "a" is not accepted'],
  ['delete', (value) => parseDeletion(value, NOW), { expired: 'yes' }, 'delete.expired: "yes" is not accepted'],
  ['delete', (value) => parseDeletion(value, NOW), /users/, 'delete: /users/ is not accepted; expected an object'],
  ['delete', (value) => parseDeletion(value, NOW), new URL('https://a.com/'), 'delete: "https://a.com/" is not'],
  ['filter', (value) => parseFilter(value, NOW), new Map(), 'filter: {} is not accepted; expected an object'],
  [
    'clear',
    (value) => refuseSelection(value),
    'https://a.com/',
    'clear: "https://a.com/" is not accepted; expected no',
  ],
  ['clear', (value) => refuseSelection(value), { urls: 'a.com' }, 'clear: {"urls":"a.com"} is not accepted'],
  ['clear', (value) => refuseSelection(value), /users/, 'clear: /users/ is not accepted'],
  ['contains', (value) => parseContains(value), 'key', 'contains: "key" is not accepted; expected an object'],
  ['contains', (value) => parseContains(value), {}, 'contains: {} is not accepted; expected exactly one'],
  ['contains', (value) => parseContains(value), { key: 'a', url: 'b' }, 'contains: {'],
  ['contains', (value) => parseContains(value), { urls: 'b' }, 'there is no such option; did you mean url?'],
  ['contains', (value) => parseContains(value), { url: 1 }, 'contains.url: 1 is not accepted'],
  ['contains', (value) => parseContains(value), { request: 'b' }, 'contains.request: "b" is not accepted'],
  ['resetExpiration', (value) => parseSelection(value), { url: 'b' }, 'there is no such option; did you mean urls?'],
];

describe('arguments of management that are refused', () => {
  test.each(WRONG)('%s', (_, parse, value, message) => {
    const read = () => parse(value as never);
    expect(read).toThrow(TypeError);
    expect(read).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }) as never);
  });

  test('a string is a key for delete, and one item a list', () => {
    expect(parseDeletion('k', NOW)).toMatchObject({ keys: ['k'], urls: [], expired: false });
    expect(parseDeletion({ urls: 'https://a.com/' }, NOW)).toMatchObject({ urls: ['https://a.com/'], patterns: [] });
  });

  test.each(['localhost:3000/users', 'https://a.com/*', 'a.com'])('%s is a pattern', (urls) => {
    expect(parseDeletion({ urls }, NOW)).toMatchObject({ urls: [], patterns: [{ source: urls }] });
  });

  test('conditions that are absent have their defaults', () => {
    expect(parseFilter({}, NOW)).toMatchObject({ queries: [{}], invalid: false });
    expect(parseContains({ url: 'https://a.com/' })).toEqual({ url: 'https://a.com/' });
  });

  test.each([[undefined], [null], [Number.NaN], [''], [{}], [true], [Symbol('key')]])(
    'as a key or a list: %p',
    async (wrong) => {
      const cache = new MemoryCache();
      const given = wrong as never;
      const calls: (() => Promise<unknown>)[] = [
        async () => cache.getResponse(given),
        async () => cache.hasKey(given),
        async () => cache.bulkDelete(given),
        async () => cache.deleteUrls(given),
        async () => cache.update(given),
        async () => cache.saveRedirect({ url: 'https://example.org/' }, given),
        async () => cache.responses.delete(given),
        async () => cache.redirects.get(given),
        async () => cache.redirects.set(given, 'target'),
        async () => cache.redirects.has(given),
        async () => cache.redirects.delete(given),
        async () => cache.redirects.bulkDelete(given),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow('is not accepted');
      await cache.close();
    },
  );

  test('as options of saveResponse and update', async () => {
    const cache = new MemoryCache();
    const calls: (() => Promise<unknown>)[] = [
      async () => cache.saveResponse({}, { expire: 1 } as never),
      async () => cache.saveResponse({}, null as never),
      async () => cache.update(cache, { progress: () => {} } as never),
      async () => cache.update(cache, { onProgress: 1 } as never),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow('is not accepted');
    await cache.close();
  });

  test('by each method of a cache', async () => {
    const cache = new MemoryCache();
    const calls: (() => Promise<unknown>)[] = [
      async () => cache.delete({ expire: true } as never),
      async () => cache.contains({ uri: 'a' } as never),
      async () => cache.responseCount({ old: true } as never),
      async () => cache.filter({ old: true } as never),
      async () => cache.resetExpiration(0, { tag: 'a' } as never),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(TypeError);
    await cache.close();
  });
});

test('a URL in the place of a key causes one warning if no response has it as a key', async () => {
  const cache = new MemoryCache();
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    for (const key of ['https://a.com/', '/users', '/users', 'a key']) expect(await cache.delete(key)).toBe(0);
    expect(await cache.getResponse('https://a.com/')).toBeUndefined();
    await cache.clear('SIGHUP' as never);
    expect(emit.mock.calls.map(([warning]) => String(warning))).toEqual([
      'delete: "https://a.com/" was taken for a key, and no response has it; use deleteUrl(url) for a URL',
      'delete: "/users" was taken for a key, and no response has it; use deleteUrl(url) for a URL',
      'getResponse: "https://a.com/" was taken for a key, and no response has it; use createKey({ url }) for a URL',
    ]);
    await expect(cache.clear('https://a.com/' as never)).rejects.toThrow(TypeError);
  } finally {
    emit.mockRestore();
    await cache.close();
  }
});

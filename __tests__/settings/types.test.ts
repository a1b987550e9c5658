import { expect, test } from '@jest/globals';
import axios from 'axios';
import { type CacheOptions, type DurationText, type RequestCacheOptions, setupCache } from '../../lib/index.js';
import { callSettings, InstanceSettings } from '../../lib/settings/instance.js';

// The compiler checks this file: `@ts-expect-error` fails where it finds nothing wrong.

const accepted: readonly CacheOptions[] = [
  { expireAfter: '6m' },
  { expireAfter: '1h30m' },
  { expireAfter: '1h 30m' },
  { expireAfter: '1d2h3m' },
  { expireAfter: '1.5h' },
  { expireAfter: '250ms' },
  { expireAfter: 'PT5M' },
  { expireAfter: '2026-01-01' },
  { expireAfter: '2026-01-01T12:00:00Z' },
  { expireAfter: '2026-01-01 12:00' },
  { expireAfter: 'Thu, 01 Jan 2026 12:00:00 GMT' },
  { expireAfter: 'Thursday, 01-Jan-26 12:00:00 GMT' },
  { expireAfter: 'Thu Jan  1 12:00:00 2026' },
  { expireAfter: { hours: 1, minutes: 30 } },
  { expireAfter: new Date(0) },
  { expireAfter: null },
  { expireAfter: (response) => (response.status === 200 ? '1h' : undefined) },
  { urlsExpireAfter: { 'a.com': '5m', 'b.com': null, 'c.com': undefined } },
  { urlsExpireAfter: [[/a/, async () => '5m']] },
  { expireAfter: async () => '5m' },
  { oldDataOnError: { limit: '1d', codes: [500] }, staleWhileRevalidate: 'PT1M', maxAge: 5, networkFirst: '2s' },
  { tags: ['a'], targetedFields: ['CDN-Cache-Control'] },
  { tags: (response) => [response.url], filterFn: async (response) => response.status === 200 },
  {
    credentials: (config) => String(config.headers.get('X-User')),
    keyFn: (request, rules) => request.url + rules.keyFn,
  },
  { credentials: async ({ auth }) => auth?.username },
];

test('the compiler and the parser accept the same values', () => {
  for (const options of accepted) expect(() => new InstanceSettings(options)).not.toThrow();
});

const refused: readonly (readonly [options: CacheOptions | RequestCacheOptions, isRequest?: boolean])[] = [
  // @ts-expect-error not a time
  [{ expireAfter: 'soon' }],
  // @ts-expect-error a number of seconds is a number
  [{ expireAfter: '60' }],
  // @ts-expect-error a unit that does not exist
  [{ expireAfter: '5 minutes' }],
  // @ts-expect-error an empty text
  [{ expireAfter: '' }],
  // @ts-expect-error not a time
  [{ urlsExpireAfter: { 'a.com': 'soon' } }],
  // @ts-expect-error not a time
  [{ urlsExpireAfter: [['a.com', 'soon']] }],
  // @ts-expect-error not a duration
  [{ oldDataOnError: 'long' }],
  // @ts-expect-error not a duration
  [{ staleIfError: { limit: 'long' } }],
  // @ts-expect-error not a duration
  [{ staleWhileRevalidate: '2026-01-01' }],
  // @ts-expect-error not a duration
  [{ networkFirst: 'no' }],
  // @ts-expect-error not a time
  [{ maxAge: 'new' }],
  // @ts-expect-error not one of the two, and not a function
  [{ credentials: 'share' }],
  // @ts-expect-error a single tag is a string
  [{ tags: 1 }],
  // @ts-expect-error false is no pattern
  [{ invalidates: false }, true],
  // @ts-expect-error an unknown member
  [{ invalidates: { url: 'a.com' } }, true],
];

test('the compiler and the parser refuse the same values', () => {
  const { compiled } = new InstanceSettings({});
  for (const [options, isRequest] of refused) {
    expect(() => (isRequest ? callSettings(compiled, options) : new InstanceSettings(options))).toThrow(TypeError);
  }
});

test('a variable of type string needs a cast', () => {
  const text: string = '6m';
  // @ts-expect-error any text could be in it
  const options: CacheOptions = { expireAfter: text };
  expect(new InstanceSettings(options).compiled.expireAfter).toEqual({ seconds: 360 });
  expect(() => new InstanceSettings({ expireAfter: text as DurationText } satisfies CacheOptions)).not.toThrow();
});

test('a request has no null as its lifetime', () => {
  // @ts-expect-error null is for instances and URL patterns
  const options: RequestCacheOptions = { expireAfter: null };
  expect(() => callSettings(new InstanceSettings({}).compiled, options)).toThrow(TypeError);
});

test('requests are typed likewise', async () => {
  const api = setupCache(axios.create(), { backend: 'memory' });
  // @ts-expect-error not a time
  await expect(api.get('http://127.0.0.1:1/', { expireAfter: 'soon' })).rejects.toThrow(TypeError);
  await api.detachCache();
});

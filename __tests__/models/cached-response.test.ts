import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { AxiosHeaders } from 'axios';
import { toAxiosHeaders } from '../../lib/conversion/headers.js';
import { CachedResponse } from '../../lib/models/cached-response.js';
import type { ResponseRecord } from '../../lib/models/record.js';
import { fields } from '../../lib/policy/messages.js';
import { response as record } from '../serializers/records.js';
import { startBench } from '../support/api.js';

const NOW = 1_700_000_000_000;

function present(more: Partial<ResponseRecord> = {}): {
  response: CachedResponse;
  stored: ResponseRecord;
  kept: unknown[];
} {
  const stored = record({ body: Buffer.from('{"a":[1]}'), bodyForm: 'bytes', ...more });
  const kept: unknown[] = [];
  const response = new CachedResponse(stored, {
    now: () => NOW,
    keep: async (changed) => void kept.push(changed.staleAt),
    toHeaders: (all) => toAxiosHeaders(all),
    toClient: async () => ({}),
  });
  return { response, stored, kept };
}

describe('data is decoded by the default rules of axios', () => {
  test.each<[string, Partial<ResponseRecord>, unknown]>([
    ['JSON', { body: Buffer.from('{"a":[1]}') }, { a: [1] }],
    ['JSON with a byte order mark', { body: Buffer.from('\uFEFF[1]') }, [1]],
    ['a number', { body: Buffer.from('1') }, 1],
    ['text', { body: Buffer.from('grüße') }, 'grüße'],
    ['text that begins like JSON', { body: Buffer.from('{"a":') }, '{"a":'],
    ['an empty body', { body: Buffer.alloc(0) }, ''],
    ['no body', { body: Buffer.alloc(0), bodyForm: 'none' }, undefined],
    ['an object of a mock', { body: Buffer.from('{"a":1}'), bodyForm: 'json' }, { a: 1 }],
  ])('%s', (_, more, data) => {
    expect(present(more).response.data).toEqual(data);
  });

  test('once', () => {
    const { response } = present();
    expect(response.data).toBe(response.data);
  });
});

test('the headers are those of axios', () => {
  const { response } = present({ headers: fields({ 'content-type': 'text/plain', via: ['a', 'b'] }) });
  expect(response.headers).toBeInstanceOf(AxiosHeaders);
  expect(response.headers.get('Content-Type')).toBe('text/plain');
  expect(response.headers.getContentType()).toBe('text/plain');
  expect(response.headers.via).toEqual(['a', 'b']);
});

test('changes of a response do not change the stored response', () => {
  const hop = Object.freeze({ url: 'http://a.com/', status: 302, headers: Object.freeze(fields({ location: '/b' })) });
  const { response, stored } = present({ history: Object.freeze([hop]) });
  const before = structuredClone({ ...stored, body: Buffer.from(stored.body) });
  response.headers.set('content-type', 'changed').set('x-new', 'new');
  (response.headers.via as unknown as string[]).push('c');
  response.data.a.push(2);
  response.body.fill(0);
  (response.tags as string[]).push('changed');
  Object.assign(response.request.headers, { accept: 'changed' });
  for (const shown of response.history) {
    expect(() => Object.assign(shown, { url: 'changed' })).toThrow(TypeError);
    expect(() => Object.assign(shown.headers, { location: 'changed' })).toThrow(TypeError);
  }
  expect(() => (response.history as unknown[]).push(1)).toThrow(TypeError);
  response.createdAt.setFullYear(1999);
  expect(structuredClone({ ...stored, body: Buffer.from(stored.body) })).toEqual(before);
  expect([response.headers.get('x-new'), response.body[0], response.tags.length]).toEqual([undefined, 0x7b, 2]);
  expect(response.createdAt.getTime()).toBe(stored.receivedAt);
});

test('revalidate stores a new lifetime', async () => {
  const { response, kept } = present({ staleAt: NOW - 1 });
  expect(response.isExpired).toBe(true);
  expect(await response.revalidate('1m')).toBe(false);
  expect([kept, response.expires?.getTime()]).toEqual([[NOW + 60_000], NOW + 60_000]);
});

describe('a response shows its content', () => {
  const shown = {
    status: 200,
    statusText: 'OK',
    url: 'http://a.com/final?x=1',
    request: { method: 'GET', url: 'http://a.com/?x=1', headers: { accept: '*/*' }, body: 'text' },
    history: [{ url: 'http://a.com/?x=1', status: 302, headers: { location: '/final' } }],
    cacheKey: 'a'.repeat(64),
    createdAt: '2023-11-14T22:13:20.000Z',
    expires: '2023-11-14T22:14:20.000Z',
    isExpired: false,
    size: 9,
    tags: ['prices', 'eu'],
    data: { a: [1] },
  };

  test('as JSON', () => {
    const json = JSON.parse(JSON.stringify(present().response)) as Record<string, unknown>;
    expect(json).toMatchObject(shown);
    expect(Object.entries(json.headers as object)).toContainEqual(['__proto__', 'data']);
  });

  test('as JSON, a body that is not text is left out', () => {
    const json = JSON.parse(JSON.stringify(present({ body: Buffer.of(0xff, 0xfe) }).response)) as object;
    expect(json).toMatchObject({ size: 2 });
    expect(json).not.toHaveProperty('data');
  });

  test('in console.log', () => {
    const text = inspect(present().response);
    expect(text).toMatch(/^CachedResponse \{\n {2}status: 200,/);
    for (const part of [
      "'content-type': 'text/plain'",
      "method: 'GET'",
      'createdAt: 2023-11-14T22:13:20.000Z',
      'data: { a: [ 1 ] }',
    ])
      expect(text).toContain(part);
    expect(inspect([[[present().response]]])).toBe('[ [ [ [CachedResponse] ] ] ]');
  });

  test('a request does so too', () => {
    const { request } = present().response;
    expect(JSON.parse(JSON.stringify(request))).toEqual(shown.request);
    expect(inspect(request)).toMatch(/^CachedRequest \{\s+method: 'GET',\s+url: /);
  });

  test('as text', () => {
    expect(String(present().response)).toBe(
      '<CachedResponse [200] GET http://a.com/?x=1 (text/plain, 9 bytes, created 2023-11-14T22:13:20.000Z, expires 2023-11-14T22:14:20.000Z)>',
    );
  });
});

test('settings show their content', async () => {
  await using bench = await startBench({ expireAfter: 60 });
  const text = inspect(bench.api.cacheSettings);
  expect(text).toMatch(/^CacheSettings \{/);
  expect(text).toContain('expireAfter: 60');
  expect(JSON.parse(JSON.stringify(bench.api.cacheSettings))).toMatchObject({ expireAfter: 60, readOnly: false });
});

test('filterFn gets the headers of axios, and data whatever the caller wants', async () => {
  const seen: unknown[] = [];
  await using bench = await startBench({
    filterFn: ({ headers, data }) => {
      seen.push(headers.get('Content-Type'), data.url);
      return true;
    },
  });
  await bench.api.get('/a', { responseType: 'arraybuffer', transformResponse: () => 'transformed' });
  expect(seen).toEqual([expect.stringContaining('application/json'), '/a']);
});

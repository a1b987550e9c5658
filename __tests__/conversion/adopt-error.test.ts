import { describe, expect, test } from '@jest/globals';
import axios, { AxiosError, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { adoptError } from '../../lib/conversion/adopt-error.js';
import { startBench } from '../support/api.js';

const OTHER = { url: '/', headers: new AxiosHeaders({ Authorization: 'alice-secret' }) } as InternalAxiosRequestConfig;
const OWN = { url: '/', headers: new AxiosHeaders({ Authorization: 'bob' }) } as InternalAxiosRequestConfig;

/** Everything that can be reached from a value. */
function reachable(value: unknown, seen = new Set<unknown>()): Set<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) {
    seen.add(value);
    return seen;
  }
  seen.add(value);
  for (const name of Reflect.ownKeys(value)) {
    const { value: member } = Object.getOwnPropertyDescriptor(value, name) ?? {};
    reachable(member, seen);
  }
  return seen;
}

test('an adopted AxiosError has nothing of the other request', () => {
  const request = { _header: 'Authorization: alice-secret' };
  const cause = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', request, config: OTHER });
  const response = {
    status: 200,
    statusText: 'OK',
    data: 'secret',
    headers: new AxiosHeaders({ etag: '"a"', 'set-cookie': 'alice-secret' }),
    config: OTHER,
    request,
  };
  const error = Object.assign(new AxiosError('aborted', 'ECONNRESET', OTHER, request, response), {
    cause,
    errno: -104,
  });
  const own = adoptError(error, OWN) as AxiosError & { errno: number };
  expect(own).toBeInstanceOf(AxiosError);
  expect(axios.isAxiosError(own)).toBe(true);
  expect(own).toMatchObject({ name: 'AxiosError', message: 'aborted', code: 'ECONNRESET', errno: -104, config: OWN });
  expect(own.stack).toBe(error.stack);
  expect(own.request).toBeUndefined();
  expect(own.response).toMatchObject({ status: 200, config: OWN, data: undefined });
  expect(own.response?.headers).toBeInstanceOf(AxiosHeaders);
  expect({ ...own.response?.headers }).toEqual({ etag: '"a"' });
  expect(own.cause).toMatchObject({ message: 'socket hang up', code: 'ECONNRESET' });
  const everything = [...reachable(own)];
  expect(everything).not.toContain(OTHER);
  expect(everything).not.toContain(request);
  expect(everything.filter((value) => typeof value === 'string' && value.includes('alice'))).toEqual([]);
  expect(JSON.stringify(own)).not.toContain('alice');
});

test("an adapter's own error keeps its class and fields", () => {
  class AdapterError extends Error {
    override name = 'AdapterError';
    status = 1;
    request = OTHER;
    config = OTHER;
  }
  const own = adoptError(new AdapterError('x'), OWN) as AdapterError;
  expect(own).toBeInstanceOf(AdapterError);
  expect(own).toMatchObject({ name: 'AdapterError', message: 'x', status: 1, config: OWN });
  expect(own.request).toBeUndefined();
});

test('errors within errors are adopted too', () => {
  const parts = [Object.assign(new Error('one'), { port: 1, config: OTHER }), new Error('two')];
  const own = adoptError(new AggregateError(parts, 'all'), OWN) as AggregateError;
  expect(own).toBeInstanceOf(AggregateError);
  expect(own.errors).toMatchObject([{ message: 'one', port: 1 }, { message: 'two' }]);
  expect([...reachable(own)]).not.toContain(OTHER);
});

test.each([['text'], [undefined], [1]])('%p, thrown as it is, stays', (thrown) => {
  expect(adoptError(thrown, OWN)).toBe(thrown);
});

test('a thrown object keeps only its plain members', () => {
  expect(adoptError({ code: 1, config: OTHER }, OWN)).toEqual({ code: 1 });
});

describe.each([
  ['http', {}],
  ['fetch', { adapter: 'fetch' }],
] as const)('callers who share a failed request of the %s adapter', (_, config) => {
  test.each(['closed before the answer', 'cut off in the middle'])('%s', async (how) => {
    await using bench = await startBench({ credentials: 'ignore' }, (_, response) => {
      if (how.startsWith('cut')) response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 50);
    });
    const as = (user: string) =>
      bench.api.get('/', { ...config, headers: { Authorization: user } }).catch((error: AxiosError) => error);
    const [first, second] = (await Promise.all([as('alice-secret'), as('bob')])) as [AxiosError, AxiosError];
    expect(bench.origin.asked).toHaveLength(1);
    expect([second.name, second.message, second.code]).toEqual([first.name, first.message, first.code]);
    expect(second.config?.headers.get('Authorization')).toBe('bob');
    const texts = [...reachable(second)].filter((value): value is string => typeof value === 'string');
    expect(texts.filter((text) => text.includes('alice-secret'))).toEqual([]);
  });
});

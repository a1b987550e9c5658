import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fields } from '../../lib/policy/messages.js';
import type { Rules } from '../../lib/policy/rules.js';
import { answersLaterGets, storageObstacle, storedFields } from '../../lib/policy/storable.js';
import { httpDate, MINUTE, NOW, request, response, rules } from '../support/messages.js';

type Headers = Record<string, unknown>;

function reasonFor(headers: Headers, status = 200, changes: Partial<Rules> = {}, asked: Headers = {}): string {
  return storageObstacle(request(asked), response(headers, status), rules(changes), undefined) ?? 'storable';
}

describe('RFC 9111 section 3: status', () => {
  test.each([200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599])(
    '%d with a lifetime is stored',
    (status) => {
      expect(reasonFor({ 'cache-control': 'max-age=60' }, status)).toBe('storable');
    },
  );

  test.each([100, 101, 103, 304, 412, 416])('%d is not', (status) => {
    expect(reasonFor({ 'cache-control': 'max-age=60' }, status)).toBe('status');
  });
});

describe('RFC 9111 section 3: a lifetime or a validator is needed', () => {
  const etag = { etag: '"a"' };

  test.each<[string, Headers, number, string]>([
    ['nothing', {}, 200, 'no-lifetime'],
    ['max-age', { 'cache-control': 'max-age=0' }, 200, 'storable'],
    ['Expires, even an invalid one', { expires: '0' }, 200, 'storable'],
    ['s-maxage, which a private cache ignores', { 'cache-control': 's-maxage=60' }, 200, 'no-lifetime'],
    ['a validator', etag, 200, 'storable'],
    ['Last-Modified', { 'last-modified': httpDate(-60) }, 200, 'storable'],
    ['a validator, and a status without heuristics', etag, 201, 'status'],
    ['nothing, and a status without heuristics', {}, 503, 'status'],
    ['a validator, and public', { ...etag, 'cache-control': 'public' }, 201, 'storable'],
    ['a validator, and private', { ...etag, 'cache-control': 'private' }, 201, 'storable'],
    ['public alone', { 'cache-control': 'public' }, 200, 'no-lifetime'],
  ])('%s', (_, headers, status, expected) => {
    expect(reasonFor(headers, status)).toBe(expected);
  });

  test('the setting is a lifetime too, for statuses that may be cached', () => {
    expect(storageObstacle(request(), response(), rules(), MINUTE)).toBeUndefined();
    expect(storageObstacle(request(), response({}, 201), rules(), MINUTE)).toBe('status');
    const allowed = rules({ allowableCodes: new Set([201]) });
    expect(storageObstacle(request(), response({}, 201), allowed, MINUTE)).toBeUndefined();
    expect(storageObstacle(request(), response({}, 201), allowed, undefined)).toBe('no-lifetime');
  });

  test('a shared cache uses s-maxage', () => {
    expect(reasonFor({ 'cache-control': 's-maxage=60' }, 499, { shared: true })).toBe('storable');
  });
});

describe('RFC 9111 section 5.2: directives', () => {
  test.each<[string, number, boolean, string]>([
    ['no-store', 200, false, 'no-store'],
    ['No-StOrE, max-age=60', 200, false, 'no-store'],
    ['no-store=x, max-age=60', 200, false, 'no-store'],
    ['no-cache, max-age=60', 200, false, 'storable'],
    ['private, max-age=60', 200, false, 'storable'],
    ['private, max-age=60', 200, true, 'private'],
    ['private="a", max-age=60', 200, true, 'storable'],
    ['private="a, max-age=60', 200, true, 'private'],
    ['must-understand, max-age=60', 200, false, 'storable'],
    ['must-understand, no-store, max-age=60', 200, false, 'storable'],
    ['must-understand, no-store, max-age=60', 599, false, 'must-understand'],
    ['must-understand, max-age=60', 599, false, 'must-understand'],
  ])('%p on %d, shared: %p', (cacheControl, status, shared, expected) => {
    expect(reasonFor({ 'cache-control': cacheControl }, status, { shared })).toBe(expected);
  });

  test('no-store of the request', () => {
    expect(reasonFor({ 'cache-control': 'max-age=60' }, 200, {}, { 'cache-control': 'no-store' })).toBe(
      'request-no-store',
    );
  });
});

describe('RFC 9875: a response with too many groups is not stored', () => {
  const groups = (count: number) => Array.from({ length: count }, (_, index) => `"${index}"`).join(', ');

  test.each([
    [groups(128), 'storable'],
    [groups(129), 'groups'],
    [`"${'x'.repeat(256)}"`, 'storable'],
    [`"${'x'.repeat(257)}"`, 'groups'],
    [`${groups(129)},`, 'storable'],
  ])('%#: %s', (value, expected) => {
    const headers = { 'cache-groups': value, 'cache-control': 'max-age=60' };
    expect(reasonFor(headers)).toBe(expected);
    expect(reasonFor(headers, 200, { cacheControl: false })).toBe('storable');
  });
});

describe('RFC 9111 section 3.5: Authorization', () => {
  test.each<[string, boolean, string]>([
    ['max-age=60', false, 'storable'],
    ['max-age=60', true, 'authorization'],
    ['max-age=60, public', true, 'storable'],
    ['max-age=60, must-revalidate', true, 'storable'],
    ['s-maxage=60', true, 'storable'],
    ['max-age=60, proxy-revalidate', true, 'authorization'],
  ])('%p, shared: %p', (cacheControl, shared, expected) => {
    expect(reasonFor({ 'cache-control': cacheControl }, 200, { shared }, { authorization: 'Basic x' })).toBe(expected);
  });
});

describe('without cacheControl only method and status decide', () => {
  const off = { cacheControl: false, allowableCodes: new Set([200]) };

  test.each<[string, number, string]>([
    ['GET', 200, 'storable'],
    ['HEAD', 200, 'storable'],
    ['POST', 200, 'method'],
    ['GET', 404, 'status'],
  ])('%s answered with %d', (method, status, expected) => {
    const answer = response({ 'cache-control': 'no-store' }, status);
    expect(storageObstacle(request({}, method), answer, rules(off), undefined) ?? 'storable').toBe(expected);
  });
});

describe('RFC 9110 section 9.3.3: a POST that answers later GETs', () => {
  const lifetime = { 'cache-control': 'max-age=60' };

  test.each<[string, string, number, Headers, boolean]>([
    ['absolute', 'POST', 200, { ...lifetime, 'content-location': 'https://example.org/items/1' }, true],
    ['relative', 'POST', 200, { ...lifetime, 'content-location': '/items/1' }, true],
    ['empty', 'POST', 200, { ...lifetime, 'content-location': '' }, true],
    ['Expires', 'POST', 200, { expires: httpDate(60), 'content-location': '1' }, true],
    ['another URL', 'POST', 200, { ...lifetime, 'content-location': '/items/2' }, false],
    ['no URL', 'POST', 200, { ...lifetime, 'content-location': 'https://[' }, false],
    ['no Content-Location', 'POST', 200, lifetime, false],
    ['no lifetime', 'POST', 200, { 'content-location': '/items/1' }, false],
    ['a lifetime that is over', 'POST', 200, { 'cache-control': 'max-age=0', 'content-location': '/items/1' }, false],
    ['another status', 'POST', 201, { ...lifetime, 'content-location': '/items/1' }, false],
    ['another method', 'PUT', 200, { ...lifetime, 'content-location': '/items/1' }, false],
  ])('%s', (_, method, status, headers, expected) => {
    expect(answersLaterGets(request({}, method), response(headers, status), rules(), NOW)).toBe(expected);
  });

  test('not without cacheControl', () => {
    const answer = response({ ...lifetime, 'content-location': '/items/1' });
    expect(answersLaterGets(request({}, 'POST'), answer, rules({ cacheControl: false }), NOW)).toBe(false);
  });
});

describe('RFC 9111 section 3.1: fields that are stored', () => {
  const kept = (headers: Headers, changes: Partial<Rules> = {}) =>
    Object.keys(storedFields(fields(headers), rules(changes))).sort();

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Authenticate',
    'Proxy-Authentication-Info',
    'Proxy-Authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('%s is not, in any mode', (name) => {
    expect(kept({ [name]: 'x', b: '2' })).toEqual(['b']);
    expect(kept({ [name]: 'x', b: '2' }, { cacheControl: false })).toEqual(['b']);
  });

  test.each<[string, Headers, string[]]>([
    ['what Connection lists', { connection: 'a, B', a: '1', b: '2', c: '3' }, ['c']],
    ['what no-cache lists', { 'cache-control': 'no-cache="a, b"', a: '1', b: '2', c: '3' }, ['cache-control', 'c']],
    ['what private lists, in a private cache', { 'cache-control': 'private="a"', a: '1' }, ['a', 'cache-control']],
    [
      'fields that mean something',
      { 'content-type': 'a/b', etag: '"a"', __proto__x: '1' },
      ['__proto__x', 'content-type', 'etag'],
    ],
  ])('%s', (_, headers, expected) => {
    expect(kept(headers)).toEqual(expected.sort());
  });

  test('fields listed in private, in a shared cache', () => {
    expect(kept({ 'cache-control': 'private="a"', a: '1' }, { shared: true })).toEqual(['cache-control']);
  });

  test('without cacheControl the lists are ignored', () => {
    expect(kept({ 'cache-control': 'no-cache="a"', a: '1' }, { cacheControl: false })).toEqual(['a', 'cache-control']);
  });
});

test('never throws, whatever the headers are', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.dictionary(text, text), text, (headers, cacheControl) => {
      const answer = response({ ...headers, 'cache-control': cacheControl, 'content-location': cacheControl });
      expect(() => storageObstacle(request(headers), answer, rules({ shared: true }), undefined)).not.toThrow();
      expect(typeof answersLaterGets(request({}, 'POST'), answer, rules(), NOW)).toBe('boolean');
      expect(storedFields(answer.headers, rules())).not.toHaveProperty('connection');
    }),
  );
  expect(Object.keys(storedFields(fields({ connection: 'a,'.repeat(500_000), a: '1' }), rules()))).toEqual([]);
});

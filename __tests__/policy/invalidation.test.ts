import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { invalidation } from '../../lib/policy/invalidation.js';
import { fields } from '../../lib/policy/messages.js';
import type { Rules } from '../../lib/policy/rules.js';
import { rules } from '../support/messages.js';

const TARGET = 'https://example.org/items/1?a=1';

function invalidationOf(
  method: string,
  status = 200,
  headers: Record<string, unknown> = {},
  changes: Partial<Rules> = {},
) {
  const request = { method, url: TARGET, headers: fields({}) };
  return invalidation(request, { status, headers: fields(headers) }, rules(changes));
}

function urlsOf(method: string, status: number, headers: Record<string, unknown> = {}): readonly string[] {
  return invalidationOf(method, status, headers)?.urls ?? [];
}

describe('RFC 9111 section 4.4: which answers invalidate', () => {
  test.each<[string, number, boolean]>([
    ['POST', 200, true],
    ['PUT', 204, true],
    ['DELETE', 200, true],
    ['PATCH', 200, true],
    ['M-SEARCH', 200, true],
    ['POST', 303, true],
    ['POST', 400, false],
    ['POST', 500, false],
    ['POST', 101, false],
    ['GET', 200, false],
    ['HEAD', 200, false],
    ['OPTIONS', 200, false],
    ['TRACE', 200, false],
    ['QUERY', 200, false],
    ['PROPFIND', 200, false],
    ['REPORT', 200, false],
    ['SEARCH', 200, false],
  ])('%s answered with %d: %p', (method, status, expected) => {
    expect(urlsOf(method, status)).toEqual(expected ? [TARGET] : []);
  });
});

describe('RFC 9111 section 4.4: responses of which methods', () => {
  test.each<[string, string[] | undefined, string | undefined]>([
    ['POST', undefined, undefined],
    ['POST', ['GET', 'HEAD'], undefined],
    ['POST', ['GET', 'POST'], 'POST'],
    ['PUT', ['GET', 'POST'], undefined],
  ])('%s with allowableMethods %j: all but %p', (method, allowed, expected) => {
    const changes = allowed ? { allowableMethods: new Set(allowed) } : {};
    expect(invalidationOf(method, 200, {}, changes)).toEqual({ urls: [TARGET], exceptMethod: expected });
  });
});

describe('RFC 9111 section 4.4: which URLs', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an absolute Location', { location: 'https://example.org/items/2' }, ['https://example.org/items/2']],
    ['a relative Location', { location: '2' }, ['https://example.org/items/2']],
    ['Content-Location', { 'content-location': '/other' }, ['https://example.org/other']],
    ['both', { location: '/a', 'content-location': '/b#part' }, ['https://example.org/a', 'https://example.org/b']],
    ['the target again', { location: TARGET, 'content-location': '' }, []],
    ['the default port', { location: 'https://example.org:443/a' }, ['https://example.org/a']],
    ['another host', { location: 'https://example.com/items/2' }, []],
    ['another scheme', { location: 'http://example.org/items/2' }, []],
    ['another port', { location: 'https://example.org:444/items/2' }, []],
    ['no URL', { location: 'https://[', 'content-location': 'http://a b/' }, []],
    ['a scheme without an origin', { location: 'javascript:alert(1)' }, []],
  ])('%s', (_, headers, others) => {
    expect(urlsOf('POST', 201, headers)).toEqual([TARGET, ...others]);
  });
});

test('never throws, whatever the fields are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.webUrl(), (location, url) => {
      const origins = urlsOf('POST', 200, { location, 'content-location': url }).map((found) => new URL(found).origin);
      expect(new Set(origins)).toEqual(new Set(['https://example.org']));
    }),
  );
  expect(urlsOf('POST', 200, { location: '/'.repeat(1_000_000) })).toContain(TARGET);
});

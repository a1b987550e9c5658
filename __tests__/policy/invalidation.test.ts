import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { invalidated } from '../../lib/policy/invalidation.js';
import { fields } from '../../lib/policy/messages.js';

const TARGET = 'https://example.org/items/1?a=1';

function urlsOf(method: string, status: number, headers: Record<string, unknown> = {}) {
  return invalidated({ method, url: TARGET, headers: fields({}) }, { status, headers: fields(headers) });
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
  ])('%s answered with %d: %p', (method, status, expected) => {
    expect(urlsOf(method, status)).toEqual(expected ? [TARGET] : []);
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

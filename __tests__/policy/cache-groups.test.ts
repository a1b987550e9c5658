import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cacheGroups, groupsInvalidatedBy } from '../../lib/policy/cache-groups.js';
import { fields } from '../../lib/policy/messages.js';
import { response } from '../support/messages.js';

function list(count: number, length = 1): string {
  return Array.from({ length: count }, (_, index) => `"${String(index).padStart(length, 'x')}"`).join(', ');
}

describe('RFC 9875 section 2: the groups of a response', () => {
  test.each<[unknown, readonly string[]]>([
    [undefined, []],
    ['', []],
    ['"a", "b";x=1', ['a', 'b']],
    ['"a", "A"', ['a', 'A']],
    ['"a", "a"', ['a']],
    [
      ['"a"', '"A"'],
      ['a', 'A'],
    ],
    ['"a", b', []],
    ['("a" "b")', []],
    ['"a",', []],
    ['""', ['']],
  ])('%j: %j', (value, expected) => {
    expect(cacheGroups(fields({ 'cache-groups': value }))).toEqual(expected);
  });

  test.each([
    [32, 32, true],
    [128, 256, true],
    [129, 3, false],
    [1, 257, false],
  ])('%d groups of %d characters are accepted: %p', (count, length, accepted) => {
    const groups = cacheGroups(fields({ 'cache-groups': list(count, length) }));
    expect(groups === 'too-many').toBe(!accepted);
    if (accepted) expect(groups).toHaveLength(count);
  });
});

function invalidated(method: string | undefined, value: string | undefined, status = 200, url = 'https://a/9') {
  return groupsInvalidatedBy({ method, url }, response({ 'cache-group-invalidation': value }, status));
}

describe('RFC 9875 section 3: which groups a response invalidates', () => {
  test.each<[string, string, number, readonly string[] | undefined]>([
    ['POST', '"y"', 200, ['y']],
    ['POST', '"Y"', 200, ['Y']],
    ['POST', '"y", z', 200, undefined],
    ['POST', '"y", "z", "y"', 200, ['y', 'z']],
    ['POST', '"y"', 303, ['y']],
    ['PUT', '"y"', 204, ['y']],
    ['UNKNOWN', '"y"', 200, ['y']],
    ['POST', '"y"', 404, undefined],
    ['POST', '"y"', 500, undefined],
    ['POST', '"y"', 101, undefined],
    ['GET', '"y"', 200, undefined],
    ['HEAD', '"y"', 200, undefined],
    ['OPTIONS', '"y"', 200, undefined],
    ['TRACE', '"y"', 200, undefined],
    ['QUERY', '"y"', 200, undefined],
    ['PROPFIND', '"y"', 200, undefined],
    ['REPORT', '"y"', 200, undefined],
    ['SEARCH', '"y"', 200, undefined],
  ])('%s, %s, %d: %j', (method, value, status, expected) => {
    expect(invalidated(method, value, status)?.groups).toEqual(expected);
  });

  test('a method that is not known invalidates none', () => {
    expect(invalidated(undefined, '"y"')).toBeUndefined();
  });

  test('the groups are those of the origin of the hop: scheme, host and port', () => {
    expect(invalidated('POST', '"y"', 200, 'https://A:443/1?q#f')?.origin).toBe('https://a');
    expect(invalidated('POST', '"y"', 200, 'http://a:8080/')?.origin).toBe('http://a:8080');
  });
});

test('never throws, whatever the fields are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(() => [cacheGroups(fields({ 'cache-groups': value })), invalidated('POST', value)]).not.toThrow();
    }),
  );
});

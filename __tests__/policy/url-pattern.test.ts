import { describe, expect, test } from '@jest/globals';
import { compileUrlPattern, urlMatch } from '../../lib/policy/url-pattern.js';

describe('globs', () => {
  test.each<[string, string, boolean]>([
    ['site.com/resource/', 'https://site.com/resource/', true],
    ['site.com/resource/', 'https://site.com/resource', true],
    ['site.com/resource/', 'https://site.com/resource/1/2?x', true],
    ['site.com/resource/', 'https://site.com/resource2', false],
    ['site.com/resource', 'https://site.com/resource/1', true],
    ['site.com/resource', 'https://site.com/resource-1', false],
    ['site.com/resource*', 'https://site.com/resource-1', true],
    ['site.com', 'https://site.com/any/thing', true],
    ['site.com', 'https://www.site.com/', false],
    ['*.site.com', 'https://www.site.com/', true],
    ['*.site.com', 'https://a.b.site.com/', true],
    ['*.site.com', 'https://site.com/', false],
    ['**.site.com', 'https://a.b.site.com/', true],
    ['*', 'https://any.example/thing', true],
    ['*/slow', 'https://any.example/slow', true],
    ['site.com/*/list', 'https://site.com/a/b/list', true],
    ['site.com/*/list', 'https://site.com/a/list/1', true],
    ['site.com/a.b', 'https://site.com/axb', false],
    ['http://site.com/', 'https://site.com/', true],
    ['SITE.com', 'https://site.com/', true],
    ['site.com/Path', 'https://site.com/path', false],
    ['site.com:8080', 'https://site.com:8080/', true],
    ['site.com:8080', 'https://site.com/', false],
    ['site.com:443', 'https://site.com/', true],
    ['site.com', 'https://site.com:8080/', true],
    ['api.example.com', 'https://api.example.com.evil.net/', false],
    ['api.example.com', 'https://evil.net/api.example.com', false],
    ['api.example.com', 'https://api.example.com@evil.net/', false],
    ['api.example.com', 'https://evil.net/?api.example.com', false],
    ['*.example.com', 'https://evil.net/.example.com', false],
    ['site.com/a', 'https://site.com?/a', false],
  ])('%s and %s: %p', (pattern, url, matches) => {
    expect(compileUrlPattern(pattern, 'urls').matches(url)).toBe(matches);
  });
});

describe('a RegExp', () => {
  test('sees the whole URL', () => {
    expect(urlMatch('https://site.com/a?x=1', /\?x=1$/)).toBe(true);
  });

  test('has no memory of its last match', () => {
    const { matches } = compileUrlPattern(/site/g, 'urls');
    expect([matches('https://site.com/'), matches('https://site.com/')]).toEqual([true, true]);
  });
});

describe('wrong patterns throw, and name the option', () => {
  test.each([['a.com/?x=1'], ['a.com/#x'], [''], [' '], ['a b'], [1], [null]])('%p', (pattern) => {
    expect(() => compileUrlPattern(pattern, 'urlsExpireAfter')).toThrow(
      /^urlsExpireAfter: .* is not accepted; expected a RegExp, or a glob/,
    );
  });
});

test('many stars and a long URL take no more than a walk', () => {
  const { matches } = compileUrlPattern(`site.com/${'*a'.repeat(8)}*b`, 'urls');
  for (let time = 0; time < 100; time += 1) expect(matches(`https://site.com/${'a'.repeat(8_000)}`)).toBe(false);
});

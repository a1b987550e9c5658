import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { compileUrlPattern } from '../../lib/policy/url-pattern.js';
import { expectLinear } from '../support/linear.js';

function matches(pattern: unknown, url: string, baseURL?: string): boolean {
  return compileUrlPattern(pattern, 'urls', { baseURL }).matches(url);
}

describe('patterns of host and path', () => {
  test.each<[string, string, boolean]>([
    ['site.com/resource/', 'https://site.com/resource/', true],
    ['site.com/resource/', 'https://site.com/resource', true],
    ['site.com/resource/', 'https://site.com/resource/1/2?x', true],
    ['site.com/resource/', 'https://site.com/resource2', false],
    ['site.com/resource', 'https://site.com/resource/1', true],
    ['site.com/resource', 'https://site.com/resource-1', false],
    ['site.com/resource*', 'https://site.com/resource-1', true],
    ['site.com/res*', 'https://site.com/resource/1', true],
    ['site.com', 'https://site.com/any/thing', true],
    ['site.com', 'https://www.site.com/', false],
    ['*.site.com', 'https://www.site.com/', true],
    ['*.site.com', 'https://a.b.site.com/', true],
    ['*.site.com', 'https://site.com/', false],
    ['**.site.com', 'https://a.b.site.com/', true],
    ['*site.com', 'https://site.com/', true],
    ['*site*', 'https://www.site.com/', true],
    ['*', 'https://any.example/thing', true],
    ['*/slow', 'https://any.example/slow', true],
    ['192.168.*.1', 'http://192.168.0.1/a', true],
    ['10.*', 'http://10.0.0.1/a', true],
    ['site.com/*/list', 'https://site.com/a/b/list', true],
    ['site.com/*/list', 'https://site.com/a/list/1', true],
    ['site.com/**/list', 'https://site.com/a/b/list', true],
    ['site.com/a*b*c', 'https://site.com/abcabc', true],
    ['site.com/ab*ba', 'https://site.com/aba', false],
    ['site.com/a.b', 'https://site.com/axb', false],
    ['site.com/a(b)+', 'https://site.com/a(b)+', true],
    ['http://site.com/', 'https://site.com/', true],
    ['//site.com/', 'https://site.com/', true],
    ['SITE.com', 'https://site.com/', true],
    ['site.com/Path', 'https://site.com/path', false],
    ['site.com:8080', 'https://site.com:8080/', true],
    ['site.com:8080', 'https://site.com/', false],
    ['site.com:443', 'https://site.com/', true],
    ['site.com:443', 'http://site.com/', false],
    ['site.com:80', 'http://site.com/', true],
    ['site.com:*', 'https://site.com:8080/', true],
    ['site.com', 'https://site.com:8080/', true],
    ['[::1]:8080/a', 'http://[::1]:8080/a', true],
    ['[0:0:0:0:0:0:0:1]', 'http://[::1]/', true],
    ['api.example.com', 'https://api.example.com.evil.net/', false],
    ['api.example.com', 'https://evil.net/api.example.com', false],
    ['api.example.com', 'https://api.example.com@evil.net/', false],
    ['api.example.com', 'https://evil.net/?api.example.com', false],
    ['*.example.com', 'https://evil.net/.example.com', false],
    ['site.com/a', 'https://site.com?/a', false],
    ['site.com/a/../b', 'https://site.com/b', true],
  ])('%s and %s: %p', (pattern, url, expected) => {
    expect(matches(pattern, new URL(url).href)).toBe(expected);
    expect(matches(pattern, url)).toBe(expected);
  });
});

describe('letters beyond ASCII: hosts in punycode, paths percent-encoded', () => {
  test.each<[string, string, boolean]>([
    ['site.com/wiki/Käse', 'https://site.com/wiki/Käse', true],
    ['site.com/wiki/K%C3%A4se', 'https://site.com/wiki/Käse', true],
    ['site.com/wiki/K%c3%a4se', 'https://site.com/wiki/K%C3%A4se', true],
    ['site.com/wiki/Käse', 'https://site.com/wiki/K%c3%a4se/alt', true],
    ['site.com/wiki/Kä*', 'https://site.com/wiki/Käsekuchen', true],
    ['site.com/*ä*', 'https://site.com/wiki/Käse', true],
    ['site.com/wiki/Käse', 'https://site.com/wiki/Kase', false],
    ['site.com/日本', 'https://site.com/日本/語', true],
    ['site.com/a b', 'https://site.com/a b', true],
    ['site.com/a b', 'https://site.com/a%20b', true],
    ['site.com/~a', 'https://site.com/%7Ea', true],
    ['site.com/a%2Fb', 'https://site.com/a/b', false],
    ['käse.de/brot', 'https://käse.de/brot', true],
    ['käse.de/brot', 'https://xn--kse-qla.de/brot', true],
    ['xn--kse-qla.de', 'https://käse.de/', true],
    ['KÄSE.de', 'https://käse.de/', true],
    ['*.käse.de', 'https://www.käse.de/', true],
    ['*.käse.de', 'https://käse.de/', false],
    ['käse.*', 'https://käse.example/', true],
    ['bücher.käse.*', 'https://bücher.käse.de/', true],
  ])('%s and %s: %p', (pattern, url, expected) => {
    expect(matches(pattern, new URL(url).href)).toBe(expected);
  });
});

describe('a path is combined with the base URL, as axios combines a relative URL', () => {
  test.each<[string, string, string, boolean]>([
    ['/posts', 'https://api.example.com', 'https://api.example.com/posts/1', true],
    ['/posts', 'https://api.example.com/', 'https://api.example.com/posts', true],
    ['/posts', 'https://api.example.com/v1', 'https://api.example.com/v1/posts', true],
    ['/posts', 'https://api.example.com/v1/', 'https://api.example.com/v1/posts/2?x', true],
    ['/posts', 'https://api.example.com/v1', 'https://api.example.com/posts', false],
    ['/posts', 'https://api.example.com', 'https://other.example.com/posts', false],
    ['/posts*', 'https://api.example.com', 'https://api.example.com/posts2', true],
    ['/', 'https://api.example.com/v1', 'https://api.example.com/v1/posts', true],
    ['/', 'https://api.example.com/v1', 'https://api.example.com/v2/posts', false],
    ['/*', 'https://api.example.com/v1', 'https://api.example.com/v1/posts', true],
    ['/*/list', 'http://localhost:3000', 'http://localhost:3000/a/b/list', true],
    ['/a', 'http://localhost:3000', 'http://localhost:3001/a', false],
    ['/Käse', 'https://käse.de/wiki', 'https://xn--kse-qla.de/wiki/K%C3%A4se', true],
    ['/a', 'https://user:password@api.example.com', 'https://api.example.com/a', true],
    ['/a', 'HTTPS://API.example.com', 'https://api.example.com/a', true],
  ])('%s with %s and %s: %p', (pattern, baseURL, url, expected) => {
    expect(matches(pattern, new URL(url).href, baseURL)).toBe(expected);
  });

  test.each([undefined, '', '/api', 'api.example.com', 'ftp://a.example/', 'http://'])('not with %p', (baseURL) => {
    expect(() => compileUrlPattern('/posts', 'invalidates', { baseURL })).toThrow(TypeError);
    expect(() => compileUrlPattern('/posts', 'invalidates', { baseURL })).toThrow(
      'invalidates: "/posts" is not accepted; expected a pattern that includes the host',
    );
  });

  test('a base URL does not change patterns with a host', () => {
    expect(matches('site.com/a', 'https://site.com/a', 'https://api.example.com')).toBe(true);
    expect(matches('//site.com/a', 'https://site.com/a', 'https://api.example.com')).toBe(true);
  });
});

describe('a RegExp', () => {
  test('is tested against the whole URL', () => {
    expect(matches(/\?x=1$/, 'https://site.com/a?x=1')).toBe(true);
    expect(matches(/token=secret/, 'https://user:pw@site.com/a?token=secret')).toBe(true);
  });

  test('does not continue where it stopped', () => {
    const { matches: test } = compileUrlPattern(/site/g, 'urls');
    expect([test('https://site.com/'), test('https://site.com/')]).toEqual([true, true]);
  });

  test('of another realm is one', () => {
    const pattern = runInNewContext('/site/');
    expect(pattern instanceof RegExp).toBe(false);
    expect(matches(pattern, 'https://site.com/')).toBe(true);
  });
});

describe('a wrong pattern throws, and the message names the option', () => {
  test.each([
    ['a.com/?x=1'],
    ['a.com/#x'],
    [''],
    [' '],
    [' a.com'],
    ['a b'],
    ['a.com:99999'],
    ['a.com:80:80'],
    ['http://'],
    ['[::1'],
    ['a<b.com/'],
    ['kä*se.de'],
    ['user@site.com'],
    [1],
    [null],
    [{}],
  ])('%p', (pattern) => {
    expect(() => compileUrlPattern(pattern, 'urlsExpireAfter')).toThrow(TypeError);
    expect(() => compileUrlPattern(pattern, 'urlsExpireAfter')).toThrow(
      /^urlsExpireAfter: .* is not accepted; expected a RegExp, or a pattern/,
    );
  });

  test.each(['https://user:hunter2@site.com/a', 'user:hunter2@site.com/a'])('without userinfo: %s', (pattern) => {
    const message = (() => {
      try {
        compileUrlPattern(pattern, 'urls');
        return '';
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain('@site.com/a');
    expect(message).not.toContain('hunter2');
  });
});

test('time is linear in the length of the URL, also with many stars', () => {
  const pattern = compileUrlPattern(`site.com/${'*a'.repeat(8)}*b`, 'urls');
  return expectLinear((length) => pattern.matches(`https://site.com/${'a'.repeat(length)}`));
});

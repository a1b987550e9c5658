import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  directivesOf,
  forbidsTransform,
  listedFields,
  parseCacheControl,
  requestDirectives,
  seconds,
} from '../../lib/policy/cache-control.js';
import { fields } from '../../lib/policy/messages.js';

const MEGABYTE = 1_000_000;

describe('RFC 9111 section 5.2: directives', () => {
  test.each<[string | string[], Record<string, string | null>]>([
    ['max-age=60', { 'max-age': '60' }],
    ['MaX-aGe=60, NO-STORE', { 'max-age': '60', 'no-store': null }],
    ['  public ,, max-age=60 ,', { public: null, 'max-age': '60' }],
    [['max-age=60', 'no-cache'], { 'max-age': '60', 'no-cache': null }],
    ['max-age="60"', { 'max-age': '60' }],
    ['private="a, b", max-age=1', { private: 'a, b', 'max-age': '1' }],
    ['ext="max-age=3600", max-age=1', { ext: 'max-age=3600', 'max-age': '1' }],
    ['ext="a\\"b, no-store", public', { ext: 'a"b, no-store', public: null }],
    ['=60, public', { public: null }],
    ['', {}],
    [',,,', {}],
  ])('%p', (text, directives) => {
    expect(Object.fromEntries(parseCacheControl(text))).toEqual(directives);
  });

  test('an unclosed quoted string hides no later directive', () => {
    const directives = parseCacheControl('ext="abc, no-store, max-age=60');
    expect([directives.has('no-store'), seconds(directives, 'max-age')]).toEqual([true, 60]);
  });

  test('a directive named like a member of Object.prototype is an ordinary extension', () => {
    expect(parseCacheControl('__proto__=1, constructor').get('constructor')).toBeNull();
    expect(seconds(parseCacheControl('public'), 'constructor')).toBeUndefined();
  });
});

describe('RFC 9111 section 1.2.2: delta-seconds', () => {
  test.each<[string, number | undefined]>([
    ['max-age=0', 0],
    ['max-age=3600', 3_600],
    ['max-age=003600', 3_600],
    ['max-age="3600"', 3_600],
    ['max-age=2147483648', 2 ** 31],
    ['max-age=99999999999', 2 ** 31],
    [`max-age=${'9'.repeat(400)}`, 2 ** 31],
    ['public', undefined],
    ['xmax-age=60', undefined],
  ])('%p', (text, expected) => {
    expect(seconds(parseCacheControl(text), 'max-age')).toBe(expected);
  });

  test.each([
    'max-age',
    'max-age=',
    'max-age=-60',
    'max-age=+60',
    'max-age=3600.0',
    'max-age=1e3',
    'max-age=0x10',
    'max-age=a60',
    'max-age=60a',
    "max-age='60'",
    'max-age="60',
    'max-age="60"0',
    'max-age= 60',
    'max-age =60',
    'max-age=6 0',
    'max-age=60;',
    'max-age=٦',
  ])('a malformed %p gives no lifetime', (text) => {
    expect(seconds(parseCacheControl(text), 'max-age')).toBe(0);
  });

  test.each<[string, string, number]>([
    ['max-stale', 'max-stale', Number.POSITIVE_INFINITY],
    ['max-stale=abc', 'max-stale', 0],
    ['max-stale =5', 'max-stale', 0],
    ['max-stale=', 'max-stale', 0],
    ['stale-if-error=abc', 'stale-if-error', 0],
    ['stale-while-revalidate', 'stale-while-revalidate', 0],
    ['min-fresh=abc', 'min-fresh', Number.POSITIVE_INFINITY],
    ['min-fresh', 'min-fresh', Number.POSITIVE_INFINITY],
    ['min-fresh=5', 'min-fresh', 5],
  ])('%p is read strictly', (text, name, expected) => {
    expect(seconds(parseCacheControl(text), name)).toBe(expected);
  });
});

describe('RFC 9111 section 4.2.1: the strictest of conflicting arguments counts', () => {
  test.each<[string | string[], string, number]>([
    ['max-age=1800, max-age=1', 'max-age', 1],
    ['max-age=1, max-age=1800', 'max-age', 1],
    [['max-age=1800', 'max-age=1'], 'max-age', 1],
    ['max-age=60, max-age=abc', 'max-age', 0],
    ['max-age=abc, max-age=60', 'max-age', 0],
    ['max-stale=5, max-stale', 'max-stale', 5],
    ['max-stale, max-stale=5', 'max-stale', 5],
    ['min-fresh=1, min-fresh=100', 'min-fresh', 100],
    ['min-fresh=100, min-fresh=x', 'min-fresh', Number.POSITIVE_INFINITY],
  ])('%p', (text, name, expected) => {
    expect(seconds(parseCacheControl(text), name)).toBe(expected);
  });
});

describe('RFC 9111 sections 5.2.2.4 and 5.2.2.7: fields listed in no-cache and private', () => {
  test.each<[string, readonly string[] | 'all' | undefined]>([
    ['public', undefined],
    ['private', 'all'],
    ['private="Set-Cookie"', ['set-cookie']],
    ['private=Set-Cookie', ['set-cookie']],
    ['private="a , B,,c"', ['a', 'b', 'c']],
    ['private="a", private="b"', ['a', 'b']],
    ['private="a", private', 'all'],
    ['private, private="a"', 'all'],
    ['private=""', 'all'],
    ['private=","', 'all'],
    ['private="a b"', 'all'],
    ['private="a', 'all'],
    ['private= "a"', 'all'],
    ['private="a", private="b', 'all'],
  ])('%p', (text, expected) => {
    expect(listedFields(parseCacheControl(text), 'private')).toEqual(expected);
  });
});

describe('RFC 9111 section 5.4: Pragma', () => {
  test.each([
    [{ pragma: 'no-cache' }, true],
    [{ pragma: 'No-Cache, x=1' }, true],
    [{ pragma: ['x', 'no-cache'] }, true],
    [{ pragma: 'unknown-extension' }, false],
    [{ pragma: 'no-cache', 'cache-control': 'max-age=60' }, false],
    [{ 'cache-control': 'no-cache' }, true],
    [{}, false],
  ])('%p', (headers, expected) => {
    expect(requestDirectives(fields(headers)).has('no-cache')).toBe(expected);
  });
});

test('a headers object is parsed once', () => {
  const headers = fields({ 'cache-control': 'max-age=60' });
  expect(directivesOf(headers)).toBe(directivesOf(headers));
});

describe('malformed input', () => {
  test('never throws, and returns only strings and null', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-c=",\\ ]*$/));
    fc.assert(
      fc.property(text, (value) => {
        for (const [name, argument] of parseCacheControl(value)) {
          expect(name).toBe(name.trim().toLowerCase());
          expect(argument === null || typeof argument === 'string').toBe(true);
        }
      }),
    );
  });

  test.each([
    ['commas', ','],
    ['spaces', ' '],
    ['equals signs', '='],
    ['quotes', '"'],
    ['unclosed quoted strings', 'a="\\",'],
    ['quotes after equals signs', '="'],
    ['backslashes', '\\'],
    ['spaces before equals signs', ' ='],
    ['repeated lists', 'private="a",'],
    ['repeated numbers', 'max-age=1,'],
  ])('1 MB of %s', (_, unit) => {
    const directives = parseCacheControl(`x="${unit.repeat(MEGABYTE / unit.length)}`);
    listedFields(directives, 'private');
    expect(directives.size).toBeLessThan(10);
  });
});

test.each<[string | string[] | undefined, boolean]>([
  ['no-transform', true],
  ['max-age=0, No-Transform', true],
  [['max-age=0', 'no-transform'], true],
  ['max-age=0', false],
  [undefined, false],
])('RFC 9111 section 5.2.1.6: %j forbids transformations of the content: %p', (cacheControl, expected) => {
  expect(forbidsTransform(fields({ 'cache-control': cacheControl }))).toBe(expected);
});

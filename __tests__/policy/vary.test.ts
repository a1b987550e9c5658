import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fields } from '../../lib/policy/messages.js';
import { isSelectedBy, matchesVary, variantOf, varyNames } from '../../lib/policy/vary.js';

const all = () => true;

describe('RFC 9110 section 12.5.5: Vary', () => {
  test.each<[unknown, readonly string[] | '*']>([
    [undefined, []],
    ['', []],
    [',', []],
    ['Foo', ['foo']],
    ['Foo, bar,BAZ', ['bar', 'baz', 'foo']],
    ['Foo,foo , FOO', ['foo']],
    [
      ['Foo', 'Bar'],
      ['bar', 'foo'],
    ],
    ['__proto__', ['__proto__']],
    ['*', '*'],
    ['*, *', '*'],
    [['*', '*'], '*'],
    [', *', '*'],
    [['', '*'], '*'],
    ['*, Foo', '*'],
    ['Foo, *', '*'],
  ])('%p', (vary, expected) => {
    expect(varyNames(fields({ vary }), all)).toEqual(expected);
  });

  test('fields that do not count are left out; `*` always counts', () => {
    const counts = (name: string) => name !== 'cookie' && name !== '*';
    expect(varyNames(fields({ vary: 'Cookie, Foo' }), counts)).toEqual(['foo']);
    expect(varyNames(fields({ vary: 'Cookie' }), counts)).toEqual([]);
    expect(varyNames(fields({ vary: '*' }), counts)).toBe('*');
  });
});

function variant(headers: Record<string, unknown>, names: readonly string[] = Object.keys(headers)): string {
  return variantOf(names, fields(headers));
}

describe('RFC 9111 section 4.1: requests that match the same variant', () => {
  test.each<[string, string | string[], string | string[]]>([
    ['foo', '1', '1'],
    ['foo', '1,2', ' 1, 2 '],
    ['foo', '1, 2', ['1', '2']],
    ['accept-language', 'en, de', 'eN, De'],
    ['accept-language', 'en, de', ' en ,   de'],
    ['accept-language', 'en;q=0.5, de', 'de;q=1.0, EN ; Q=0.50'],
    ['accept-language', 'en;q=.5, de', 'DE,en;q=0.5'],
    ['accept-language', 'fr;q=0.1, en;q=0.5, de', 'de, en;q=0.5, fr;q=0.1'],
    ['accept-language', 'de, en;q=0.5, fr;q=0.5', 'en;q=0.5, fr;q=0.5, de'],
    ['accept-encoding', 'gzip, br', 'GZIP,,br'],
    ['accept', 'text/html, */*;q=0.8', '*/*;q=0.800,Text/HTML'],
  ])('%s: %p and %p', (name, one, other) => {
    expect(variant({ [name]: one })).toBe(variant({ [name]: other }));
  });
});

describe('RFC 9111 section 4.1: requests that do not match', () => {
  test.each<[string, unknown, unknown]>([
    ['foo', '1', '2'],
    ['foo', '1', undefined],
    ['foo', '', undefined],
    ['foo', '1, 2', '2, 1'],
    ['foo', 'a', 'A'],
    ['foo', '"a , b"', '"a,b"'],
    ['accept-language', 'en, de', 'de, en'],
    ['accept-language', 'de, en;q=0.5, fr;q=0.5', 'de, fr;q=0.5, en;q=0.5'],
    ['accept', 'text/html, application/json', 'application/json, text/html'],
    ['accept-encoding', 'br, gzip', 'gzip, br'],
    ['accept-charset', 'utf-8, iso-8859-1', 'iso-8859-1, utf-8'],
    ['accept-language', 'en;q=0.5, de', 'en, de;q=0.5'],
    ['accept-language', 'en;q=2, de', 'de, en;q=2'],
    ['accept-language', 'en;q=1.5', 'en;q=2.5'],
    ['accept', 'a/b;v=X', 'a/b;v=x'],
    ['accept', 'a/b;p="1,2", c/d;p="3,4"', 'a/b;p="1,4", c/d;p="3,2"'],
  ])('%s: %p and %p', (name, one, other) => {
    expect(variant({ [name]: one }, [name])).not.toBe(variant({ [name]: other }, [name]));
  });

  test('values of different fields stay apart', () => {
    expect(variant({ a: 'b', c: 'd' })).not.toBe(variant({ a: 'b","c":"d' }, ['a', 'c']));
    expect(variant({ a: '1' }, ['a', 'b'])).not.toBe(variant({ b: '1' }, ['a', 'b']));
  });
});

describe('RFC 9111 section 4.1: selection by language', () => {
  const vary = ['accept-language', 'foo'];
  const asked = fields({ 'accept-language': 'en, de', foo: '1' });

  function selected(acceptLanguage: string | undefined, contentLanguage: string | undefined, foo = '1'): boolean {
    const headers = fields({ 'content-language': contentLanguage });
    const stored = { vary, variant: variantOf(vary, asked), headers, request: { headers: asked } };
    return matchesVary(stored, fields({ 'accept-language': acceptLanguage, foo }));
  }

  test.each<[string | undefined, string | undefined, boolean]>([
    ['EN , de', undefined, true],
    ['de, en', undefined, false],
    ['fr;q=0.5, de;q=1.0', 'de', true],
    ['fr;q=0.5, DE', 'De', true],
    ['de;q=0.2', 'de', true],
    ['fr;q=0.5, de;q=1.0', undefined, false],
    ['fr;q=0.5, de;q=1.0', 'en', false],
    ['fr;q=0.5, de;q=1.0', 'de, en', false],
    ['fr, de', 'de', false],
    ['de;q=0', 'de', false],
    ['de;q=x', 'de', false],
    [undefined, 'de', false],
    ['', '', false],
  ])('Accept-Language: %s, Content-Language: %s: %p', (acceptLanguage, contentLanguage, expected) => {
    expect(selected(acceptLanguage, contentLanguage)).toBe(expected);
  });

  test('all other fields must be equal', () => {
    expect(selected('de', 'de', '2')).toBe(false);
  });

  test('the stored request may have no Accept-Language', () => {
    const stored = { vary, variant: variantOf(vary, fields({})), headers: fields({ 'content-language': 'de' }) };
    expect(matchesVary({ ...stored, request: { headers: fields({}) } }, fields({ 'accept-language': 'de' }))).toBe(
      true,
    );
  });

  test('without Vary every request matches', () => {
    expect(matchesVary({ vary: [], variant: '', headers: fields({}), request: { headers: fields({}) } }, asked)).toBe(
      true,
    );
  });
});

test('32 hex digits, whatever the fields are; nothing without fields', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (value, vary) => {
      const names = varyNames(fields({ vary }), all);
      const headers = { 'accept-language': value, foo: value };
      const expected = names === '*' || names.length === 0 ? /^$/ : /^[\da-f]{32}$/;
      expect(variantOf(names === '*' ? [] : names, fields(headers))).toMatch(expected);
      expect(variant(headers)).toMatch(/^[\da-f]{32}$/);
    }),
  );
});

test.each([',', ';', 'q=', ' ', '"', 'a;q=0.5,'])('1 MB of %p', (unit) => {
  const value = unit.repeat(1_000_000 / unit.length);
  expect(variant({ 'accept-language': value, accept: value, foo: value })).toHaveLength(32);
  expect(varyNames(fields({ vary: value }), all).length).toBeLessThan(3);
});

test.each([
  [['a', 'b'], true],
  [['a'], false],
  [[], false],
  ['*', false],
] as const)('a response that was selected by a and b is selected by %j: %s', (names, expected) => {
  expect(isSelectedBy({ vary: ['a', 'b'] }, names)).toBe(expected);
});

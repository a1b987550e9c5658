import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDictionaryField, parseStringList, serializeTokenOrString } from '../../lib/policy/structured-fields.js';

describe('RFC 9651: a List of Strings', () => {
  test.each<[string | string[], readonly string[] | undefined]>([
    ['"a", "b";x=1', ['a', 'b']],
    ['"a", "b";x=1, c', undefined],
    ['("a" "b")', undefined],
    ['"a", 1', undefined],
    ['"a", @1', undefined],
    ['"a", ?1', undefined],
    ['"a", :YQ==:', undefined],
    ['"a",', undefined],
    ["'a'", undefined],
    ['"a" "b"', undefined],
    ['"é"', undefined],
    ['"a\n"', undefined],
    ['"a', undefined],
    ['"a" and "A"', undefined],
    ['"a", "A"', ['a', 'A']],
    [
      ['"a"', '"A"'],
      ['a', 'A'],
    ],
    [['"a"', 'b'], undefined],
    ['"a\\"b\\\\"', ['a"b\\']],
    ['', []],
    ['  "a"  ', ['a']],
  ])('%j: %j', (value, expected) => {
    expect(parseStringList(value)).toEqual(expected);
  });
});

describe('RFC 9651: a Dictionary', () => {
  test.each<[string | string[], Record<string, unknown> | undefined]>([
    ['a', { a: { type: 'boolean', value: true } }],
    ['a=?0', { a: { type: 'boolean', value: false } }],
    ['a=1;x', { a: { type: 'integer', value: 1 } }],
    ['a=1.5', { a: { type: 'other' } }],
    ['a="b"', { a: { type: 'string', value: 'b' } }],
    ['a=b', { a: { type: 'token', value: 'b' } }],
    ['a=("b")', { a: { type: 'other' } }],
    ['a=1, a=2', { a: { type: 'integer', value: 2 } }],
    [['a=1', 'b'], { a: { type: 'integer', value: 1 }, b: { type: 'boolean', value: true } }],
    ['A=1', undefined],
    ['a = 1', undefined],
    ['a=1,', undefined],
    ['a=1, &&&', undefined],
    ['', {}],
  ])('%j: %j', (value, expected) => {
    const members = parseDictionaryField(value);
    expect(members && Object.fromEntries(members)).toEqual(expected);
  });
});

test('neither parser throws, whatever the field is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (value) => {
      expect(() => [parseStringList(value), parseDictionaryField(value)]).not.toThrow();
    }),
  );
});

describe('serializeTokenOrString', () => {
  test.each([
    ['stale-if-error', 'stale-if-error'],
    ['ERR_CACHE_STORE', 'ERR_CACHE_STORE'],
    ['no space', '"no space"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['4 is no token', '"4 is no token"'],
    ['Käse\n', '"K?se?"'],
    ['', '""'],
  ])('%p: %p', (text, expected) => {
    expect(serializeTokenOrString(text)).toBe(expected);
  });
});

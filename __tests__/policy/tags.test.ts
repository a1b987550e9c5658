import { describe, expect, test } from '@jest/globals';
import { combineTags, parseTags } from '../../lib/policy/tags.js';

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `tag-${index}`);

describe('parseTags', () => {
  test.each<[unknown, readonly string[]]>([
    ['users', ['users']],
    [[], []],
    [
      ['a', 'A', 'a'],
      ['a', 'A'],
    ],
    [['user:1 of "x", y'], ['user:1 of "x", y']],
    [['x'.repeat(256)], ['x'.repeat(256)]],
    [['é'.repeat(256)], ['é'.repeat(256)]],
    [['😀'.repeat(256)], ['😀'.repeat(256)]],
  ])('%j', (value, expected) => {
    expect(parseTags(value, 'tags')).toEqual(expected);
  });

  test.each<[unknown, string]>([
    ['', 'tags: "" is not accepted; expected up to 128 strings'],
    [['a', ''], 'tags[1]: "" is not accepted'],
    [['a', 1], 'tags[1]: 1 is not accepted'],
    [['x'.repeat(257)], 'tags[0]: "xxx'],
    [['😀'.repeat(257)], 'tags[0]: "'],
    [['user:*'], 'tags[0]: "user:*" is not accepted'],
    [['a\nb'], 'tags[0]: "a\\nb" is not accepted'],
    [['\ud800'], 'tags[0]: "'],
    [null, 'tags: null is not accepted'],
    [{ a: 1 }, 'tags: {"a":1} is not accepted'],
    [new Set(['a']), 'tags: {} is not accepted'],
    [numbered(129), 'tags: "129 tags" is not accepted'],
  ])('refuses %j', (value, message) => {
    expect(() => parseTags(value, 'tags')).toThrow(TypeError);
    expect(() => parseTags(value, 'tags')).toThrow(message);
  });

  test('128 tags are accepted', () => {
    expect(parseTags(numbered(128), 'tags')).toHaveLength(128);
  });
});

test('lists add up, each tag once, to at most 128', () => {
  expect(
    combineTags(
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
      'tags',
    ),
  ).toEqual(['a', 'b', 'c']);
  expect(combineTags([numbered(128), ['tag-0']], 'tags')).toHaveLength(128);
  expect(() => combineTags([numbered(128), ['more']], 'tags')).toThrow('tags: "129 tags" is not accepted');
});

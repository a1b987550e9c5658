import { describe, expect, test } from '@jest/globals';
import { field, fields } from '../../lib/policy/messages.js';

describe('fields', () => {
  test('names are lower case, absent values are left out, lines stay lines', () => {
    const result = fields({
      Accept: 'a',
      'X-None': undefined,
      'X-Null': null,
      'X-False': false,
      Via: ['a', 'b'],
      N: 1,
    });
    expect({ ...result }).toEqual({ accept: 'a', via: ['a', 'b'], n: '1' });
  });

  test('a field named __proto__ is data', () => {
    const result = fields(JSON.parse('{"__proto__":"evil"}') as Record<string, unknown>);
    expect(Object.keys(result)).toEqual(['__proto__']);
    expect(['evil' in result, 'toString' in result]).toEqual([false, false]);
  });

  test('field combines the lines of one field (RFC 9110 section 5.3)', () => {
    const headers = fields({ via: ['a', 'b'], age: '1' });
    expect([field(headers, 'via'), field(headers, 'age'), field(headers, 'date')]).toEqual(['a, b', '1', undefined]);
  });
});

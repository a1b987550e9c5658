import { describe, expect, test } from '@jest/globals';
import { CacheError, optionError, UnsupportedOperationError } from '../lib/errors.js';

describe('errors', () => {
  test('an option error names option, value and what is accepted', () => {
    const error = optionError('expireAfter', '60', 'seconds as a number');
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('expireAfter: "60" is not accepted; expected seconds as a number');
  });

  test.each([
    [Number.NaN, 'NaN'],
    [10n, '10n'],
    [new Date(Number.NaN), 'an invalid Date'],
    [{ a: 1 }, '{"a":1}'],
    ['x'.repeat(100), `"${'x'.repeat(79)}…"`],
  ])('any value is rendered: %p', (value, text) => {
    expect(optionError('o', value, 'x').message).toContain(`o: ${text} is`);
  });

  test('a cyclic value does not make the message throw', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(optionError('o', cyclic, 'x').message).toContain('[object Object]');
  });

  test('coded errors keep their cause', () => {
    const cause = new Error('disk');
    expect(new CacheError('ERR_CACHE_STORE', 'm', { cause })).toMatchObject({
      name: 'CacheError',
      code: 'ERR_CACHE_STORE',
      cause,
    });
    expect(new UnsupportedOperationError('m').code).toBe('ERR_CACHE_UNSUPPORTED');
  });
});

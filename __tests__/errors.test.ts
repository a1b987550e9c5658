import { describe, expect, test } from '@jest/globals';
import {
  CacheError,
  describeOption,
  optionError,
  UnsupportedOperationError,
  unknownOptionError,
} from '../lib/errors.js';

describe('errors', () => {
  test('an option error names the option, the value and the accepted values', () => {
    const error = optionError('expireAfter', '60', 'seconds as a number');
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('expireAfter: "60" is not accepted; expected seconds as a number');
  });

  test.each([
    [Number.NaN, 'NaN'],
    [10n, '10n'],
    [new Date(Number.NaN), 'an invalid Date'],
    [{ a: 1 }, '{"a":1}'],
    ['x'.repeat(100), `"${'x'.repeat(77)}..."`],
  ])('any value is rendered: %p', (value, text) => {
    expect(optionError('o', value, 'x').message).toContain(`o: ${text} is`);
  });

  test('a cyclic value does not make the message throw', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(optionError('o', cyclic, 'x').message).toContain('[object Object]');
  });

  test.each<[unknown, string]>([
    ['redis://user:hunter2@localhost', '"redis://...@localhost"'],
    [{ url: 'redis://user:hunter2@localhost' }, '{"url":"redis://...@localhost"}'],
    [{ secretKey: 'hunter2', a: [{ apiToken: 'hunter2' }] }, '{"secretKey":"...","a":[{"apiToken":"..."}]}'],
    [new TextEncoder().encode('hunter2'), '7 bytes'],
    [Buffer.from('hunter2'), '7 bytes'],
    [{ a: Buffer.from('hunter2') }, '{"a":"..."}'],
    [{ a: new TextEncoder().encode('hunter2') }, '{"a":"..."}'],
    [{ a: 1n }, '{"a":"1n"}'],
  ])('a value shows no secrets: %p', (value, text) => {
    const { message } = optionError('o', value, 'x');
    expect(message).toBe(`o: ${text} is not accepted; expected x`);
  });

  test.each([
    'secretKey',
    'secret_key',
    'encriptionKey',
    'encryptionKy',
    'encrypt',
    'password',
    'accessToken',
    'passphrase',
  ])('the value of %p is not shown', (name) => {
    expect(unknownOptionError(name, 'hunter2', ['secretKey', 'encryptionKey']).message).not.toContain('hunter2');
    expect(describeOption(name, ['hunter2'])).not.toContain('hunter2');
  });

  test.each(['keyFn', 'credentialNames', 'expireAfter'])('the value of %p is', (name) => {
    expect(describeOption(name, 1)).toBe('1');
  });

  test.each<[string, string | undefined]>([
    ['expireAftr', 'expireAfter'],
    ['expire_after', 'expireAfter'],
    ['EXPIREAFTER', 'expireAfter'],
    ['expire', 'expireAfter'],
    ['cachename', 'cacheName'],
    ['casheName', 'cacheName'],
    ['ttl', undefined],
    ['x', undefined],
    ['', undefined],
    ['somethingElse', undefined],
  ])('an unknown option %p suggests %p', (name, similar) => {
    const { message } = unknownOptionError(name, 1, ['cacheName', 'expireAfter', 'url']);
    expect(message).toBe(
      `${name}: 1 is not accepted, there is no such option; ${similar ? `did you mean ${similar}?` : 'expected one of cacheName, expireAfter, url'}`,
    );
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

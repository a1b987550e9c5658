import { describe, expect, test } from '@jest/globals';
import { urlMatch } from '../../lib/index.js';

describe('urlMatch', () => {
  test('compares the normalized URL', () => {
    expect(urlMatch('HTTPS://API.example.com:443/users?b=1&a=2#x', '*.example.com/users')).toBe(true);
    expect(urlMatch('https://api.example.com/?b=1&a=2', /\/\?a=2&b=1$/)).toBe(true);
    expect(urlMatch('https://käse.de/brot', 'käse.de')).toBe(true);
  });

  test('combines a path with a base URL', () => {
    const options = { baseURL: 'https://api.example.com/v1' };
    expect(urlMatch('https://api.example.com/v1/users', '/users', options)).toBe(true);
    expect(() => urlMatch('https://api.example.com/v1/users', '/users')).toThrow('pattern: "/users" is not accepted');
  });

  test('refuses a URL that is not absolute', () => {
    expect(() => urlMatch('/users', '*')).toThrow(TypeError);
  });
});

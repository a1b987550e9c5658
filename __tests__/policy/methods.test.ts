import { describe, expect, test } from '@jest/globals';
import { isReading, isSafe, redirectedMethod } from '../../lib/policy/methods.js';

test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])('%s is safe', (method) => {
  expect(isSafe(method)).toBe(true);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'M-SEARCH', ''])('%p is not', (method) => {
  expect(isSafe(method)).toBe(false);
});

describe('RFC 9110 section 15.4 and RFC 10008 section 2.5: the method after a redirect', () => {
  test.each([
    ['GET', 301, 'GET'],
    ['GET', 303, 'GET'],
    ['HEAD', 303, 'HEAD'],
    ['POST', 301, 'GET'],
    ['POST', 302, 'GET'],
    ['POST', 303, 'GET'],
    ['POST', 307, 'POST'],
    ['POST', 308, 'POST'],
    ['PUT', 301, 'PUT'],
    ['PUT', 303, 'GET'],
    ['QUERY', 301, 'QUERY'],
    ['QUERY', 302, 'QUERY'],
    ['QUERY', 303, 'GET'],
    ['QUERY', 307, 'QUERY'],
    ['QUERY', 308, 'QUERY'],
  ])('%s, %d: %s', (method, status, expected) => {
    expect(redirectedMethod(method, status)).toBe(expected);
  });
});

test.each([
  ['GET', true],
  ['HEAD', true],
  ['QUERY', true],
  ['OPTIONS', false],
  ['POST', false],
])('%s asks for a representation: %s', (method, expected) => {
  expect(isReading(method)).toBe(expected);
});

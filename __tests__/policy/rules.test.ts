import { describe, expect, test } from '@jest/globals';
import { allowsMethod, allowsStatus } from '../../lib/policy/rules.js';
import { rules } from '../support/messages.js';

const without = { cacheControl: false };

describe('allowsMethod', () => {
  test.each([
    ['GET', true, true],
    ['HEAD', true, true],
    ['QUERY', false, true],
    ['POST', false, false],
  ])('by default %s: %p, with cacheControl %p', (method, plain, byProtocol) => {
    expect(allowsMethod(rules(without), method)).toBe(plain);
    expect(allowsMethod(rules(), method)).toBe(byProtocol);
  });

  test('the option replaces the default of both modes', () => {
    const allowableMethods = new Set(['POST']);
    for (const cacheControl of [false, true]) {
      const chosen = rules({ cacheControl, allowableMethods });
      expect(['GET', 'POST', 'QUERY'].map((method) => allowsMethod(chosen, method))).toEqual([false, true, false]);
    }
  });
});

describe('allowsStatus', () => {
  test('by default 200, with cacheControl every status', () => {
    expect([200, 203, 404].map((status) => allowsStatus(rules(without), status))).toEqual([true, false, false]);
    expect([200, 203, 404].map((status) => allowsStatus(rules(), status))).toEqual([true, true, true]);
  });

  test('the option replaces the default of both modes', () => {
    const allowableCodes = new Set([404]);
    for (const cacheControl of [false, true]) {
      const chosen = rules({ cacheControl, allowableCodes });
      expect([200, 404].map((status) => allowsStatus(chosen, status))).toEqual([false, true]);
    }
  });
});

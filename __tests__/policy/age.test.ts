import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { currentAge, initialAge } from '../../lib/policy/age.js';
import { fields } from '../../lib/policy/messages.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const SECOND = 1_000;

function ageOf(headers: Record<string, unknown>, delaySeconds = 0): number {
  return initialAge({ status: 200, headers: fields(headers) }, NOW - delaySeconds * SECOND, NOW);
}

function httpDate(offsetSeconds: number): string {
  return new Date(NOW + offsetSeconds * SECOND).toUTCString();
}

describe('RFC 9111 section 5.1: Age', () => {
  test.each<[unknown, number]>([
    ['0', 0],
    ['30', 30],
    [' 30 ', 30],
    ['007', 7],
    ['7200,0', 7_200],
    ['0,7200', 0],
    [['7200', '0'], 7_200],
    [['0', '7200'], 0],
    ['2147483648', 2 ** 31],
    ['99999999999', 2 ** 31],
    ['abc', 0],
    ['-7200', 0],
    ['7200.0', 0],
    ['7200s', 0],
    ['7200;foo=111', 0],
    ['', 0],
    [',7200', 0],
    [[], 0],
  ])('%p', (age, expected) => {
    expect(ageOf({ age })).toBe(expected);
  });
});

describe('RFC 9111 section 4.2.3: corrected_initial_age', () => {
  test.each<[string, Record<string, unknown>, number, number]>([
    ['nothing is known', {}, 0, 0],
    ['apparent_age, from Date', { date: httpDate(-40) }, 0, 40],
    ['a Date ahead of our clock', { date: httpDate(40) }, 0, 0],
    ['a Date that is none', { date: 'foo' }, 0, 0],
    ['the response took a while', {}, 5, 5],
    ['corrected_age_value: Age and the delay', { age: '30' }, 5, 35],
    ['the greater one counts: Date', { age: '30', date: httpDate(-40) }, 5, 40],
    ['the greater one counts: Age', { age: '300', date: httpDate(-40) }, 5, 305],
    ['a Date in RFC 850 form', { date: 'Thursday, 01-Jan-26 11:59:00 GMT' }, 0, 60],
  ])('%s', (_, headers, delay, expected) => {
    expect(ageOf(headers, delay)).toBe(expected);
  });

  test('a clock that was set back does not reduce the age', () => {
    expect(ageOf({ age: '10' }, -60)).toBe(10);
  });
});

describe('RFC 9111 section 4.2.3: current_age', () => {
  const stored = {
    status: 200,
    url: 'https://example.org/',
    headers: fields({}),
    receivedAt: NOW,
    staleAt: NOW,
    initialAge: 30,
    body: new Uint8Array(),
  };

  test.each([
    [0, 30],
    [0.9, 30],
    [1, 31],
    [3_600, 3_630],
    [-60, 30],
  ])('after %d seconds', (later, expected) => {
    expect(currentAge(stored, NOW + later * SECOND)).toBe(expected);
  });
});

test('whatever Age and Date are, the age is a whole number of seconds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (age, date) => {
      expect(Number.isSafeInteger(ageOf({ age, date }))).toBe(true);
    }),
  );
  expect(ageOf({ age: '9'.repeat(1_000_000) })).toBe(2 ** 31);
  expect(ageOf({ age: ','.repeat(1_000_000) })).toBe(0);
});

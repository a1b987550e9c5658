import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseHttpDate } from '../../lib/policy/http-date.js';

const NOW = Date.UTC(2026, 0, 1);

describe('RFC 9110 section 5.6.7', () => {
  test.each<[string, number | undefined]>([
    ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['sun, 06 nov 1994 08:49:37 gmt', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-70 08:49:37 GMT', Date.UTC(2070, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2016, 11, 31, 23, 59, 59)],
    ['0', undefined],
    ['-1', undefined],
    ['', undefined],
    ['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
    ['Sun, 06 Nov 1994 08:49:37 +0000', undefined],
    ['Sun, 6 Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 94 08:49:37 GMT', undefined],
    ['Sun 06 Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06  Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06-Nov-1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 08.49.37 GMT', undefined],
    ['Sun, 06 Nov 1994 24:00:00 GMT', undefined],
    ['Sun, 31 Feb 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1995 08:49:37 GMT', undefined],
  ])('%p', (text, instant) => {
    expect(parseHttpDate(text, NOW)).toBe(instant);
  });
});

const dates = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });

test('every instant is read from its date, in whole seconds', () => {
  const property = fc.property(dates, (date) => {
    expect(parseHttpDate(date.toUTCString(), NOW)).toBe(Math.floor(date.getTime() / 1000) * 1000);
  });
  fc.assert(property);
});

test('a damaged date is read as an instant or not at all', () => {
  const damage = fc.tuple(dates, fc.nat(28), fc.constantFrom('', '0', '9', ' ', 'x', ':', '\0'));
  const property = fc.property(damage, ([date, place, change]) => {
    const text = date.toUTCString();
    const instant = parseHttpDate(text.slice(0, place) + change + text.slice(place + 1), NOW);
    expect(instant === undefined || Number.isSafeInteger(instant)).toBe(true);
  });
  fc.assert(property, { numRuns: 2_000 });
  expect(parseHttpDate(' '.repeat(1_000_000), NOW)).toBeUndefined();
});

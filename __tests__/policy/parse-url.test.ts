import { expect, test } from '@jest/globals';
import { canParseUrl, parseUrl } from '../../lib/policy/parse-url.js';

test('a URL with letters beyond ASCII stays one, however often it is asked for', () => {
  let refused = 0;
  for (let index = 0; index < 100_000; index += 1) if (!canParseUrl('https://käse.de/brot')) refused += 1;
  expect(refused).toBe(0);
});

test('relative texts need a base', () => {
  expect([canParseUrl('/a'), canParseUrl(''), canParseUrl('/a', 'https://a.com/b')]).toEqual([false, false, true]);
  expect(parseUrl('../c', 'https://a.com/b/')?.href).toBe('https://a.com/c');
});

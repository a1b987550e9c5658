import { expect, test } from '@jest/globals';
import { urlIndexName, urlIndexNames } from '../../lib/request/index-names.js';

const NONE: ReadonlySet<string> = new Set();

test('a response is found by its asked and its final URL, normalized', () => {
  expect(urlIndexNames('GET', ['HTTP://A.com:80/x?b=1&a=2#f', 'http://b.com/'], NONE)).toEqual([
    'url http://a.com/x?a=2&b=1',
    'url http://b.com/',
  ]);
  expect(urlIndexName('HTTP://A.com:80/x?b=1&a=2#f')).toBe('url http://a.com/x?a=2&b=1');
});

test('URLs with secrets are found as sent and as redacted', () => {
  expect(urlIndexNames('GET', ['http://a.com/?api_key=one', 'http://a.com/?api_key=two'], NONE)).toEqual([
    'url http://a.com/?api_key=one',
    'url http://a.com/?api_key=REDACTED',
    'url http://a.com/?api_key=two',
  ]);
  expect(urlIndexNames('GET', ['http://a.com/?page=1'], new Set(['page']))).toEqual([
    'url http://a.com/?page=1',
    'url http://a.com/?page=REDACTED',
  ]);
});

test.each(['HEAD', 'QUERY'])('%s responses are found by URL', (method) => {
  expect(urlIndexNames(method, ['http://a.com/'], NONE)).toEqual(['url http://a.com/']);
});

test('other methods and unparsable URLs have no names', () => {
  expect(urlIndexNames('POST', ['http://a.com/'], NONE)).toEqual([]);
  expect(urlIndexNames('GET', ['/relative', ''], NONE)).toEqual([]);
});

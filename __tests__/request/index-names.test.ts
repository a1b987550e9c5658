import { expect, test } from '@jest/globals';
import { fields } from '../../lib/policy/messages.js';
import { groupIndexNames, urlIndexNames } from '../../lib/request/index-names.js';

const NONE = { ignoredParameters: new Set<string>(), credentialNames: new Set<string>() };

test('a response is found by its asked and its final URL, normalized', () => {
  expect(urlIndexNames('GET', ['HTTP://A.com:80/x?b=1&a=2#f', 'http://b.com/'], NONE)).toEqual([
    'url http://a.com/x?a=2&b=1',
    'url http://b.com/',
  ]);
});

test('URLs with secrets are found as sent and as redacted', () => {
  expect(urlIndexNames('GET', ['http://a.com/?api_key=one', 'http://a.com/?api_key=two'], NONE)).toEqual([
    'url http://a.com/?api_key=one',
    'url http://a.com/?api_key=REDACTED',
    'url http://a.com/?api_key=two',
  ]);
});

test('user names, passwords and ignored parameters are no part of the names', () => {
  const rules = { ...NONE, ignoredParameters: new Set(['page']) };
  for (const url of ['http://a.com/?page=1&x=1', 'http://a.com/?x=1&Page=REDACTED', 'http://u:p@a.com/?x=1'])
    expect(urlIndexNames('GET', [url], rules)).toEqual(['url http://a.com/?x=1']);
});

test.each(['HEAD', 'QUERY'])('%s responses are found by URL', (method) => {
  expect(urlIndexNames(method, ['http://a.com/'], NONE)).toEqual(['url http://a.com/']);
});

test('responses to other methods are found only by invalidation, unparsable URLs by nothing', () => {
  expect(urlIndexNames('POST', ['http://a.com/'], NONE)).toEqual(['other http://a.com/']);
  expect(urlIndexNames('GET', ['/relative', ''], NONE)).toEqual([]);
});

test('cache groups belong to the origin of the final URL', () => {
  const headers = fields({ 'cache-groups': '"a", "b";x=1' });
  expect(groupIndexNames({ headers, url: 'https://a.com:8443/x' })).toEqual([
    'group https://a.com:8443 a',
    'group https://a.com:8443 b',
  ]);
  expect(groupIndexNames({ headers: fields({ 'cache-groups': 'a' }), url: 'https://a.com/' })).toEqual([]);
});

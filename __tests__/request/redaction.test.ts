import { describe, expect, test } from '@jest/globals';
import { fields } from '../../lib/policy/messages.js';
import { lookupUrls, redactHops, redactUrl, secretInHeader, storedHeaders } from '../../lib/request/redaction.js';
import { expectLinear } from '../support/linear.js';

const RULES = { ignoredParameters: new Set(['mine']), credentialNames: new Set(['pin']) };
const SECRET = 's3cr3ts3cr3ts3cr3t';

describe('URLs', () => {
  test.each([
    ['https://user:pw@a.com/x', 'https://a.com/x'],
    ['//user:pw@a.com/x', '//a.com/x'],
    ['/x?a=1&password=p', '/x?a=1&password=REDACTED'],
    ['/x?a=1&Pass%77ord=p', '/x?a=1&Pass%77ord=REDACTED'],
    ['/x?password', '/x?password=REDACTED'],
    ['/x?user%5Bpassword%5D=p', '/x?user%5Bpassword%5D=REDACTED'],
    ['/x?mine=1&user[mine]=1', '/x?mine=REDACTED&user[mine]=REDACTED'],
    ['/x?PIN=1', '/x?PIN=REDACTED'],
    [`/x?token=${SECRET}`, '/x?token=REDACTED'],
    [`/x?token=${encodeURIComponent('päge')}`, `/x?token=${encodeURIComponent('päge')}`],
    ['/x?token=page2&key=name&code=DE', '/x?token=page2&key=name&code=DE'],
    [`/x?pageToken=${SECRET}&cursor=${SECRET}`, `/x?pageToken=${SECRET}&cursor=${SECRET}`],
    ['/x#access_token=abc&x=1', '/x#access_token=REDACTED&x=1'],
    ['/x?a=1#/route?id_token=abc', '/x?a=1#/route?id_token=REDACTED'],
    [`/x?next=${encodeURIComponent('/y?password=p')}`, `/x?next=${encodeURIComponent('/y?password=REDACTED')}`],
    ['/x?v=%7B%22a%22:1%7D', '/x?v=%7B%22a%22:1%7D'],
    ['/x?%ZZ=1&password=%ZZ', '/x?%ZZ=1&password=REDACTED'],
  ])('%s', (url, expected) => expect(redactUrl(url, RULES)).toBe(expected));

  test('values within values take linear time', () =>
    expectLinear((length) => redactUrl('/?a='.repeat(length), RULES)));
});

describe('look-ups by URL', () => {
  test.each<[string, string[]]>([
    ['HTTP://A.com:80/x?b=1&a=2#f', ['http://a.com/x?a=2&b=1']],
    ['http://user:pw@a.com/x', ['http://a.com/x']],
    ['http://a.com/x?password=p&a=1', ['http://a.com/x?a=1&password=p', 'http://a.com/x?a=1&password=REDACTED']],
    ['http://a.com/x?mine=1&a=1', ['http://a.com/x?a=1']],
  ])('%s', (url, expected) => expect(lookupUrls(url, RULES)).toEqual(expected));

  test('the redacted URL, as urls() yields it, finds its responses', () => {
    for (const url of ['http://u:p@a.com/x?mine=1&b=2&api_key=k', `http://a.com/x?token=${SECRET}&mine=2`]) {
      const [, redacted] = lookupUrls(url, RULES);
      expect(lookupUrls(redactUrl(url, RULES), RULES)).toEqual([redacted]);
    }
  });
});

describe('response headers', () => {
  test('tokens, cookies and passwords are not stored', () => {
    const names = [
      'set-cookie',
      'x-csrf-token',
      'x-xsrf',
      'csrftoken',
      'x-access-token',
      'access_token',
      'refreshtoken',
      'x-id-token',
      'x-auth-token',
      'x-session-token',
      'authorization',
      'proxy-authorization',
      'x-api-key',
      'pin',
    ];
    const headers = fields(Object.fromEntries([...names, 'etag', 'mine'].map((name) => [name, 'v'])));
    expect({ ...storedHeaders(headers, RULES) }).toEqual({ etag: 'v', mine: 'REDACTED' });
  });

  test('fields of the response that only sound like credentials stay as they are', () => {
    const headers = fields({
      'x-ratelimit-remaining-tokens': '1',
      'openai-organization': 'o',
      'x-account-object-count': '3',
      'surrogate-key': 'a b',
      'www-authenticate': 'Bearer',
      signature: 'sig1=:abc:',
    });
    expect(storedHeaders(headers, RULES)).toEqual(headers);
  });

  test.each<[string, string | string[], boolean]>([
    ['location', `/cb?state=1&token=${SECRET}`, true],
    ['location', '/cb?state=1&token=abc', false],
    ['location', `/cb?a=1,2;3 4&token=${SECRET}`, true],
    ['location', 'https://user:pw@a.com/', true],
    ['location', 'https://app/#access_token=x', true],
    ['location', '/x?a=1', false],
    ['content-location', '/x?api_key=1', true],
    ['link', '<https://a.com/?page=2&api_key=k>; rel="next"', true],
    ['link', '<https://a.com/?page=2>; rel="next", </x?password=p>; rel=prev', true],
    ['link', '<https://a.com/?page=2>; rel="next"', false],
    ['link', ['</a>', '</b?jwt=1>'], true],
    ['refresh', '5; url=https://a.com/?id_token=k', true],
    ['refresh', "0;URL='https://u:p@a.com/'", true],
    ['refresh', '5', false],
    ['x-next', 'https://a.com/?secret=1', true],
    ['x-text', 'is it? password=1', false],
    ['x-access-token', 'https://a.com/?secret=1', false],
    ['set-cookie', 'a=/?password=1', false],
  ])('%s: %s has a secret: %p', (name, value, expected) => {
    expect(secretInHeader(fields({ [name]: value }), RULES)).toBe(expected);
  });
});

test('the history of redirects is redacted', () => {
  const headers = fields({ location: '/end?password=p', 'set-cookie': 'a=1', 'x-auth-token': 't' });
  const [hop] = redactHops([{ url: 'http://u:p@a.com/?jwt=1', status: 302, headers }], RULES);
  expect(hop?.url).toBe('http://a.com/?jwt=REDACTED');
  expect({ ...hop?.headers }).toEqual({ location: '/end?password=REDACTED' });
});

import { describe, expect, test } from '@jest/globals';
import { redactUrl, secretInHeader, storedHeaders } from '../../lib/request/redaction.js';
import { startBench } from '../support/api.js';

/** Credentials among the parameters of a path (RFC 3986 section 3.3). */

const NONE = { ignoredParameters: new Set<string>(), credentialNames: new Set<string>() };
const SECRET = 'planted4711planted4711';

describe('a credential in the path', () => {
  test.each([
    [`https://a.com/x;jsessionid=${SECRET}`, 'https://a.com/x;jsessionid=REDACTED'],
    [`https://a.com/x;JSESSIONID=${SECRET}/y?a=1`, 'https://a.com/x;JSESSIONID=REDACTED/y?a=1'],
    ['https://a.com/x;sid=7;v=2', 'https://a.com/x;sid=REDACTED;v=2'],
    [`https://a.com/x;phpsessid=${SECRET}#top`, 'https://a.com/x;phpsessid=REDACTED#top'],
    [`https://a.com/x%3Bjsessionid%3D${SECRET}`, 'https://a.com/x%3Bjsessionid%3DREDACTED'],
    [`https://a.com/x;%6Asessionid=${SECRET}`, 'https://a.com/x;%6Asessionid=REDACTED'],
    ['https://a.com/x;access_token=short', 'https://a.com/x;access_token=REDACTED'],
    [`https://a.com/x;key=${SECRET}`, 'https://a.com/x;key=REDACTED'],
    [`/go?next=/x;jsessionid=${SECRET}`, '/go?next=%2Fx%3Bjsessionid%3DREDACTED'],
    ['https://a.com/x;key=colors;v=1', 'https://a.com/x;key=colors;v=1'],
  ])('%s is redacted', (url, redacted) => expect(redactUrl(url, NONE)).toBe(redacted));

  test('names of the user count', () => {
    const rules = { ...NONE, credentialNames: new Set(['ticket']) };
    expect(redactUrl('https://a.com/x;ticket=1', rules)).toBe('https://a.com/x;ticket=REDACTED');
  });

  test('a Location with one is not stored in clear', () => {
    expect(secretInHeader({ location: `/x;jsessionid=${SECRET}` }, NONE)).toBe(true);
    expect(secretInHeader({ link: `</x;jsessionid=${SECRET}>; rel="next"` }, NONE)).toBe(true);
    expect(secretInHeader({ link: '</x>; rel="next"', 'content-type': 'text/html; charset=utf-8' }, NONE)).toBe(false);
  });

  test('is found in neither store nor events, and separates users', async () => {
    const events: unknown[] = [];
    const options = { onEvent: (event: unknown) => events.push(event) };
    await using bench = await startBench(options, (_, response) => {
      response.end('x');
    });
    await bench.api.get(`/a;jsessionid=${SECRET}1`);
    expect((await bench.api.get(`/a;jsessionid=${SECRET}2`)).fromCache).toBe(false);
    expect((await bench.api.get(`/a;jsessionid=${SECRET}1`)).fromCache).toBe(true);
    const stored: unknown[] = [];
    for await (const response of bench.api.cache.values()) stored.push(response);
    for await (const url of bench.api.cache.urls()) stored.push(url);
    expect(JSON.stringify([events, stored])).not.toContain('planted');
    expect(JSON.stringify(stored)).toContain('REDACTED');
  });
});

test('Set-Cookie2 is not stored', () => {
  expect(storedHeaders({ 'set-cookie2': 'sid=1; Version=1', etag: '"1"' }, NONE)).toEqual({ etag: '"1"' });
});

import { describe, expect, test } from '@jest/globals';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { requestUrl } from '../../lib/conversion/read-request.js';

const urlOf = (config: object) => requestUrl(config as InternalAxiosRequestConfig);

describe('the URL of a request', () => {
  test.each<[baseURL: string | undefined, url: string, allowAbsoluteUrls: boolean | undefined]>([
    [undefined, 'http://a.test/b?c=1', true],
    ['http://a.test', '/b', true],
    ['http://a.test/', '/b', undefined],
    ['http://a.test/b', 'c?d=1', true],
    ['http://a.test/b', '', true],
    ['http://a.test', 'https://other.test/b', true],
    ['http://a.test', 'https://other.test/b', false],
    ['http://a.test', '//other.test/b', true],
  ])('of base %j and URL %j (allowAbsoluteUrls %j) is the one that axios sends', (baseURL, url, allowAbsoluteUrls) => {
    const config = { baseURL, url, allowAbsoluteUrls };
    const sent = new axios.Axios({}).getUri(config as object);
    const expected = /^https?:/.test(sent) ? sent : undefined;
    // Twice: the second result may come from a memo.
    expect([urlOf(config), urlOf(config)]).toEqual([expected, expected]);
  });

  test('is another one for each base', () => {
    const bases = Array.from({ length: 50 }, (_, index) => `http://host-${index}.test`);
    const urls = () => bases.map((baseURL) => urlOf({ baseURL, url: '/b' }));
    expect(urls()).toEqual(bases.map((base) => `${base}/b`));
    expect(urls()).toEqual(bases.map((base) => `${base}/b`));
  });

  test.each([['ftp://a.test/'], ['http://'], ['/relative'], ['data:text/plain,x']])(
    'of %j is undefined, since it has no key',
    (url) => {
      expect([urlOf({ url }), urlOf({ url })]).toEqual([undefined, undefined]);
    },
  );

  test('has no fragment, and the parameters as the serializer writes them now', () => {
    expect(urlOf({ url: 'http://a.test/b#c' })).toBe('http://a.test/b');
    let calls = 0;
    const config = {
      url: 'http://a.test/b',
      params: { c: 1 },
      paramsSerializer: () => {
        calls += 1;
        return `call=${calls}`;
      },
    };
    expect([urlOf(config), urlOf(config)]).toEqual(['http://a.test/b?call=1', 'http://a.test/b?call=2']);
  });
});

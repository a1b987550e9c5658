import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fields } from '../../lib/policy/messages.js';
import {
  conditionsFor,
  freshen,
  isConditional,
  isNotModified,
  matchesHead,
  refusesAddedFields,
  validates,
  validators,
} from '../../lib/policy/validation.js';
import { httpDate, NOW, request, response, stored } from '../support/messages.js';

type Headers = Record<string, unknown>;

const MODIFIED = httpDate(-3_000);

describe('RFC 9111 section 4.3.1: sending a validation request', () => {
  test.each<[string, Headers, Headers | undefined]>([
    ['a strong tag', { etag: '"a"' }, { 'if-none-match': '"a"' }],
    ['a weak tag', { etag: 'W/"a"' }, { 'if-none-match': 'W/"a"' }],
    ['a tag without quotes', { etag: 'a' }, { 'if-none-match': 'a' }],
    ['Last-Modified', { 'last-modified': MODIFIED }, { 'if-modified-since': MODIFIED }],
    ['both', { etag: '"a"', 'last-modified': MODIFIED }, { 'if-none-match': '"a"', 'if-modified-since': MODIFIED }],
    ['neither', { date: MODIFIED }, undefined],
    ['an empty tag', { etag: '' }, undefined],
    ['two tags, of which one would be a guess', { etag: ['"a"', '"b"'] }, undefined],
  ])('%s', (_, headers, expected) => {
    const conditions = validators(response(headers));
    expect(conditions && { ...conditions }).toEqual(expected);
    expect(conditionsFor(request(), response(headers))).toEqual(conditions);
  });

  test.each<[string, Headers, Headers, Headers | undefined]>([
    ['its own tags stay', { 'if-none-match': '"b", "c"' }, { etag: '"a"' }, { 'if-none-match': '"b", "c", "a"' }],
    [
      'its own date gives way to the stored one',
      { 'if-modified-since': httpDate(0) },
      { 'last-modified': MODIFIED },
      { 'if-modified-since': MODIFIED },
    ],
    ['a 304 could be for its tags alone', { 'if-none-match': '"b"' }, { 'last-modified': MODIFIED }, undefined],
    ['it means any response', { 'if-none-match': ' * ' }, { etag: '"a"' }, undefined],
    ['there is no validator', { 'if-none-match': '"b"' }, {}, undefined],
  ])("the caller's conditions: %s", (_, asked, headers, expected) => {
    const conditions = conditionsFor(request(asked), response(headers));
    expect(conditions && { ...conditions }).toEqual(expected);
  });

  test.each(['If-None-Match', 'If-Modified-Since', 'If-Match', 'If-Unmodified-Since', 'If-Range'])(
    'a caller that sets %s has conditions of its own',
    (name) => {
      expect(isConditional(request({ [name]: 'x' }))).toBe(true);
      expect(isConditional(request({ Range: 'bytes=0-1' }))).toBe(false);
    },
  );
});

describe('refusesAddedFields', () => {
  test.each<[number, Headers | undefined, boolean]>([
    [412, { 'if-none-match': '"a"' }, true],
    [412, { 'if-modified-since': MODIFIED }, true],
    [412, { range: 'bytes=5-', 'if-range': '"a"' }, true],
    [412, { range: 'bytes=5-' }, false],
    [412, undefined, false],
    [416, { range: 'bytes=5-' }, true],
    [416, { 'if-none-match': '"a"' }, false],
    [416, undefined, false],
    [200, { 'if-none-match': '"a"' }, false],
    [304, { 'if-none-match': '"a"' }, false],
    [400, { 'if-none-match': '"a"' }, false],
  ])('%d, %j: %p', (status, added, expected) => {
    expect(refusesAddedFields(added && fields(added), status)).toBe(expected);
  });
});

describe('RFC 9111 section 4.3.2: answering conditions of the caller with 304', () => {
  test('RFC 10008 section 2.6: for a QUERY as for a GET', () => {
    const asked = { 'if-none-match': '"a"' };
    const methods = ['GET', 'HEAD', 'QUERY', 'POST'];
    const answers = methods.map((method) => isNotModified(request(asked, method), stored({ etag: '"a"' })));
    expect(answers).toEqual([true, true, true, false]);
  });

  test.each<[string, Headers, Headers, boolean]>([
    ['the same strong tag', { 'if-none-match': '"a"' }, { etag: '"a"' }, true],
    ['the same weak tag', { 'if-none-match': 'W/"a"' }, { etag: 'W/"a"' }, true],
    ['weak comparison', { 'if-none-match': 'W/"a"' }, { etag: '"a"' }, true],
    ['weak comparison, the other way', { 'if-none-match': '"a"' }, { etag: 'W/"a"' }, true],
    ['the first of a list', { 'if-none-match': '"a", "b","c"' }, { etag: '"a"' }, true],
    ['one within a list', { 'if-none-match': '"b","a", "c"' }, { etag: '"a"' }, true],
    ['the last of a list', { 'if-none-match': '"b", "c" , W/"a"' }, { etag: '"a"' }, true],
    ['a tag with a comma', { 'if-none-match': '"b", "a,c"' }, { etag: '"a,c"' }, true],
    ['a tag with obs-text', { 'if-none-match': '"aü"' }, { etag: '"aü"' }, true],
    ['tags without quotes', { 'if-none-match': 'a' }, { etag: 'a' }, true],
    ['a star', { 'if-none-match': ' * ' }, {}, true],
    ['another tag', { 'if-none-match': '"b"' }, { etag: '"a"' }, false],
    ['a part of a tag', { 'if-none-match': '"ab"' }, { etag: '"a"' }, false],
    ['no tag', { 'if-none-match': '"a"' }, {}, false],
    [
      'If-None-Match over If-Modified-Since',
      { 'if-none-match': '"b"', 'if-modified-since': MODIFIED },
      { etag: '"a"', 'last-modified': MODIFIED },
      false,
    ],
    [
      'the same, when it matches',
      { 'if-none-match': '"a"', 'if-modified-since': httpDate(-9_000) },
      { etag: '"a"', 'last-modified': MODIFIED },
      true,
    ],
    ['the same date', { 'if-modified-since': MODIFIED }, { 'last-modified': MODIFIED }, true],
    ['an earlier modification', { 'if-modified-since': httpDate(-2_000) }, { 'last-modified': MODIFIED }, true],
    ['a later modification', { 'if-modified-since': httpDate(-4_000) }, { 'last-modified': MODIFIED }, false],
    ['RFC 850 form', { 'if-modified-since': 'Thursday, 01-Jan-26 12:00:00 GMT' }, { 'last-modified': MODIFIED }, true],
    ['Date in place of Last-Modified', { 'if-modified-since': httpDate(0) }, { date: httpDate(0) }, true],
    ['a later Date', { 'if-modified-since': httpDate(-5) }, { date: httpDate(0) }, false],
    ['the time of receipt at last', { 'if-modified-since': httpDate(5) }, {}, true],
    ['a date that is none', { 'if-modified-since': 'yesterday' }, { 'last-modified': MODIFIED }, false],
    ['no condition', {}, { etag: '"a"' }, false],
  ])('%s', (_, asked, headers, expected) => {
    expect(isNotModified(request(asked), stored(headers))).toBe(expected);
  });

  test.each<[string, number, boolean]>([
    ['GET', 200, true],
    ['HEAD', 200, true],
    ['GET', 206, true],
    ['POST', 200, false],
    ['GET', 404, false],
  ])('%s, with a stored %d: %p', (method, status, expected) => {
    expect(isNotModified(request({ 'if-none-match': '*' }, method), stored({}, { status }))).toBe(expected);
  });
});

describe('RFC 9111 section 4.3.4: which stored response a 304 validates', () => {
  test.each<[string, Headers, Headers, Headers, boolean]>([
    ['the same tag', {}, { etag: '"a"' }, { etag: '"a"' }, true],
    ['the same tag, weak', {}, { etag: '"a"' }, { etag: 'W/"a"' }, true],
    ['no tag', {}, { etag: '"a"' }, {}, true],
    ['a tag that is new', {}, { 'last-modified': MODIFIED }, { etag: '"a"' }, true],
    ['another tag', {}, { etag: '"a"' }, { etag: '"b"' }, false],
    ["the stored one's, not the caller's", { 'if-none-match': '"b"' }, { etag: '"a"' }, { etag: '"a"' }, true],
    ["the caller's, not the stored one's", { 'if-none-match': '"b"' }, { etag: '"a"' }, { etag: '"b"' }, false],
    ['no tag, and the caller has its own', { 'if-none-match': '"b"' }, { etag: '"a"' }, {}, false],
  ])('%s', (_, asked, headers, confirmation, expected) => {
    expect(validates(request(asked), response(headers), response(confirmation, 304))).toBe(expected);
  });
});

describe('RFC 9111 section 3.2: freshening', () => {
  const freshened = (before: Headers, update: Headers) => ({ ...freshen(fields(before), fields(update)) });

  test.each([
    'Test-Header',
    'X-Test-Header',
    'Content-Foo',
    'Cache-Control',
    'Content-Location',
    'Content-Security-Policy',
    'Content-Type',
    'ETag',
    'Expires',
    'Date',
    '__proto__',
  ])('%s is updated', (name) => {
    const [before, update] = [Object.fromEntries([[name, 'A']]), Object.fromEntries([[name, 'B']])];
    expect(Object.entries(freshened(before, update))).toEqual([[name.toLowerCase(), 'B']]);
  });

  test.each(['Content-Encoding', 'Content-Length', 'Content-Range', 'Transfer-Encoding'])(
    '%s describes the stored body and stays',
    (name) => {
      expect(freshened({ [name]: 'A' }, { [name]: 'B' })).toEqual({ [name.toLowerCase()]: 'A' });
      expect(freshened({}, { [name]: 'B' })).toEqual({});
    },
  );

  test('fields that the 304 does not contain stay, except Age and Date', () => {
    expect(freshened({ a: '1', age: '30' }, { b: '2' })).toEqual({ a: '1', b: '2' });
    expect(freshened({ age: '30' }, { age: '5' })).toEqual({ age: '5' });
  });

  test('the stored fields are not changed', () => {
    const before = fields({ a: '1', age: '30' });
    freshen(before, fields({ a: '2' }));
    expect({ ...before }).toEqual({ a: '1', age: '30' });
  });
});

describe('RFC 9111 section 4.3.5: a response to HEAD', () => {
  test.each<[string, Headers, Headers, boolean]>([
    ['says nothing of it', { etag: '"a"' }, {}, true],
    [
      'has the same validators and length',
      { etag: '"a"', 'content-length': '5' },
      { etag: '"a"', 'content-length': '5' },
      true,
    ],
    ['has another tag', { etag: '"a"' }, { etag: '"b"' }, false],
    ['has another date', { 'last-modified': MODIFIED }, { 'last-modified': httpDate(0) }, false],
    ['has another length', { 'content-length': '5' }, { 'content-length': '6' }, false],
    ['has a tag where none was', {}, { etag: '"a"' }, true],
  ])('%s', (_, headers, head, expected) => {
    expect(matchesHead(response(headers), response(head))).toBe(expected);
  });
});

test('never throws, whatever the fields are', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const asked = request({ 'if-none-match': a, 'if-modified-since': b });
      const headers = { etag: b, 'last-modified': a, date: b };
      expect(typeof isNotModified(asked, stored(headers))).toBe('boolean');
      expect(typeof isNotModified(request({ 'if-modified-since': a }), stored(headers))).toBe('boolean');
      expect(typeof validates(asked, response(headers), response({ etag: a }))).toBe('boolean');
    }),
  );
});

test.each(['"', ',', 'W/', 'W/"', '" ', 'a'])('1 MB of %p in a list of tags', (unit) => {
  const tags = unit.repeat(1_000_000 / unit.length);
  expect(
    isNotModified(request({ 'if-none-match': `${tags}, "a"` }), stored({ etag: '"z"' }, { receivedAt: NOW })),
  ).toBe(false);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fields } from '../../lib/policy/messages.js';
import { combineParts, coversRequest, isSingleRange, missingRange, partialContent } from '../../lib/policy/range.js';
import { httpDate, request, stored } from '../support/messages.js';

type Headers = Record<string, unknown>;

/** A stored part of ten bytes, by default those from 10 to 19 of 100. */
function part(contentRange = 'bytes 10-19/100', headers: Headers = {}) {
  return stored({ 'content-range': contentRange, ...headers }, { status: 206 });
}

describe('RFC 9110 section 14.2: which requests ask for a single range', () => {
  test.each<[unknown, boolean]>([
    ['bytes=0-1', true],
    ['bytes=0-', true],
    ['bytes=-1', true],
    ['BYTES= 0-1 ', true],
    ['bytes=0-1,3-4', false],
    ['bytes=-', false],
    ['bytes=a-b', false],
    ['bytes=0-1-2', false],
    ['bytes 0-1', false],
    ['lines=0-1', false],
    ['', false],
    [undefined, false],
    [['bytes=0-1', 'bytes=2-3'], false],
  ])('%p', (range, expected) => {
    expect(isSingleRange(request({ range }))).toBe(expected);
  });

  test('only for GET', () => {
    expect(isSingleRange(request({ range: 'bytes=0-1' }, 'HEAD'))).toBe(false);
  });
});

describe('RFC 9110 section 14.1.2: ranges of a whole response of ten bytes', () => {
  test.each<[string, number, number]>([
    ['bytes=0-1', 0, 2],
    ['bytes=0-0', 0, 1],
    ['bytes=1-', 1, 10],
    ['bytes=9-9', 9, 10],
    ['bytes=5-500', 5, 10],
    ['bytes=-1', 9, 10],
    ['bytes=-10', 0, 10],
    ['bytes=-500', 0, 10],
    ['bytes=0-99999999999999999999', 0, 10],
  ])('%p', (range, from, to) => {
    const answer = partialContent(request({ range }), stored({ etag: '"a"', 'content-length': '10' }));
    expect(answer && { ...answer, headers: { ...answer.headers } }).toEqual({
      from,
      to,
      headers: { etag: '"a"', 'content-length': `${to - from}`, 'content-range': `bytes ${from}-${to - 1}/10` },
    });
    expect(coversRequest(request({ range }), stored())).toBe(true);
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=5-4', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%p is for the origin to refuse',
    (range) => {
      expect(partialContent(request({ range }), stored())).toBeUndefined();
      expect(coversRequest(request({ range }), stored())).toBe(false);
    },
  );

  test('an empty body has no ranges', () => {
    const empty = stored({}, { body: { byteLength: 0 } });
    expect(coversRequest(request({ range: 'bytes=0-' }), empty)).toBe(false);
  });
});

describe('RFC 9111 section 3.4: ranges of a stored part', () => {
  test.each<[string, string, [number, number] | undefined]>([
    ['bytes 10-19/100', 'bytes=10-19', [0, 10]],
    ['bytes 10-19/100', 'bytes=12-14', [2, 5]],
    ['bytes 10-19/100', 'bytes=9-14', undefined],
    ['bytes 10-19/100', 'bytes=15-20', undefined],
    ['bytes 10-19/100', 'bytes=15-', undefined],
    ['bytes 90-99/100', 'bytes=95-', [5, 10]],
    ['bytes 90-99/100', 'bytes=-10', [0, 10]],
    ['bytes 90-99/100', 'bytes=-11', undefined],
    ['bytes 90-99/*', 'bytes=95-99', [5, 10]],
    ['bytes 90-99/*', 'bytes=95-', undefined],
    ['bytes 90-99/*', 'bytes=-5', undefined],
    ['bytes 10-18/100', 'bytes=10-12', undefined],
    ['bytes 19-10/100', 'bytes=10-12', undefined],
    ['bytes 10-19/15', 'bytes=10-12', undefined],
    ['lines 10-19/100', 'bytes=10-12', undefined],
    ['bytes */100', 'bytes=10-12', undefined],
  ])('%p, asked for %p', (contentRange, range, expected) => {
    const answer = partialContent(request({ range }), part(contentRange));
    expect(answer && [answer.from, answer.to]).toEqual(expected);
    expect(coversRequest(request({ range }), part(contentRange))).toBe(expected !== undefined);
  });

  test('a part does not answer a request for the whole', () => {
    expect(coversRequest(request(), part())).toBe(false);
    expect(partialContent(request(), part())).toBeUndefined();
  });

  test('errors have no ranges', () => {
    const missing = stored({}, { status: 404 });
    expect([coversRequest(request({ range: 'bytes=50-' }), missing), coversRequest(request(), missing)]).toEqual([
      true,
      true,
    ]);
    expect(partialContent(request({ range: 'bytes=0-1' }), missing)).toBeUndefined();
  });

  test('HEAD has no ranges', () => {
    expect(partialContent(request({ range: 'bytes=0-1' }, 'HEAD'), stored())).toBeUndefined();
  });
});

describe('RFC 9110 section 13.1.5: If-Range', () => {
  test.each<[string, Headers, boolean]>([
    ['"a"', { etag: '"a"' }, true],
    ['"b"', { etag: '"a"' }, false],
    ['W/"a"', { etag: 'W/"a"' }, false],
    ['"a"', { etag: 'W/"a"' }, false],
    ['"a"', {}, false],
    [httpDate(-60), { 'last-modified': httpDate(-60) }, true],
    [httpDate(0), { 'last-modified': httpDate(-60) }, false],
    ['Thursday, 01-Jan-26 12:00:00 GMT', { 'last-modified': httpDate(0) }, true],
    ['yesterday', { 'last-modified': 'yesterday' }, false],
  ])('%p', (condition, headers, applies) => {
    const asked = request({ range: 'bytes=0-1', 'if-range': condition });
    expect(partialContent(asked, stored(headers)) !== undefined).toBe(applies);
    // If it does not apply, the request is for the whole representation.
    expect(coversRequest(asked, stored(headers))).toBe(true);
    expect(coversRequest(asked, part('bytes 0-9/100', headers))).toBe(applies);
  });
});

describe('RFC 9111 section 3.4: requesting the missing bytes', () => {
  const completing = (headers: Headers, from = part('bytes 0-9/100', { etag: '"a"' })) => {
    const conditions = missingRange(request(headers), from);
    return conditions && { ...conditions };
  };

  test('after a first part', () => {
    expect(completing({})).toEqual({ range: 'bytes=10-', 'if-range': '"a"' });
    expect(completing({}, part('bytes 0-9/*'))).toEqual({ range: 'bytes=10-' });
    expect(completing({}, part('bytes 0-9/100', { etag: 'W/"a"' }))).toEqual({ range: 'bytes=10-' });
  });

  test.each<[string, Headers, ReturnType<typeof part>]>([
    ['the part is not the first', {}, part()],
    ['the response is whole', {}, stored()],
    ['the part is not what it says', {}, part('bytes 0-8/100')],
    ['the request is for a range', { range: 'bytes=0-50' }, part('bytes 0-9/100')],
    ['the caller has conditions', { 'if-none-match': '"a"' }, part('bytes 0-9/100')],
  ])('not where %s', (_, headers, from) => {
    expect(completing(headers, from)).toBeUndefined();
  });
});

/** A message with a body, by default a 206 with a strong tag. */
function message(contentRange: string | undefined, text: string, headers: Headers = {}, status = 206) {
  const all = fields({ 'content-range': contentRange, etag: '"a"', ...headers });
  return { status, headers: all, body: new TextEncoder().encode(text) };
}

describe('RFC 9111 section 3.4: combining parts', () => {
  const whole = message(undefined, '0123456789', {}, 200);

  test.each<[string, string, string, string, number, string | undefined, string]>([
    ['bytes 0-4/10', '01234', 'bytes 5-9/10', '56789', 200, undefined, '0123456789'],
    ['bytes 5-9/10', '56789', 'bytes 0-4/10', '01234', 200, undefined, '0123456789'],
    ['bytes 0-4/10', '01234', 'bytes 3-9/10', '3456789', 200, undefined, '0123456789'],
    ['bytes 0-4/*', '01234', 'bytes 5-9/10', '56789', 200, undefined, '0123456789'],
    ['bytes 2-4/10', '234', 'bytes 5-6/10', '56', 206, 'bytes 2-6/10', '23456'],
    ['bytes 2-4/*', '234', 'bytes 5-6/*', '56', 206, 'bytes 2-6/*', '23456'],
    ['bytes 0-9/10', '0123456789', 'bytes 3-4/10', 'XY', 200, undefined, '012XY56789'],
  ])('%s and %s', (oldRange, oldText, newRange, newText, status, contentRange, text) => {
    const joined = combineParts(message(newRange, newText), message(oldRange, oldText));
    expect(joined?.status).toBe(status);
    expect(new TextDecoder().decode(joined?.body)).toBe(text);
    expect(joined?.headers['content-range']).toBe(contentRange);
    expect(joined?.headers['content-length']).toBe(`${text.length}`);
  });

  test('a part of a whole response updates its fields', () => {
    const older = { ...whole, headers: fields({ ...whole.headers, a: '1', b: '1' }) };
    const joined = combineParts(message('bytes 3-4/10', '34', { b: '2' }), older);
    expect(joined?.status).toBe(200);
    expect({ ...joined?.headers }).toEqual({ etag: '"a"', a: '1', b: '2', 'content-length': '10' });
  });

  test.each<[string, Headers, Headers, string]>([
    ['another tag', { etag: '"b"' }, {}, 'bytes 5-9/10'],
    ['weak tags', { etag: 'W/"a"' }, { etag: 'W/"a"' }, 'bytes 5-9/10'],
    ['no tags', { etag: undefined }, { etag: undefined }, 'bytes 5-9/10'],
    ['a gap', {}, {}, 'bytes 6-10/11'],
    ['another total', {}, {}, 'bytes 5-9/11'],
  ])('%s: the new part is stored alone', (_, newHeaders, oldHeaders, contentRange) => {
    const newer = message(contentRange, '56789', newHeaders);
    const joined = combineParts(newer, message('bytes 0-4/10', '01234', oldHeaders));
    expect(joined?.status).toBe(206);
    expect(joined?.headers['content-range']).toBe(contentRange);
    expect(joined?.body).toBe(newer.body);
  });

  test('a part with every byte becomes a 200', () => {
    const joined = combineParts(message('bytes 0-4/5', '01234'), undefined);
    expect([joined?.status, joined?.headers['content-range']]).toEqual([200, undefined]);
  });

  test('a part is not combined with an error', () => {
    const joined = combineParts(message('bytes 0-4/10', '01234'), message(undefined, '56789', {}, 404));
    expect(joined?.headers['content-range']).toBe('bytes 0-4/10');
  });
});

describe('RFC 9110 section 15.3.7: a body whose length is not that of its Content-Range is not stored', () => {
  test.each<[string, Headers, string | undefined]>([
    ['bytes 4-8/*', {}, 'bytes 4-8/*'],
    ['bytes 4-8/10', { 'content-length': '5' }, 'bytes 4-8/10'],
    ['bytes 4-9/10', { 'content-length': '5' }, undefined],
    ['bytes 4-9/10', { 'transfer-encoding': 'chunked' }, undefined],
    ['bytes 4-9/20', { 'content-length': '5' }, undefined],
    ['bytes 4-9/*', { 'content-length': '5' }, undefined],
    ['bytes 4-9/10', {}, undefined],
    ['bytes 4-9/10', { 'content-length': '6' }, undefined],
    ['bytes 4-7/10', { 'content-length': '5' }, undefined],
    ['bytes 0-999/1000', { 'content-length': '5' }, undefined],
    ['bytes 9-4/10', {}, undefined],
    ['bytes 4-8/5', {}, undefined],
    ['5 bytes', {}, undefined],
  ])('%p with five bytes and %p', (contentRange, headers, expected) => {
    expect(combineParts(message(contentRange, '01234', headers), undefined)?.headers['content-range']).toBe(expected);
  });

  test('multipart/byteranges has no Content-Range, and an empty part no bytes', () => {
    expect(combineParts(message(undefined, '01234'), undefined)).toBeUndefined();
    expect(combineParts(message('bytes 4-9/10', '', { 'content-length': '0' }), undefined)).toBeUndefined();
  });
});

test('whatever the fields are, the span is within the body', () => {
  const number = fc.oneof(fc.nat(30), fc.bigInt({ min: 0n }));
  const range = fc.tuple(number, number).map(([a, b]) => `bytes=${a}-${b}`);
  const ranges = fc.oneof(
    range,
    number.map((n) => `bytes=-${n}`),
    fc.string({ unit: 'binary' }),
  );
  const contentRange = fc.tuple(number, number, number).map(([a, b, c]) => `bytes ${a}-${b}/${c}`);
  fc.assert(
    fc.property(ranges, fc.oneof(contentRange, fc.string({ unit: 'binary' })), (wanted, has) => {
      for (const response of [stored(), part(has)]) {
        const answer = partialContent(request({ range: wanted }), response) ?? { from: 0, to: 1 };
        expect(answer.from >= 0 && answer.from < answer.to && answer.to <= 10).toBe(true);
      }
    }),
  );
});

test.each(['1', ' ', '-', 'bytes='])('1 MB of %p', (unit) => {
  const hostile = unit.repeat(1_000_000 / unit.length);
  expect(coversRequest(request({ range: `bytes=${hostile}` }), part(`bytes ${hostile}`))).toBe(false);
  expect(isSingleRange(request({ range: `bytes=${hostile}x` }))).toBe(false);
});

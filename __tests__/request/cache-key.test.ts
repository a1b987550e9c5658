import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CacheRequest, RequestBody } from '../../lib/models/cache-request.js';
import { fields } from '../../lib/policy/messages.js';
import { countsInVary, createKey, type KeyRules, keyOf, principalOf } from '../../lib/request/cache-key.js';

const RULES: KeyRules = {
  matchHeaders: false,
  ignoredParameters: new Set(),
  credentialNames: new Set(),
  credentials: 'isolate',
  keyFn: undefined,
};
const NONE: RequestBody = { kind: 'none' };

function request(url: string, more: Partial<CacheRequest> = {}): CacheRequest {
  return { method: 'GET', url, headers: fields({}), body: NONE, transport: [], ...more };
}

function json(text: string): Partial<CacheRequest> {
  return { method: 'POST', headers: fields({ 'content-type': 'application/json' }), body: { kind: 'text', text } };
}

function keys(...requests: CacheRequest[]): string[] {
  return requests.map((one) => createKey(one, RULES));
}

function expectSame(...requests: CacheRequest[]): void {
  expect(new Set(keys(...requests)).size).toBe(1);
}

function expectDifferent(...requests: CacheRequest[]): void {
  expect(new Set(keys(...requests)).size).toBe(requests.length);
}

test('a key is a SHA-256 in hex', () => {
  expect(createKey(request('http://a.com/'), RULES)).toMatch(/^[0-9a-f]{64}$/);
});

describe('the same meaning gives the same key', () => {
  test.each([
    ['case of scheme and host', 'HTTP://A.com/x', 'http://a.COM/x'],
    ['the default port', 'http://a.com:80/', 'http://a.com/'],
    ['the fragment', 'http://a.com/#one', 'http://a.com/#two'],
    ['the order of names in the query', 'http://a.com/?b=1&a=2&b=0', 'http://a.com/?a=2&b=1&b=0'],
  ])('%s', (_, one, two) => {
    expectSame(request(one), request(two));
  });

  test('any order of query names', () => {
    const pair = fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.stringMatching(/^[a-z%]{0,3}$/));
    fc.assert(
      fc.property(fc.uniqueArray(pair, { selector: ([name]) => name, maxLength: 6 }), fc.nat(), (pairs, turn) => {
        const url = (ordered: typeof pairs) => `http://a.com/?${ordered.map((one) => one.join('=')).join('&')}`;
        const turned = [...pairs.slice(turn % (pairs.length || 1)), ...pairs.slice(0, turn % (pairs.length || 1))];
        expectSame(request(url(pairs)), request(url(turned)));
      }),
    );
  });

  test('any order of members in JSON bodies', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, reversed(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expectSame(
          request('http://a.com/', json(JSON.stringify(value))),
          request('http://a.com/', json(JSON.stringify(reversed(value)))),
        );
      }),
    );
  });

  test('spaces in JSON bodies', () => {
    expectSame(request('http://a.com/', json('{"a":[1,2]}')), request('http://a.com/', json('{ "a" : [ 1, 2 ] }')));
  });
});

describe('different meaning never gives the same key', () => {
  test('the order of members in JSON, if the request forbids transformations', () => {
    const exact = (text: string) => {
      const headers = fields({ 'content-type': 'application/json', 'cache-control': 'no-transform' });
      return request('http://a.com/', { ...json(text), headers });
    };
    expectDifferent(exact('{"a":1,"b":2}'), exact('{"b":2,"a":1}'), exact('{ "a":1,"b":2}'));
    expectSame(exact('{"a":1}'), exact('{"a":1}'));
  });

  test.each([
    ['an encoded slash', 'http://a.com/a%2Fb', 'http://a.com/a/b'],
    ['an encoded ampersand', 'http://a.com/?x=1%26y=2', 'http://a.com/?x=1&y=2'],
    ['the order of one name', 'http://a.com/?x=1&x=2', 'http://a.com/?x=2&x=1'],
    ['an empty value', 'http://a.com/?b', 'http://a.com/?b='],
    ['an empty query', 'http://a.com/', 'http://a.com/?'],
    ['a trailing slash', 'http://a.com/x', 'http://a.com/x/'],
    ['case of the path', 'http://a.com/x', 'http://a.com/X'],
    ['scheme', 'http://a.com/', 'https://a.com/'],
    ['port', 'http://a.com/', 'http://a.com:81/'],
  ])('%s', (_, one, two) => {
    expectDifferent(request(one), request(two));
  });

  test.each([
    ['order in arrays', '[1,2]', '[2,1]'],
    ['numbers beyond precision', '{"n":9007199254740993}', '{"n":9007199254740992}'],
    ['__proto__', '{"__proto__":{"a":1}}', '{}'],
    ['numbers and text', '{"a":1}', '{"a":"1"}'],
    ['null and absence', '{"a":null}', '{}'],
    ['duplicate names', '{"a":1,"a":2}', '{"a":2}'],
  ])('in JSON bodies: %s', (_, one, two) => {
    expectDifferent(request('http://a.com/', json(one)), request('http://a.com/', json(two)));
  });

  test('parts are delimited', () => {
    const post = (url: string, text: string) => request(url, { method: 'POST', body: { kind: 'text', text } });
    expectDifferent(post('http://a.com/p', 'x'), post('http://a.com/px', ''));
  });

  test('method, body kind, form entries and transport', () => {
    const url = 'http://a.com/';
    const file = (bytes: number[]) => ({ name: 'f', type: 't', bytes: Uint8Array.from(bytes) });
    expectDifferent(
      request(url),
      request(url, { method: 'HEAD' }),
      request(url, { body: { kind: 'text', text: 'a' } }),
      request(url, { body: { kind: 'bytes', bytes: Buffer.from('a') } }),
      request(url, { body: { kind: 'form', entries: [['a', 'b']] } }),
      request(url, { body: { kind: 'form', entries: [['a', file([1])]] } }),
      request(url, { body: { kind: 'form', entries: [['a', file([2])]] } }),
      request(url, { transport: [['socketPath', '/a']] }),
      request(url, { transport: [['proxy', 'b']] }),
    );
  });

  test('any two URLs that a server can distinguish', () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9_~+-]{0,6}$/);
    fc.assert(
      fc.property(part, part, (one, two) => {
        fc.pre(one !== two);
        expectDifferent(request(`http://a.com/x${one}`), request(`http://a.com/x${two}`));
      }),
    );
  });
});

describe('ignoredParameters', () => {
  const rules: KeyRules = { ...RULES, ignoredParameters: new Set(['session', 'x-trace']) };
  const key = (one: CacheRequest) => createKey(one, rules);

  test('leave the query, in any case', () => {
    expect(key(request('http://a.com/?Session=1&a=2'))).toBe(key(request('http://a.com/?a=2&s%65ssion=2')));
    expect(key(request('http://a.com/?a=2'))).not.toBe(key(request('http://a.com/?a=3')));
  });

  test('leave forms and JSON, nested too', () => {
    const form = (text: string) =>
      request('http://a.com/', {
        method: 'POST',
        headers: fields({ 'content-type': 'application/x-www-form-urlencoded' }),
        body: { kind: 'text', text },
      });
    expect(key(form('session=1&a=2'))).toBe(key(form('a=2&session=3')));
    const nested = (session: number) => request('http://a.com/', json(`{"a":{"session":${session},"b":1}}`));
    expect(key(nested(1))).toBe(key(nested(2)));
  });

  test('leave matched headers', () => {
    const matching = { ...rules, matchHeaders: true } as const;
    const withTrace = (trace: string) =>
      request('http://a.com/', { headers: fields({ 'X-Trace': trace, accept: 'a' }) });
    expect(createKey(withTrace('1'), matching)).toBe(createKey(withTrace('2'), matching));
  });
});

describe('bodies', () => {
  const post = (body: RequestBody, headers: Record<string, string> = {}) =>
    request('http://a.com/', { method: 'POST', headers: fields(headers), body });
  const bytes = (text: string) => ({ kind: 'bytes', bytes: Buffer.from(text) }) as const;
  const text = (text: string) => ({ kind: 'text', text }) as const;
  const JSON_TYPE = { 'content-type': 'application/json' };
  const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

  test.each(['content-type', 'content-encoding', 'content-language', 'content-location'])(
    '%s of a body counts',
    (name) => {
      expectDifferent(post(text('a')), post(text('a'), { [name]: 'b' }), post(text('a'), { [name]: 'c' }));
    },
  );

  test('the type of a Blob counts', () => {
    expectDifferent(post({ ...bytes('a'), type: 'text/a' }), post({ ...bytes('a'), type: 'text/b' }));
  });

  test('fields that describe a body do not count without one', () => {
    const none = { kind: 'none' } as const;
    expectSame(post(none), post(none, JSON_TYPE), post(none, { 'content-location': '/a' }));
  });

  test('JSON and forms are the same as text and as bytes', () => {
    expectSame(post(text('{"a":1,"b":2}'), JSON_TYPE), post(bytes('{ "b":2, "a":1 }'), JSON_TYPE));
    expectSame(post(text('a=1&b=2'), FORM_TYPE), post(bytes('a=1&b=2'), FORM_TYPE));
  });

  test.each([
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), Uint8Array.of(0x7b, 0xfe, 0x7d)],
    ['a byte order mark', Buffer.from('\ufeff{}'), Buffer.from('{}')],
    ['damaged', Buffer.from('{"a":1,}'), Buffer.from('{"a":1}')],
    ['empty', Buffer.from(''), Buffer.from('null')],
  ])('bytes that are not quite JSON count by themselves: %s', (_, one, two) => {
    expectDifferent(post({ kind: 'bytes', bytes: one }, JSON_TYPE), post({ kind: 'bytes', bytes: two }, JSON_TYPE));
  });

  test('compressed JSON is not read', () => {
    const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expectDifferent(post(bytes('{"a":1,"b":2}'), gzip), post(bytes('{"b":2,"a":1}'), gzip));
  });

  test('ignored parameters are left out of JSON and forms as bytes', () => {
    const rules = { ...RULES, ignoredParameters: new Set(['session']) };
    const key = (one: CacheRequest) => createKey(one, rules);
    expect(key(post(bytes('{"session":1,"a":1}'), JSON_TYPE))).toBe(key(post(bytes('{"a":1,"session":2}'), JSON_TYPE)));
    expect(key(post(bytes('user[session]=1&a=1'), FORM_TYPE))).toBe(key(post(bytes('a=1'), FORM_TYPE)));
    const form = (session: string) => post({ kind: 'form', entries: [['user[session]', session]] });
    expect(key(form('1'))).toBe(key(form('2')));
  });

  test('the boundary of FormData does not count, another type does', () => {
    const form = (type: string) => post({ kind: 'form', entries: [['a', 'b']] }, { 'content-type': type });
    expectSame(form('multipart/form-data; boundary=one'), form('multipart/form-data; boundary=two'));
    expectDifferent(form('multipart/form-data; boundary=one'), form('multipart/mixed; boundary=one'));
  });

  test('the body of QUERY counts, and GET with the same body is another request', () => {
    const query = (own: RequestBody) => ({ ...post(own), method: 'QUERY' });
    expectDifferent(query(text('a')), query(text('b')), { ...post(text('a')), method: 'GET' });
  });
});

describe('the Host field', () => {
  const withHost = (host: string) => request('http://a.com:8080/', { headers: fields({ host }) });

  test('counts if it names another host', () => {
    expectDifferent(request('http://a.com:8080/'), withHost('b.com'), withHost('c.com'), withHost('a.com'));
    expectSame(request('http://a.com:8080/'), withHost('A.com:8080'));
    expectSame(withHost('B.com'), withHost('b.com'));
  });
});

describe('a query', () => {
  test('keeps a member whose name is ignored only in a nested place', () => {
    const rules = { ...RULES, ignoredParameters: new Set(['id']) };
    const [one, two] = ['1', '2'].map((id) => createKey(request(`http://a.com/?filter[id]=${id}`), rules));
    expect(one).not.toBe(two);
  });
});

describe('principals', () => {
  test('a request without credentials has none', () => {
    expect(principalOf(request('http://a.com/', { headers: fields({ accept: 'a' }) }), RULES)).toBe('');
  });

  test('userinfo and config.auth are the same user', () => {
    const auth = { username: 'us er', password: 'p:w' };
    expectSame(request('http://us%20er:p%3Aw@a.com/'), request('http://a.com/', { auth }));
  });

  test('a function decides alone, and rotating tokens of one user share', () => {
    const rules: KeyRules = { ...RULES, credentials: () => '' };
    const as = (principal: string, token: string) =>
      createKey(request('http://a.com/', { principal, headers: fields({ authorization: token }) }), rules);
    expect(as('alice', 'one')).toBe(as('alice', 'two'));
    expect(as('alice', 'one')).not.toBe(as('bob', 'one'));
  });
});

describe('keyFn', () => {
  test('makes the key', () => {
    expect(keyOf(request('http://a.com/x'), { ...RULES, keyFn: ({ url }) => url })).toBe('http://a.com/x');
  });

  test.each([[''], [undefined], [1]])('must not return %p', (key) => {
    expect(() => keyOf(request('http://a.com/'), { ...RULES, keyFn: () => key as string })).toThrow(
      /^keyFn returned .*; expected a text/,
    );
  });
});

test('ignored parameters leave credentials out of the key', () => {
  const rules = { ...RULES, ignoredParameters: new Set(['authorization']) };
  const asked = (value: string, name = 'authorization') =>
    createKey(request('http://a.com/', { headers: fields({ [name]: value }) }), rules);
  expect(asked('Basic a')).toBe(asked('Basic b'));
  expect(asked('a', 'x-api-key')).not.toBe(asked('b', 'x-api-key'));
});

describe('credentials and ignored fields in Vary', () => {
  const keyFn = () => 'key';
  test.each<[string, Partial<KeyRules>, boolean, boolean]>([
    ['with the default key', {}, false, true],
    ['with a keyFn', { keyFn }, true, true],
    ["with a keyFn and credentials: 'ignore'", { keyFn, credentials: 'ignore' }, false, true],
    ['if they are ignored parameters', { ignoredParameters: new Set(['authorization', 'accept']) }, true, false],
  ])('%s', (_, changes, credentials, others) => {
    const counts = countsInVary({ ...RULES, ...changes });
    expect([counts('authorization'), counts('accept')]).toEqual([credentials, others]);
  });
});

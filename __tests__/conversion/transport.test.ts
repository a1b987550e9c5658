import http, { Agent as HttpAgent } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AxiosHeaders, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import { readTransport } from '../../lib/conversion/transport.js';
import { startBench } from '../support/api.js';

const read = (config: object) =>
  readTransport({ headers: new AxiosHeaders(), ...config } as unknown as InternalAxiosRequestConfig);
const withAgent = (options: object) => read({ httpsAgent: new HttpsAgent(options) });
const withHttp2 = (options: object) => read({ httpVersion: 2, http2Options: options });

const PEM = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
const BYTES = [48, 130, 1, 2, 3, 4, 5, 6];
const buffer = () => Uint8Array.from(BYTES).buffer;

/** The same bytes in every form that Node accepts. */
const FORMS: readonly (readonly [string, () => unknown])[] = [
  ['Buffer', () => Buffer.from(BYTES)],
  ['a part of a larger Buffer', () => Buffer.from([9, ...BYTES, 9]).subarray(1, -1)],
  ['Uint8Array', () => Uint8Array.from(BYTES)],
  ['Uint16Array', () => new Uint16Array(buffer())],
  ['DataView', () => new DataView(buffer())],
  ['ArrayBuffer', () => buffer()],
];

describe.each([
  ['agents', withAgent],
  ['HTTP/2', withHttp2],
])('certificates in options of %s', (_, make) => {
  test.each(FORMS)('the same bytes as %s are the same, others are not', (_, form) => {
    const same = make({ pfx: Buffer.from(BYTES), passphrase: 'p' });
    expect(make({ pfx: form(), passphrase: 'p' })).toEqual(same);
    expect(make({ pfx: form(), passphrase: 'q' })).not.toEqual(same);
    expect(make({ pfx: Buffer.from([...BYTES].reverse()), passphrase: 'p' })).not.toEqual(same);
    expect(JSON.stringify(same)).not.toContain(Buffer.from(BYTES).toString('base64'));
  });

  test('PEM as text and as bytes is the same', () => {
    expect(make({ cert: PEM, key: Buffer.from(PEM) })).toEqual(make({ cert: Buffer.from(PEM), key: PEM }));
  });

  test.each<[string, unknown, unknown]>([
    ['lists', [PEM, 'a'], [PEM, 'b']],
    ['lists of bytes', [Buffer.from('a')], [Buffer.from('b')]],
    ['objects with pem', [{ pem: PEM, passphrase: 'a' }], [{ pem: PEM, passphrase: 'b' }]],
    ['objects with buf', [{ buf: Buffer.from('a') }], [{ buf: Buffer.from('b') }]],
    ['typed arrays within objects', [{ buf: Uint8Array.of(1) }], [{ buf: Uint8Array.of(2) }]],
  ])('%s count by their content', (_, one, two) => {
    for (const name of ['cert', 'key', 'pfx', 'ca']) {
      expect(make({ [name]: one })).toEqual(make({ [name]: structuredClone(one) }));
      expect(make({ [name]: one })).not.toEqual(make({ [name]: two }));
    }
  });

  test('a request with a part that cannot be compared is not cached', () => {
    class Key {}
    expect(make({ key: new Key() }).hiddenTransport).toBe('tls');
    expect(make({ key: [{ pem: new Key() }] }).hiddenTransport).toBe('tls');
  });
});

test('an agent without options of its own changes nothing', () => {
  for (const agent of [new HttpAgent(), new HttpAgent({ keepAlive: true, maxSockets: 1 })])
    expect(read({ httpAgent: agent, httpsAgent: new HttpsAgent() }).transport).toEqual([]);
  expect(read({ httpAgent: {}, httpsAgent: null, proxy: false, socketPath: null })).toEqual({ transport: [] });
});

test('both agents count, since redirects may change from http to https', () => {
  const { transport } = read({
    httpAgent: new HttpAgent({ host: '127.0.0.2' }),
    httpsAgent: new HttpsAgent({ rejectUnauthorized: false }),
  });
  expect(transport).toEqual([
    ['httpAgent.host', '127.0.0.2'],
    ['httpsAgent.rejectUnauthorized', 'false'],
  ]);
});

const PROXY = { host: 'a', port: 1, auth: { username: 'u', password: 'p' } };

test.each<[string, object]>([
  ['another host', { ...PROXY, host: 'b' }],
  ['a hostname, which takes precedence', { ...PROXY, hostname: 'b' }],
  ['another port', { ...PROXY, port: 2 }],
  ['another protocol', { ...PROXY, protocol: 'https' }],
  ['another password', { ...PROXY, auth: { username: 'u', password: 'q' } }],
  ['a user name beside auth, which takes precedence', { ...PROXY, username: 'v', password: 'p' }],
  ['a URL with another user', new URL('http://v:p@a:1')],
  ['no auth', { host: 'a', port: 1 }],
])('%s is another proxy', (_, other) => {
  expect(read({ proxy: other })).not.toEqual(read({ proxy: PROXY }));
});

test.each<[string, object]>([
  ['port and protocol as text', { ...PROXY, port: '1', protocol: 'http:' }],
  ['auth as text, which the oldest axios writes', { host: 'a', port: 1, auth: 'u:p' }],
  ['user name and password beside the host', { hostname: 'a', port: 1, username: 'u', password: 'p' }],
  ['a URL', new URL('http://u:p@a:1')],
])('%s: the same proxy', (_, same) => {
  expect(read({ proxy: same })).toEqual(read({ proxy: PROXY }));
});

test('the proxy of an agent counts, as URL and as options', () => {
  const proxied = (proxy: unknown) => read({ httpsAgent: Object.assign(new HttpsAgent(), { proxy }) });
  const one = proxied(new URL('http://user:one@p.test:1/'));
  expect(one).not.toEqual(proxied(new URL('http://user:two@p.test:1/')));
  expect(proxied({ host: 'p.test', port: 1 })).not.toEqual(proxied({ host: 'p.test', port: 2 }));
});

test('lookup counts by identity', () => {
  const [one, two] = [() => {}, () => {}];
  expect(read({ lookup: one })).toEqual(read({ lookup: one }));
  expect(read({ lookup: one })).not.toEqual(read({ lookup: two }));
});

describe('options of fetch', () => {
  test.each<[object, object]>([
    [{}, { transport: [] }],
    [{ redirect: 'follow', mode: 'cors', cache: 'reload', keepalive: true, priority: 'low' }, { transport: [] }],
    [{ redirect: 'manual' }, { transport: [['fetchOptions.redirect', 'manual']] }],
    [{ next: { revalidate: 1 } }, { transport: [['fetchOptions.next', '[["revalidate","1"]]']] }],
    [{ dispatcher: new (class Dispatcher {})() }, { transport: [], hiddenCredentials: true }],
    [{ headers: new Headers({ authorization: 'a' }) }, { transport: [], hiddenCredentials: true }],
  ])('%j', (fetchOptions, expected) => expect(read({ fetchOptions })).toEqual(expected));
});

describe('requests that are not cached', () => {
  test.each<[string, AxiosRequestConfig, string]>([
    ['checkServerIdentity', { httpsAgent: new HttpsAgent({ checkServerIdentity: () => undefined }) }, 'tls'],
    ['secureContext', { httpsAgent: new HttpsAgent({ secureContext: {} } as object) }, 'tls'],
    ['createConnection', { httpAgent: new HttpAgent({ createConnection: () => {} } as object) }, 'connection'],
    ['X-HTTP-Method-Override', { headers: { 'X-HTTP-Method-Override': 'DELETE' } }, 'method-override'],
    ['X-HTTP-Method', { headers: { 'x-http-method': 'GET' } }, 'method-override'],
    ['X-Method-Override', { headers: { 'X-METHOD-OVERRIDE': 'PUT' } }, 'method-override'],
    ['a dispatcher', { fetchOptions: { dispatcher: new (class Dispatcher {})() } }, 'hidden-credentials'],
  ])('%s', async (_, config, reason) => {
    await using bench = await startBench();
    if (reason !== 'connection') await bench.api.get('/');
    const { fromCache, cacheStatus } = await bench.api.get('/', config).catch((error) => error);
    expect([fromCache, cacheStatus]).toEqual([false, expect.stringContaining(`detail=${reason}`)]);
    expect(await bench.api.cache.responseCount()).toBe(reason === 'connection' ? 0 : 1);
  });

  test('a dispatcher beside a credentials function is cached', async () => {
    await using bench = await startBench({ credentials: () => 'me' });
    const config = { fetchOptions: { dispatcher: new (class Dispatcher {})() } };
    await bench.api.get('/', config);
    expect((await bench.api.get('/', config)).fromCache).toBe(true);
  });
});

test.each(['manual', 'error', 'none'])('redirects are not followed: %s has an entry of its own', async (how) => {
  await using bench = await startBench({ allowableCodes: [200, 302] }, ({ url }, response) => {
    if (url === '/') response.writeHead(302, { location: '/end' });
    response.end(url);
  });
  const config: AxiosRequestConfig =
    how === 'none' ? { maxRedirects: 0 } : { adapter: 'fetch', fetchOptions: { redirect: how } };
  const ask = async (own: AxiosRequestConfig) =>
    (await bench.api.get('/', { validateStatus: null, ...own }).catch(() => ({ status: 0 }))).status;
  expect([await ask({}), await ask(config), await ask({}), await ask(config)]).toEqual(
    how === 'error' ? [200, 0, 200, 0] : [200, 302, 200, 302],
  );
});

describe.each<['httpAgent' | 'httpsAgent', object]>([
  ['httpsAgent', https],
  ['httpAgent', http],
])('the global agent in place of %s', (name, client) => {
  const module = client as { globalAgent: HttpAgent };
  const own = module.globalAgent;
  const { options } = own as unknown as { options: { cert?: string } };
  afterEach(() => {
    module.globalAgent = own;
    delete options.cert;
  });

  test('its options count as those of an agent', () => {
    const plain = read({});
    expect(plain).toEqual({ transport: [] });
    options.cert = PEM;
    const changed = read({});
    expect(changed).not.toEqual(plain);
    expect(changed).toEqual(read({ [name]: new HttpAgent({ cert: PEM } as object) }));
    module.globalAgent = new HttpAgent({ cert: `${PEM}b` } as object);
    expect(read({})).not.toEqual(changed);
    // As in Node.js 24.
    const usual = {
      keepAlive: true,
      scheduling: 'lifo',
      timeout: 1000,
      defaultPort: 443,
      protocol: 'https:',
      proxyEnv: {},
    };
    module.globalAgent = new (client as typeof http).Agent(usual as object);
    expect(read({})).toBe(plain);
  });

  test('its class and members count as those of an agent', () => {
    class Changing extends HttpAgent {
      addRequest() {}
    }
    for (const agent of [new Changing(), Object.assign(new HttpAgent(), { createConnection() {} })]) {
      const plain = read({});
      module.globalAgent = agent;
      expect(read({})).toEqual(read({ [name]: agent }));
      expect(read({})).not.toEqual(plain);
      module.globalAgent = own;
    }
  });

  test('a request with an agent of its own does not depend on it', () => {
    const before = read({ [name]: new HttpAgent() });
    options.cert = PEM;
    expect(read({ [name]: new HttpAgent() })).toEqual(before);
  });
});

import { Agent, type ClientRequest, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { CookieJar } from 'tough-cookie';
import { MemoryCache } from '../../lib/index.js';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';

const FRESH = { 'cache-control': 'max-age=60' };
/** Answers with what the HTTP client sent. */
const echo: Handler = ({ headers: { authorization, cookie, 'x-user': user } }, response) =>
  sendJson(response, { authorization, cookie, user }, { ...FRESH, vary: 'Authorization, Cookie' });

/** Credentials that the HTTP client adds to the headers. */
const ADDED: readonly (readonly [
  string,
  (user: string, url: string) => AxiosRequestConfig | Promise<AxiosRequestConfig>,
])[] = [
  ['config.auth', (username) => ({ auth: { username, password: 'x' } })],
  ['user name in the URL', (user, url) => ({ url: `${url.replace('//', `//${user}:x@`)}/` })],
  [
    "an agent's jar",
    async (user, url) => {
      const jar = new CookieJar();
      await jar.setCookie(`sid=${user}`, url);
      const httpAgent = new Agent({ cookies: { jar } } as object);
      return { httpAgent, headers: { 'X-User': user } };
    },
  ],
];

describe.each(ADDED)('%s', (_, as) => {
  test.each<[string, CacheOptions]>([
    ['matchHeaders', { credentials: 'ignore', matchHeaders: ['Authorization', 'Cookie'] }],
    ['Vary, with keyFn', { keyFn: () => 'one key' }],
  ])('counts in %s', async (_name, options) => {
    await using bench = await startBench(options, echo);
    const seen: unknown[] = [];
    for (const user of ['alice', 'bob', 'alice']) {
      const { data, fromCache } = await bench.api.request({ url: '/', ...(await as(user, bench.origin.url)) });
      seen.push([data, fromCache]);
    }
    expect(seen.map((one) => (one as unknown[])[1])).toEqual([false, false, true]);
    expect(seen[2]).toEqual([(seen[0] as unknown[])[0], true]);
  });
});

test.each(ADDED.slice(0, 2))('a shared cache does not store the response to a request with %s', async (_, as) => {
  await using bench = await startBench({ cacheControl: true, shared: true, credentials: 'ignore' }, echo);
  for (const user of ['alice', 'bob']) {
    const { fromCache } = await bench.api.request({ url: '/', ...(await as(user, bench.origin.url)) });
    expect(fromCache).toBe(false);
  }
});

test('a principal of a function never equals credentials', async () => {
  const backend = new MemoryCache();
  await using bench = await startBench({ backend, credentials: () => '[["authorization","alice"]]' }, echo);
  await bench.api.get('/', { headers: { Authorization: 'mallory' } });
  const { data } = await bench.more({ backend }).get('/', { headers: { Authorization: 'alice' } });
  expect(data.authorization).toBe('alice');
});

/** Ways in which code of the caller sends a request to another server. */
const ROUTES: readonly (readonly [string, (port: number) => AxiosRequestConfig])[] = [
  [
    'a transport',
    (port) => ({ transport: { request: (options: object, done: () => void) => request({ ...options, port }, done) } }),
  ],
  [
    'createConnection set on an agent',
    (port) => {
      const httpAgent = new Agent();
      httpAgent.createConnection = () => connect(port, '127.0.0.1');
      return { httpAgent };
    },
  ],
  [
    'a text member of a subclass',
    (port) => {
      class Routed extends Agent {
        readonly target = String(port);
        override createConnection() {
          return connect(Number(this.target), '127.0.0.1');
        }
      }
      return { httpAgent: new Routed() };
    },
  ],
];

test.each(ROUTES)('%s has a server of its own', async (_, to) => {
  await using bench = await startBench();
  const servers = ['one', 'two'].map((name) => createServer((_request, response) => response.end(name)));
  try {
    const configs = [];
    for (const server of servers) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      configs.push(to((server.address() as AddressInfo).port));
    }
    const seen = [];
    for (const config of [...configs, ...configs]) {
      const { data, fromCache } = await bench.api.get('http://127.0.0.1:9/', config);
      seen.push([data, fromCache]);
    }
    expect(seen).toEqual([
      ['one', false],
      ['two', false],
      ['one', true],
      ['two', true],
    ]);
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
});

test('headers that a proxy agent sends to its proxy are in the key', async () => {
  await using bench = await startBench();
  const through = (proxyHeaders: object) => ({ httpAgent: Object.assign(new Agent(), { proxyHeaders }) });
  const seen = [];
  for (const session of ['1', '2', '1']) seen.push((await bench.api.get('/', through({ session }))).fromCache);
  expect(seen).toEqual([false, false, true]);
});

test('hidden members of a proxy, such as the user name of socks-proxy-agent, are in the key', async () => {
  await using bench = await startBench();
  const through = (userId: string) => {
    const proxy = Object.defineProperty({ host: '127.0.0.1' }, 'userId', { value: userId });
    return { httpAgent: Object.assign(new Agent(), { proxy }) };
  };
  const seen = [];
  for (const user of ['alice', 'bob', 'alice']) seen.push((await bench.api.get('/', through(user))).fromCache);
  expect(seen).toEqual([false, false, true]);
});

test('a response for nobody does not answer a request whose agent would add credentials', async () => {
  class Signing extends Agent {
    addRequest(sent: ClientRequest, ...rest: unknown[]) {
      sent.setHeader('authorization', 'alice');
      (Agent.prototype as unknown as { addRequest: (...all: unknown[]) => void }).addRequest.call(this, sent, ...rest);
    }
  }
  const plainEcho: Handler = ({ headers }, response) => sendJson(response, { user: headers.authorization ?? null });
  await using bench = await startBench({}, plainEcho);
  const seen = [];
  for (const httpAgent of [undefined, new Signing(), new Signing(), new Agent()]) {
    const { data, fromCache } = await bench.api.get('/', { httpAgent });
    seen.push([data.user, fromCache]);
  }
  expect(seen).toEqual([
    [null, false],
    ['alice', false],
    ['alice', false],
    [null, true],
  ]);
});

test('an agent that adds no credentials, and a cookie agent without cookies, keep their hits', async () => {
  class Counting extends Agent {
    addRequest(...all: unknown[]) {
      (Agent.prototype as unknown as { addRequest: (...all: unknown[]) => void }).addRequest.apply(this, all);
    }
  }
  class Cookies extends Counting {
    constructor() {
      super({ cookies: { jar: new CookieJar() } } as object);
    }
  }
  await using bench = await startBench();
  const seen = [];
  for (const httpAgent of [new Counting(), new Counting(), new Agent(), new Cookies(), new Cookies()]) {
    seen.push((await bench.api.get('/', { httpAgent })).fromCache);
  }
  expect(seen).toEqual([false, true, false, true, true]);
});

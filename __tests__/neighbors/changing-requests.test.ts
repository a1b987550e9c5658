import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import { CookieJar } from 'tough-cookie';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** Answers with what was sent, without the boundaries of forms. */
const echo: Handler = ({ url, headers: { authorization, cookie }, body }, response) => {
  sendJson(response, { url, authorization, cookie, body: body.replace(/--+(?:axios|formdata)\S*/g, '') });
};

/** As agents that add header fields do. */
abstract class Adding extends Agent {
  protected abstract add(request: ClientRequest): void;

  addRequest(request: ClientRequest, ...rest: unknown[]): void {
    this.add(request);
    const { addRequest } = Agent.prototype as unknown as { addRequest(...all: unknown[]): void };
    addRequest.call(this, request, ...rest);
  }
}

interface Changing {
  readonly config: AxiosRequestConfig;
  /** Changes an object of the config, to what a request for b would have. */
  change(): unknown;
}

const OF_A = { url: '/x', params: { id: 'a' } };
const posted = (data: unknown): AxiosRequestConfig => ({ method: 'post', url: '/x', data });
const form = (id: string) => {
  const data = new FormData();
  data.set('id', id);
  return data;
};

/** Requests for a whose caller changes a part for b, and the request for a that must not get the response for b. */
const CHANGES: readonly (readonly [string, () => Changing, () => AxiosRequestConfig])[] = [
  [
    'URLSearchParams',
    () => {
      const params = new URLSearchParams({ id: 'a' });
      return { config: { url: '/x', params }, change: () => params.set('id', 'b') };
    },
    () => OF_A,
  ],
  [
    'the state of a serializer',
    () => {
      let id = 'a';
      const config = { url: '/x?y', params: { id }, paramsSerializer: { serialize: () => `id=${id}` } };
      return { config, change: () => (id = 'b') };
    },
    () => ({ url: '/x?y&id=a' }),
  ],
  [
    'the state of an encoder',
    () => {
      let id = 'a';
      const config = { url: '/x', params: { id }, paramsSerializer: { encode: () => id } };
      return { config, change: () => (id = 'b') };
    },
    () => ({ url: '/x?a=a' }),
  ],
  [
    'an object of a class as parameters',
    () => {
      class Parameters {
        id = 'a';
      }
      const params = new Parameters();
      return { config: { url: '/x', params }, change: () => (params.id = 'b') };
    },
    () => OF_A,
  ],
  [
    'a Buffer',
    () => {
      const data = Buffer.from('id=a');
      return { config: posted(data), change: () => data.write('b', 3) };
    },
    () => posted(Buffer.from('id=a')),
  ],
  [
    'a typed array',
    () => {
      const data = new Uint8Array(Buffer.from('id=a'));
      return { config: posted(data), change: () => data.set([98], 3) };
    },
    () => posted(new Uint8Array(Buffer.from('id=a'))),
  ],
  [
    'a form',
    () => {
      const data = form('a');
      return { config: posted(data), change: () => data.set('id', 'b') };
    },
    () => posted(form('a')),
  ],
];

function changingTests(optionsIn: OptionsIn): void {
  test.each(CHANGES)(
    '%s: a change after the call applies neither to the request nor to later ones',
    async (_, ...of) => {
      const [changing, later] = of;
      for (const adapter of ['http', 'fetch']) {
        await using folder = await temporaryFolder();
        await using bench = await startBench({ ...optionsIn(folder.path), allowableMethods: ['GET', 'POST'] }, echo);
        const { config, change } = changing();
        const first = bench.api.request({ ...config, adapter });
        change();
        const { data } = await first;
        expect(JSON.stringify(data)).toMatch(/=a|\\na\\r/);
        const second = await bench.api.request({ ...later(), adapter });
        expect([second.data, second.fromCache]).toEqual([data, true]);
      }
    },
  );
}

describeStores(changingTests);

test('a caller keeps its own body and parameters in the config of the response', async () => {
  await using bench = await startBench({ allowableMethods: ['GET', 'POST'] }, echo);
  const params = new URLSearchParams({ id: 'a' });
  const { config } = await bench.api.post('/x', Buffer.from('id=a'), { params, paramsSerializer: { indexes: true } });
  expect(config.params).toBe(params);
  expect(config.paramsSerializer).toEqual({ indexes: true });
  expect(Buffer.isBuffer(config.data) && config.data.toString()).toBe('id=a');
});

/** Code of the caller that adds the credentials of a user while the request is sent. */
const ADDING: readonly (readonly [string, (user: () => string) => AxiosRequestConfig])[] = [
  [
    'an agent',
    (user) => {
      class Signing extends Adding {
        protected override add(request: ClientRequest): void {
          request.setHeader('Authorization', user());
        }
      }
      return { httpAgent: new Signing() };
    },
  ],
  [
    'a transport',
    (user) => ({
      transport: {
        request(options: object, done: () => void) {
          const sent = httpRequest(options, done);
          sent.setHeader('Authorization', user());
          return sent;
        },
      },
      maxRedirects: 0,
    }),
  ],
  ...['http', 'fetch'].map(
    (name) =>
      [
        `an adapter on ${name}`,
        (user: () => string) => ({
          adapter: (config: InternalAxiosRequestConfig) => {
            config.headers.set('Authorization', user());
            return axios.getAdapter(name)(config);
          },
        }),
      ] as const,
  ),
];

describe.each(ADDING)('credentials that %s adds', (_, adding) => {
  test('keep the response from being stored and shared', async () => {
    await using bench = await startBench({}, echo);
    let user = 'alice';
    const config = adding(() => user);
    const alice = bench.api.get('/', config);
    const bob = bench.api.get('/', config);
    while (bench.origin.asked.length === 0) await new Promise(setImmediate);
    user = 'bob';
    expect((await alice).cacheStatus).toContain('hidden-credentials');
    expect((await bob).data.authorization).toBe('bob');
    expect(await bench.api.cache.responseCount()).toBe(0);
    const { data } = await bench.api.get('/');
    expect(data.authorization).toBeUndefined();
  });

  test.each<CacheOptions>([{ credentials: 'ignore' }, { credentials: () => 'one' }, { keyFn: () => 'one' }])(
    'count as the settings say: %j',
    async (options) => {
      await using bench = await startBench(options, echo);
      const config = adding(() => 'alice');
      await bench.api.get('/', config);
      expect((await bench.api.get('/', config)).fromCache).toBe(true);
    },
  );
});

describe('a jar', () => {
  /** As those of http-cookie-agent. */
  class CookieAgent extends Adding {
    readonly #jar: CookieJar;

    constructor(jar: CookieJar) {
      super({ cookies: { jar } } as object);
      this.#jar = jar;
    }

    protected override add(request: ClientRequest): void {
      const cookies = this.#jar.getCookieStringSync(`http://${request.getHeader('host')}${request.path}`);
      const own = request.getHeader('Cookie');
      request.setHeader('Cookie', own ? `${cookies}; ${own}` : cookies);
    }
  }
  const agentOf = (jar: CookieJar) => ({ httpAgent: new CookieAgent(jar) });

  test.each(['/x', '/redirect'])(
    'that changes before the request to %s is sent: the response is not stored',
    async (url) => {
      const handler: Handler = (request, response, count) => {
        if (request.url === '/x') return echo(request, response, count);
        response.writeHead(302, { location: '/x' }).end();
      };
      await using bench = await startBench({}, handler);
      const jar = new CookieJar();
      await jar.setCookie('sid=alice', bench.origin.url);
      const first = bench.api.get(url, agentOf(jar));
      jar.setCookieSync('sid=bob', bench.origin.url);
      const { data, cacheStatus } = await first;
      expect(data.cookie).toBe('sid=bob');
      expect(cacheStatus).toContain('hidden-credentials');
      expect(await bench.api.cache.responseCount()).toBe(0);
    },
  );

  test('that stays, and other cookies of the caller, keep their hits', async () => {
    await using bench = await startBench({}, echo);
    const jar = new CookieJar();
    await jar.setCookie('sid=alice', bench.origin.url);
    await jar.setCookie('theme=dark', bench.origin.url);
    const config = { ...agentOf(jar), headers: { Cookie: 'own=1; theme=light' } };
    await bench.api.get('/x', config);
    expect((await bench.api.get('/x', config)).fromCache).toBe(true);
  });
});

test.each<[string, AxiosRequestConfig]>([
  ['auth with characters beyond ASCII', { auth: { username: 'älice', password: 'pässword' } }],
  ['a header with characters beyond ASCII', { headers: { 'X-Api-Key': ' kéy ' } }],
  ['a header with several values', { headers: { 'X-Api-Key': ['a', 'b'] as never } }],
  ['a header that is a number', { headers: { 'X-Api-Key': 1 } }],
])('%s keeps its hits', async (_, config) => {
  for (const adapter of ['http', 'fetch']) {
    await using bench = await startBench({}, echo);
    await bench.api.get('/', { ...config, adapter });
    expect([adapter, (await bench.api.get('/', { ...config, adapter })).fromCache]).toEqual([adapter, true]);
  }
});

describe('a client that drops credentials at a redirect to the same origin', () => {
  /** As axios 1.7.9 with `auth`. */
  class Dropping extends Adding {
    protected override add(request: ClientRequest): void {
      if (request.path === '/x') request.removeHeader('Authorization');
    }
  }
  const handler: Handler = (request, response, count) => {
    if (request.url === '/x') return echo(request, response, count);
    response.writeHead(302, { location: '/x' }).end();
  };

  test.each<[string, AxiosRequestConfig]>([
    ['auth', { auth: { username: 'alice', password: 'x' } }],
    ['a header', { headers: { Authorization: 'alice' } }],
  ])('%s: the target is not mapped', async (_, config) => {
    await using bench = await startBench({}, handler);
    const dropping = { ...config, httpAgent: new Dropping() };
    const first = await bench.api.get('/redirect', dropping);
    expect([first.data.authorization, first.cacheStatus]).toEqual([undefined, expect.stringContaining('stored')]);
    expect(await bench.api.cache.redirects.count()).toBe(0);
    expect((await bench.api.get('/x', dropping)).fromCache).toBe(false);
    expect((await bench.api.get('/redirect', dropping)).fromCache).toBe(true);
  });
});

import { Agent, createServer } from 'node:http';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { CookieJar } from 'tough-cookie';
import type { CacheOptions } from '../lib/settings/types.js';
import { type Bench, startBench, temporaryFolder } from './support/api.js';
import { type Handler, sendJson } from './support/origin.js';
import { describeStores, type OptionsIn } from './support/stores.js';

/** Answers with everything by which a server can distinguish users. */
const echo: Handler = ({ url, headers, body }, response) => {
  const { host: _, connection: __, ...rest } = headers;
  sendJson(response, { url, rest, body });
};

/** Ways in which two users send the same request. */
const USERS: readonly (readonly [
  string,
  (user: string, url: string) => AxiosRequestConfig | Promise<AxiosRequestConfig>,
])[] = [
  ...[
    'Authorization',
    'X-Postmark-Server-Token',
    'X-Session-Id',
    'X-Tenant-Id',
    'X-Scope-OrgID',
    'OpenAI-Organization',
    'Impersonate-User',
    'X-On-Behalf-Of',
    'X-Client-Id',
    'Cookie',
  ].map((name) => [`header ${name}`, (user: string) => ({ headers: { [name]: user } })] as const),
  ['credentialNames', (user) => ({ headers: { 'X-Device': user } })],
  ['config.auth', (username) => ({ auth: { username, password: 'x' } })],
  ['user name in the URL', (user, url) => ({ url: `${url.replace('//', `//${user}:x@`)}/` })],
  [
    'a jar',
    async (user, url) => {
      const jar = new CookieJar();
      await jar.setCookie(`sid=${user}`, url);
      return { jar, headers: { 'X-Seen': await jar.getCookieString(url) } } as AxiosRequestConfig;
    },
  ],
  [
    "an agent's jar",
    async (user, url) => {
      const jar = new CookieJar();
      await jar.setCookie(`sid=${user}`, url);
      // The members of agents of http-cookie-agent.
      const httpAgent = new Agent({ cookies: { jar } } as object);
      return { httpAgent, headers: { 'X-Seen': await jar.getCookieString(url) } };
    },
  ],
  ['a token of the query', (access_token) => ({ params: { access_token } })],
  ['a Buffer of JSON', (token) => ({ method: 'post', data: Buffer.from(JSON.stringify({ token })) })],
];

function isolationTests(options: OptionsIn): void {
  async function withBench(own: CacheOptions, handler: Handler, work: (bench: Bench) => Promise<void>): Promise<void> {
    await using folder = await temporaryFolder();
    const all = { allowableMethods: ['GET', 'POST'], credentialNames: ['x-device'], ...options(folder.path), ...own };
    await using bench = await startBench(all as CacheOptions, handler);
    await work(bench);
  }

  test.each(USERS)('users distinguished by %s never share', async (_, as) => {
    await withBench({}, echo, async ({ api, origin }) => {
      const seen: [unknown, boolean | undefined][] = [];
      for (const user of ['alice', 'bob', 'alice']) {
        const { data, fromCache } = await api.request({ url: '/', ...(await as(user, origin.url)) });
        seen.push([data, fromCache]);
      }
      expect(seen.map(([, fromCache]) => fromCache)).toEqual([false, false, true]);
      expect(seen[2]?.[0]).toEqual(seen[0]?.[0]);
      expect(seen[1]?.[0]).not.toEqual(seen[0]?.[0]);
    });
  });

  test('users with simultaneous requests never share', async () => {
    await withBench({}, echo, async ({ api }) => {
      const as = async (user: string) => (await api.get('/', { headers: { 'X-User-Token': user } })).data.rest;
      const answers = await Promise.all(['alice', 'bob', 'carol'].map(as));
      expect(answers.map((rest) => rest['x-user-token'])).toEqual(['alice', 'bob', 'carol']);
    });
  });
}

describeStores(isolationTests);

describe('the option credentials', () => {
  const url = '/';
  const withToken = (token: string, params = {}) => ({ url, params, headers: { 'X-Token': token } });

  test.each<[string, (config: object) => string | undefined | Promise<string | undefined>]>([
    ['a function', (config) => nameOf(config)],
    ['an async function', async (config) => nameOf(config)],
  ])('%s returns the principal', async (_, credentials) => {
    await using bench = await startBench({ credentials }, echo);
    const seen: unknown[] = [];
    for (const name of ['alice.1', 'bob.1', 'alice.2']) seen.push((await bench.api(withToken(name))).fromCache);
    expect(seen).toEqual([false, false, true]);
  });

  test.each([[undefined], [''], [Promise.resolve(undefined)], [Promise.resolve('')]])(
    '%p is no principal',
    async (none) => {
      await using bench = await startBench({ credentials: () => none }, echo);
      await bench.api(withToken('a'));
      expect((await bench.api(withToken('b'))).fromCache).toBe(true);
    },
  );

  test.each([[null], [1], [{ id: 1 }], [['a']], [true], [Promise.resolve(1)], [Promise.resolve({ id: 's3cret' })]])(
    '%p rejects the request before it is sent',
    async (wrong) => {
      await using bench = await startBench({ credentials: () => wrong as never }, echo);
      const error = await bench.api(withToken('a')).catch((reason) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^credentials: .* expected a string, undefined, or a promise of one$/);
      expect(error.message).not.toContain('s3cret');
      expect(bench.origin.asked).toEqual([]);
    },
  );

  test.each([['ignore'], [() => 'all']] as const)('%p leaves parameters in the key', async (credentials) => {
    await using bench = await startBench({ credentials }, echo);
    for (const token of ['page1', 'page2']) {
      expect((await bench.api(withToken('a', { token }))).data.url).toBe(`/?token=${token}`);
    }
    expect((await bench.api(withToken('b', { token: 'page1' }))).fromCache).toBe(true);
  });

  test.each([['ignore'], [() => 'all'], ['isolate']] as const)(
    '%p leaves named headers in the key',
    async (credentials) => {
      await using bench = await startBench({ credentials, matchHeaders: ['X-Token'] }, echo);
      for (const token of ['a', 'b']) expect((await bench.api(withToken(token))).data.rest['x-token']).toBe(token);
    },
  );

  test("'ignore' with matchHeaders: true leaves credentials out", async () => {
    await using bench = await startBench({ credentials: 'ignore', matchHeaders: true }, echo);
    await bench.api(withToken('a'));
    expect((await bench.api(withToken('b'))).fromCache).toBe(true);
  });

  test('a timeout applies to a function that does not return', async () => {
    await using bench = await startBench({ credentials: () => new Promise(() => {}) }, echo);
    await expect(bench.api({ url, timeout: 20 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });
});

describe('an ignored credential', () => {
  test.each([['isolate'], ['ignore'], [() => 'all']] as const)(
    'is a variant if Vary names it, with %p',
    async (credentials) => {
      await using bench = await startBench(
        { credentials, ignoredParameters: ['Authorization'] },
        (asked, response, count) => {
          response.setHeader('Vary', 'Authorization');
          return echo(asked, response, count);
        },
      );
      const as = async (user: string) => {
        const { data, fromCache } = await bench.api.get('/', { headers: { Authorization: user } });
        return [data.rest.authorization, fromCache];
      };
      expect([await as('alice'), await as('bob'), await as('alice')]).toEqual([
        ['alice', false],
        ['bob', false],
        ['alice', true],
      ]);
    },
  );

  test('is left out of the key without Vary', async () => {
    await using bench = await startBench({ ignoredParameters: ['Authorization'] }, echo);
    await bench.api.get('/', { headers: { Authorization: 'alice' } });
    expect((await bench.api.get('/', { headers: { Authorization: 'bob' } })).fromCache).toBe(true);
  });
});

test.each([['config'], ['agent']])('two sockets of the %s are two servers', async (where) => {
  await using folder = await temporaryFolder();
  await using bench = await startBench();
  const configs: AxiosRequestConfig[] = [];
  const servers = ['one', 'two'].map((name) => {
    const socketPath = path.join(folder.path, name);
    configs.push(where === 'config' ? { socketPath } : { httpAgent: new Agent({ socketPath } as object) });
    return createServer((_, response) => response.end(name)).listen(socketPath);
  });
  try {
    const answers = [];
    for (const config of configs) answers.push((await bench.api.get('http://localhost/', config)).data);
    expect(answers).toEqual(['one', 'two']);
  } finally {
    for (const server of servers) server.close();
  }
});

function nameOf(config: object): string {
  const { headers } = config as { headers: { get(name: string): string } };
  return headers.get('X-Token').split('.')[0] ?? '';
}

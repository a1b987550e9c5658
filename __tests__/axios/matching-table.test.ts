import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import ts from 'typescript';
import { AxiosOrigin } from '../../lib/axios/axios-origin.js';
import { ownCopy } from '../../lib/axios/copies.js';
import { requestOfConfig } from '../../lib/conversion/request-of-config.js';
import { keyOf } from '../../lib/request/cache-key.js';
import { uncachedReason } from '../../lib/request/uncached.js';
import { DEFAULTS } from '../../lib/settings/schema.js';

type Class = 'in the key' | 'not cached' | 'does not change the answer' | 'compared when coalescing';

const page = readFileSync('docs/matching.md', 'utf8');
const AXIOS_MEMBERS = tableUnder("## axios's request config");
const NODE_OPTIONS = tableUnder("## Options of Node's agents and of HTTP/2");

/** The class of each name in the table of a section. */
function tableUnder(heading: string): ReadonlyMap<string, Class> {
  const section = page.slice(page.indexOf(heading) + heading.length).split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.flatMap((row) => {
      const [, names = '', kind = ''] = row.split('|').map((cell) => cell.trim());
      return [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, kind as Class] as const);
    }),
  );
}

/** The names of the members of types, as the compiler sees them. */
function membersOf(imports: string, types: readonly string[]): string[] {
  const file = `${process.cwd()}/__tests__/axios/members.ts`;
  const text = `${imports}\n${types.map((type, index) => `type T${index} = Required<${type}>;`).join('\n')}`;
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    types: ['node'],
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, text, target) : getSourceFile.call(host, name, target, ...rest);
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  const program = ts.createProgram([file], options, host);
  const aliases = program.getSourceFile(file)?.statements.filter(ts.isTypeAliasDeclaration) ?? [];
  const checker = program.getTypeChecker();
  const names = aliases.flatMap(({ name }) =>
    checker
      .getTypeAtLocation(name)
      .getProperties()
      .map((one) => one.name),
  );
  return [...new Set(names)].sort();
}

describe('docs/matching.md', () => {
  test("names every member of axios's request config", () => {
    const members = membersOf(
      `import type { AxiosRequestConfig } from 'axios'; import type { AxiosRequestConfig as Oldest } from 'axios-oldest';`,
      ['AxiosRequestConfig', 'Oldest'],
    );
    expect(members.length).toBeGreaterThan(40);
    expect([...AXIOS_MEMBERS.keys()].sort()).toEqual(members);
  });

  test('names every option of agents, requests and HTTP/2', () => {
    const options = membersOf(
      `import * as http from 'node:http'; import * as https from 'node:https'; import * as http2 from 'node:http2';`,
      [
        'http.AgentOptions',
        'https.AgentOptions',
        'http.RequestOptions',
        'https.RequestOptions',
        'http2.ClientSessionOptions',
        'http2.SecureClientSessionOptions',
      ],
    );
    expect(options.length).toBeGreaterThan(80);
    expect(options.filter((name) => !NODE_OPTIONS.has(name))).toEqual([]);
  });

  test('uses four classes', () => {
    expect(new Set([...AXIOS_MEMBERS.values(), ...NODE_OPTIONS.values()])).toEqual(
      new Set(['in the key', 'not cached', 'does not change the answer', 'compared when coalescing']),
    );
  });
});

const noop = () => {};
const BASE: AxiosRequestConfig = { method: 'post', url: 'http://a.test/x?a=1', data: { b: 1 } };
const cert = (text: string) => new HttpsAgent({ cert: text });

/** Two values of each member; a config each if the member needs others beside it. */
const SAMPLES: Readonly<Record<string, readonly [unknown, unknown] | readonly AxiosRequestConfig[]>> = {
  adapter: [async () => Promise.reject(), 'http'],
  allowAbsoluteUrls: [
    { baseURL: 'http://b.test', url: 'http://a.test/x', allowAbsoluteUrls: true },
    { baseURL: 'http://b.test', url: 'http://a.test/x', allowAbsoluteUrls: false },
  ],
  allowedSocketPaths: ['/a', ['/b']],
  auth: [
    { username: 'a', password: 'b' },
    { username: 'a', password: 'c' },
  ],
  baseURL: [
    { baseURL: 'http://a.test', url: '/x' },
    { baseURL: 'http://b.test', url: '/x' },
  ],
  beforeRedirect: [noop, () => undefined],
  cancelToken: [axios.CancelToken.source().token, axios.CancelToken.source().token],
  data: [{ b: 1 }, { b: 2 }],
  decompress: [true, false],
  env: [{ fetch: globalThis.fetch }, { fetch: noop }],
  family: [4, 6],
  fetchOptions: [{ redirect: 'manual' }, { redirect: 'error' }],
  formDataHeaderPolicy: ['legacy', 'content-only'],
  formSerializer: [
    { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, data: { a: { b: 1 } }, formSerializer: {} },
    {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      data: { a: { b: 1 } },
      formSerializer: { dots: true },
    },
  ],
  headers: [{ Authorization: 'a' }, { Authorization: 'b' }],
  http2Options: [
    { httpVersion: 2, http2Options: { cert: 'a' } } as object,
    { httpVersion: 2, http2Options: { cert: 'b' } } as object,
  ],
  httpAgent: [new HttpAgent({ host: '127.0.0.1' }), new HttpAgent({ host: '127.0.0.2' })],
  httpVersion: [1, 2],
  httpsAgent: [cert('a'), cert('b')],
  insecureHTTPParser: [true, false],
  lookup: [noop, () => undefined],
  maxBodyLength: [1000, 2000],
  maxContentLength: [1000, 2000],
  maxRate: [1000, 2000],
  maxRedirects: [0, 5],
  method: ['post', 'put'],
  onDownloadProgress: [noop, () => undefined],
  onUploadProgress: [noop, () => undefined],
  params: [{ c: 1 }, { c: 2 }],
  paramsSerializer: [
    { params: { c: [1, 2] }, paramsSerializer: { indexes: null } },
    { params: { c: [1, 2] }, paramsSerializer: { indexes: true } },
  ],
  parseReviver: [noop, () => undefined],
  proxy: [
    { host: 'p.test', port: 1 },
    { host: 'p.test', port: 2 },
  ],
  redact: [['a'], ['b']],
  responseEncoding: ['utf8', 'latin1'],
  responseType: ['json', 'arraybuffer'],
  sensitiveHeaders: [['x-a'], ['x-b']],
  signal: [new AbortController().signal, new AbortController().signal],
  socketPath: ['/a', '/b'],
  timeout: [1000, 2000],
  timeoutErrorMessage: ['a', 'b'],
  transformRequest: [() => 'a', () => 'b'],
  transformResponse: [noop, () => undefined],
  transitional: [
    { decompress: false, transitional: { advertiseZstdAcceptEncoding: false } as object },
    { decompress: false, transitional: { advertiseZstdAcceptEncoding: true } as object },
  ],
  transport: [{ request: noop }, { request: () => undefined }],
  url: ['http://a.test/x', 'http://a.test/y'],
  validateStatus: [noop, () => false],
  withXSRFToken: [true, false],
  xsrfCookieName: ['a', 'b'],
  xsrfHeaderName: ['a', 'b'],
};
/** Members whose class shows only in a browser. */
const ONLY_IN_BROWSERS = new Set(['withCredentials']);

function isConfig(value: unknown, member: string): value is AxiosRequestConfig {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, member);
}

function signatureOf(config: AxiosRequestConfig): string {
  const final = { ...config, headers: new axios.AxiosHeaders() } as InternalAxiosRequestConfig;
  return new AxiosOrigin(final, 'http', config.url ?? '', Date.now, ownCopy).signature;
}

describe("the classes of axios's members are correct", () => {
  test.each([...AXIOS_MEMBERS].filter(([name]) => !ONLY_IN_BROWSERS.has(name)))('%s: %s', async (member, kind) => {
    const configs = (SAMPLES[member] ?? []).map((value) => ({
      ...BASE,
      ...(isConfig(value, member) ? value : { [member]: value }),
    }));
    expect(configs).toHaveLength(2);
    const keys = await Promise.all(
      configs.map(async (config) => keyOf(await requestOfConfig(config, axios.defaults, DEFAULTS), DEFAULTS)),
    );
    expect(keys[0] !== keys[1]).toBe(kind === 'in the key');
    const [one, two] = configs.map(signatureOf);
    if (kind === 'compared when coalescing') expect(one).not.toBe(two);
  });
});

describe("the classes of Node's options are correct", () => {
  const withOption = (name: string, value: unknown) => {
    const agent = new HttpsAgent();
    Object.assign(agent.options, { [name]: value });
    return { url: 'https://a.test/', httpsAgent: agent };
  };
  const withHttp2 = (name: string, value: unknown) =>
    ({ url: 'https://a.test/', httpVersion: 2, http2Options: { [name]: value } }) as AxiosRequestConfig;

  test.each(
    [...NODE_OPTIONS].flatMap(([name, kind]) => [withOption, withHttp2].map((make) => [name, kind, make] as const)),
  )('%s: %s', async (name, kind, make) => {
    const requests = await Promise.all(
      ['one', 'two'].map((value) => requestOfConfig(make(name, value), axios.defaults, DEFAULTS)),
    );
    const [one, two] = requests.map((request) => keyOf(request, DEFAULTS));
    expect(one !== two).toBe(kind === 'in the key');
    const reasons = new Set(requests.map(uncachedReason));
    expect([...reasons].every((reason) => /^(tls|connection)$/.test(reason ?? ''))).toBe(kind === 'not cached');
  });
});

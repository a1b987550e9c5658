import type { InternalAxiosRequestConfig } from 'axios';
import type { CacheRequest } from '../models/cache-request.js';
import { bytesOf } from '../platform/bytes.js';
import { sha256 } from '../platform/digest.js';
import { changedGlobalAgent } from '../platform/global-agents.js';
import { identityOf } from '../platform/identity.js';
import type { NotCachedReason } from '../policy/reasons.js';

/** Members that the types of axios lack, in general or in its oldest supported version. */
type ExtendedConfig = Omit<InternalAxiosRequestConfig, 'http2Options' | 'fetchOptions' | 'lookup'> & {
  httpVersion?: unknown;
  http2Options?: Options;
  fetchOptions?: Options;
  lookup?: unknown;
  family?: unknown;
  sensitiveHeaders?: readonly string[];
  transport?: object;
};
type Options = Readonly<Record<string, unknown>>;

/** The result of {@link readTransport}. */
export type Transport = Pick<CacheRequest, 'transport' | 'hiddenTransport' | 'hiddenCredentials'>;

/** Options of agents and of HTTP/2 that select the server, authenticate the client, or verify the server. */
const CONNECTION_OPTIONS = [
  'allowPartialTrustChain',
  'ca',
  'cert',
  'clientCertEngine',
  'crl',
  'defaultPort',
  'family',
  'host',
  'hostname',
  'key',
  'localAddress',
  'lookup',
  'passphrase',
  'path',
  'pfx',
  'port',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'proxyEnv',
  'rejectUnauthorized',
  'servername',
  'session',
  'socketPath',
] as const;
/** Options with code that cannot be compared, and the reason that Cache-Status shows. */
const HIDDEN_OPTIONS: readonly (readonly [name: string, reason: NotCachedReason])[] = [
  ['checkServerIdentity', 'tls'],
  ['secureContext', 'tls'],
  ['pskCallback', 'tls'],
  ['createConnection', 'connection'],
  ['socket', 'connection'],
];
/** Own members of every agent of Node.js. */
const AGENT_MEMBERS: ReadonlySet<string> = new Set([
  'domain',
  'protocol',
  'scheduling',
  'options',
  'proxy',
  'proxyHeaders',
]);
/** Methods of agents that choose the connection or change the request. */
const CONNECTING: ReadonlySet<string> = new Set([
  'addRequest',
  'createConnection',
  'createSocket',
  'connect',
  'callback',
]);
/** Options of `fetch` that do not change the answer, or that axios itself sets. */
const NEUTRAL_FETCH_OPTIONS: ReadonlySet<string> = new Set([
  'cache',
  'credentials',
  'duplex',
  'keepalive',
  'priority',
  'signal',
  'window',
]);
const FETCH_DEFAULTS: Options = { redirect: 'follow', mode: 'cors' };

const PLAIN: Transport = { transport: [] };

/** Returns everything besides URL, headers and body that changes the response (docs/matching.md). */
export function readTransport(config: InternalAxiosRequestConfig): Transport {
  // Without rest elements, which would copy the whole config on every hit.
  const { proxy, decompress, maxRedirects, httpVersion, httpAgent, httpsAgent, fetchOptions } = partsOf(config);
  const { http2Options, socketPath, family, lookup, sensitiveHeaders, transitional, auth, transport } = partsOf(config);
  const encodesUser = auth !== undefined && Boolean((transitional as Options | undefined)?.encodeBasicAuthUsername);
  const areAgentsPlain = !httpAgent && !httpsAgent && !changedGlobalAgent('https') && !changedGlobalAgent('http');
  if (areAgentsPlain && !proxy && !fetchOptions && !lookup && !socketPath && httpVersion === undefined) {
    if (!transport && decompress !== false && maxRedirects !== 0 && !family && !sensitiveHeaders && !encodesUser)
      return PLAIN;
  }
  const zstd = (transitional as Options | undefined)?.advertiseZstdAcceptEncoding;
  const parts = new TransportParts();
  if (decompress === false) parts.add('decompress', zstd ? 'false, zstd' : 'false');
  if (encodesUser) parts.add('encodeBasicAuthUsername', 'true');
  if (maxRedirects === 0) parts.add('maxRedirects', '0');
  if (proxy) parts.add('proxy', proxyText(proxy));
  if (socketPath) parts.add('socketPath', String(socketPath));
  if (family) parts.add('family', String(family));
  if (lookup) parts.add('lookup', identityOf(lookup));
  if (transport) parts.add('transport', identityOf(senderOf(transport)));
  if (sensitiveHeaders) parts.add('sensitiveHeaders', JSON.stringify(sensitiveHeaders));
  // HTTP/2 uses no agents.
  if (Number(httpVersion) === 2) parts.addConnection('http2Options', http2Options);
  else {
    parts.addAgent('httpAgent', httpAgent ?? changedGlobalAgent('http'));
    parts.addAgent('httpsAgent', httpsAgent ?? changedGlobalAgent('https'));
  }
  if (fetchOptions) parts.addFetchOptions(fetchOptions);
  return parts.result();
}

/**
 * Returns the proxy as axios's http adapter reads it: a plain object or a URL, whose members `hostname` and `username` take
 * precedence over `host` and `auth`. The oldest versions add `auth` to a URL.
 */
function proxyText(proxy: object): string {
  const { protocol, hostname, host, port, username, password, auth } = proxy as Readonly<Record<string, unknown>>;
  const { username: user, password: word } = (auth ?? {}) as Readonly<Record<string, unknown>>;
  const pair = user || word ? `${user || ''}:${word || ''}` : (auth ?? null);
  return JSON.stringify([
    String(protocol || 'http').replace(/:$/, ''),
    hostname || host,
    String(port ?? ''),
    username ? `${username}:${password || ''}` : pair,
  ]);
}

/** Returns the identity of a `transport`: axios copies plain objects, but not their functions. */
function senderOf(transport: object): object {
  const { request } = transport as { request?: unknown };
  return Object.hasOwn(transport, 'request') && typeof request === 'function' ? request : transport;
}

function partsOf(config: InternalAxiosRequestConfig) {
  return config as ExtendedConfig & { lookup?: object };
}

class TransportParts {
  readonly #pairs: [name: string, value: string][] = [];
  #hiddenTransport: NotCachedReason | undefined;
  #hiddenCredentials = false;

  add(name: string, value: string): void {
    this.#pairs.push([name, value]);
  }

  addAgent(name: string, agent: unknown): void {
    if (typeof agent !== 'object' || agent === null) return;
    const { options, proxy, proxyHeaders } = agent as { options?: Options; proxy?: unknown; proxyHeaders?: unknown };
    this.addConnection(name, options);
    // Proxy agents; `proxy` is a URL or a plain object.
    if (proxy) this.#addValue(`${name}.proxy`, proxy instanceof URL ? proxy.href : proxy);
    if (proxyHeaders) this.#addValue(`${name}.proxyHeaders`, proxyHeaders);
    // A cookie agent adds the cookies of its jar, which are credentials.
    const changes = options?.cookies ? undefined : classThatChangesRequests(agent);
    if (changes !== undefined) this.add(`${name}.class`, changes);
    for (const member of Object.keys(agent)) {
      if (AGENT_MEMBERS.has(member)) continue;
      const value = (agent as Options)[member];
      // Code of this agent alone, and settings of a subclass.
      if (CONNECTING.has(member) ? typeof value === 'function' : typeof value === 'string') {
        this.#addValue(`${name}.${member}`, value);
      }
    }
  }

  addConnection(name: string, options: Options | undefined): void {
    if (!options) return;
    for (const option of CONNECTION_OPTIONS) {
      const value = options[option];
      // Node sets `path` to null on every agent.
      if (value !== undefined && value !== null) this.#addValue(`${name}.${option}`, value);
    }
    for (const [option, reason] of HIDDEN_OPTIONS) if (options[option]) this.#hiddenTransport ??= reason;
  }

  addFetchOptions(options: Options): void {
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || NEUTRAL_FETCH_OPTIONS.has(name) || value === FETCH_DEFAULTS[name]) continue;
      const written = textOf(value);
      // A dispatcher, for example, may have cookies and certificates of its own.
      if (written === undefined) this.#hiddenCredentials = true;
      else this.add(`fetchOptions.${name}`, written);
    }
  }

  result(): Transport {
    return {
      transport: this.#pairs.sort(([a], [b]) => (a < b ? -1 : 1)),
      ...(this.#hiddenTransport === undefined ? {} : { hiddenTransport: this.#hiddenTransport }),
      ...(this.#hiddenCredentials ? { hiddenCredentials: true } : {}),
    };
  }

  #addValue(name: string, value: unknown): void {
    const written = typeof value === 'function' ? identityOf(value) : textOf(value);
    if (written === undefined) this.#hiddenTransport ??= 'tls';
    else this.add(name, written);
  }
}

/**
 * Returns the name of the agent's class if it replaces the method of Node.js by which agents get requests, and so may add
 * credentials, for example. A name is the same in every process, unlike the identity of the method.
 */
function classThatChangesRequests(agent: object): string | undefined {
  let first: object | undefined;
  let last: object | undefined;
  for (let one: unknown = Object.getPrototypeOf(agent); one; one = Object.getPrototypeOf(one)) {
    if (!Object.hasOwn(one, 'addRequest')) continue;
    first ??= one;
    last = one;
  }
  return first === last ? undefined : agent.constructor.name;
}

/** Returns a form of the value that is equal for equal values; undefined if a part cannot be compared. */
function textOf(value: unknown): string | undefined {
  // Text and bytes are the same: Node accepts PEM in both forms.
  if (typeof value === 'string' && value.includes('-----BEGIN')) return sha256(value);
  const bytes = bytesOf(value);
  if (bytes) return sha256(bytes);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return String(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) return undefined;
  const members: [name: string, value: string][] = [];
  // Also hidden members, such as the user name of socks-proxy-agent.
  for (const name of Object.getOwnPropertyNames(value).sort()) {
    const written = textOf((value as Options)[name]);
    if (written === undefined) return undefined;
    members.push([name, written]);
  }
  return JSON.stringify(members);
}

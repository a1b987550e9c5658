import type { AxiosResponse, AxiosStatic } from 'axios';
import { bufferOf, isUtf8 } from '../platform/bytes.js';
import { INSPECT, type InspectArguments, inspected } from '../platform/inspect.js';
import { brandOf, hasInstance } from '../platform/shared-state.js';
import { type ExpirationTime, expiresAt, parseExpiration } from '../policy/expiration.js';
import { type Fields, field, newFields } from '../policy/messages.js';
import { isFresh } from '../policy/stale.js';
import { type Hop, type RequestRecord, type ResponseRecord, withLifetime } from './record.js';

/** The class AxiosHeaders; its name is no type in axios's declarations for CommonJS. */
type AxiosHeaders = InstanceType<AxiosStatic['AxiosHeaders']>;

/** Functions that a stored response needs; given by the cache that contains it. */
export interface ResponseContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Stores the response anew. */
  readonly keep: (record: ResponseRecord) => Promise<void>;
  /** Returns the HTTP client's headers with copies of the fields. */
  readonly toHeaders: (fields: Fields) => AxiosHeaders;
  /** Returns the HTTP client's response for a record. */
  readonly toClient: (record: ResponseRecord, data: unknown) => Promise<object>;
}

/** The request that a stored response answers, redacted (requests-cache: `CachedRequest`). */
export class CachedRequest {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CachedRequest');
  /** @internal */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: of a subclass, it is the subclass
    return hasInstance.call(this, value);
  }
  /** Upper case. */
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Fields;
  /** Text, or base64 of bytes; `undefined` if there was none. */
  readonly body: string | undefined;

  readonly #cacheKey: string;

  constructor({ method, url, headers, body }: RequestRecord, cacheKey: string) {
    this.#cacheKey = cacheKey;
    this.method = method;
    this.url = url;
    this.headers = newFields(headers);
    this.body = body;
  }

  /** The key of the request as asked. It cannot be computed again from the redacted request. */
  get cacheKey(): string {
    return this.#cacheKey;
  }

  toString(): string {
    return `${this.method} ${this.url}`;
  }

  /** Returns the request as plain data, for `JSON.stringify`. */
  toJSON(): object {
    const { method, url, headers, body } = this;
    return { method, url, headers: { ...headers }, ...(body === undefined ? {} : { body }) };
  }

  /** @internal */
  [INSPECT](...how: InspectArguments): string {
    return inspected('CachedRequest', this.toJSON(), how);
  }
}

/** The method that returns the record of a stored response, the same in all copies of this version. */
export const RECORD: unique symbol = Symbol.for(brandOf('record')) as never;

/**
 * A stored response (requests-cache: `CachedResponse`): the argument of `filterFn` and of functions given as
 * `expireAfter` or `tags`, and the result of reading a cache. Changes of it do not change the store, except by {@link
 * CachedResponse.revalidate}.
 */
export class CachedResponse {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CachedResponse');
  /** @internal */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: of a subclass, it is the subclass
    return hasInstance.call(this, value);
  }
  #record: ResponseRecord;
  readonly #context: ResponseContext;
  #data: { readonly value: unknown } | undefined;

  constructor(record: ResponseRecord, context: ResponseContext) {
    this.#record = record;
    this.#context = context;
  }

  get status(): number {
    return this.#record.status;
  }

  get statusText(): string {
    return this.#record.statusText;
  }

  /** The header fields, without credentials and cookies: a new copy each time. */
  get headers(): AxiosHeaders {
    return this.#context.toHeaders(this.#record.headers);
  }

  /** The final URL, redacted. */
  get url(): string {
    return this.#record.url;
  }

  get request(): CachedRequest {
    return new CachedRequest(this.#record.request, this.#record.key);
  }

  /** The redirects before the response, in their order, redacted. */
  get history(): readonly Hop[] {
    return this.#record.history;
  }

  /** The key of the request as asked. */
  get cacheKey(): string {
    return this.#record.key;
  }

  /** The option `tags`. */
  get tags(): readonly string[] {
    return [...this.#record.tags];
  }

  /** When the response was received or last validated. */
  get createdAt(): Date {
    return new Date(this.#record.receivedAt);
  }

  /** When the response becomes stale; `null`: never. */
  get expires(): Date | null {
    return this.#record.staleAt === Number.POSITIVE_INFINITY ? null : new Date(this.#record.staleAt);
  }

  get isExpired(): boolean {
    return !isFresh(this.#record, this.#context.now());
  }

  /** Bytes of the body. */
  get size(): number {
    return this.#record.body.byteLength;
  }

  /** The raw body, before `transformResponse`: a new copy each time. */
  get body(): Uint8Array {
    return Buffer.from(this.#record.body);
  }

  /**
   * The body by axios's default rules, whatever the caller's transforms and `responseType`: the parsed value if it is
   * JSON, else text. Decoded on first access.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as the data of axios's own responses
  get data(): any {
    this.#data ??= { value: this.#decode() };
    return this.#data.value;
  }

  /**
   * Gives the stored response a new freshness lifetime, counted from now (requests-cache: `revalidate`). A response that
   * was deleted or replaced meanwhile stays so.
   *
   * @returns whether it is then expired
   * @throws TypeError for a value that `expireAfter` does not accept; CacheError if the store fails
   * @example await response.revalidate('1h')
   */
  async revalidate(expireAfter: ExpirationTime): Promise<boolean> {
    const lifetime = parseExpiration(expireAfter) ?? { seconds: Number.POSITIVE_INFINITY };
    const now = this.#context.now();
    this.#record = withLifetime(this.#record, { staleAt: expiresAt(lifetime, now), now });
    await this.#context.keep(this.#record);
    return this.isExpired;
  }

  /**
   * Returns the response as one of axios, with the data of {@link CachedResponse.data}.
   *
   * @example
   * const { data, status } = await response.toAxiosResponse();
   */
  async toAxiosResponse(): Promise<AxiosResponse> {
    return (await this.#context.toClient(this.#record, this.data)) as AxiosResponse;
  }

  toString(): string {
    const type = field(this.#record.headers, 'content-type') ?? 'no type';
    const until = this.expires === null ? 'never expires' : `expires ${this.expires.toISOString()}`;
    return `<CachedResponse [${this.status}] ${this.request} (${type}, ${this.size} bytes, created ${this.createdAt.toISOString()}, ${until})>`;
  }

  /** Returns the response as plain data, for `JSON.stringify`; `data` is absent if the body is not text. */
  toJSON(): object {
    const { status, statusText, url, cacheKey, createdAt, expires, isExpired, size, tags } = this;
    return {
      status,
      statusText,
      url,
      headers: { ...this.#record.headers },
      request: this.request.toJSON(),
      history: this.history.map((hop) => ({ ...hop, headers: { ...hop.headers } })),
      cacheKey,
      createdAt,
      expires,
      isExpired,
      size,
      tags,
      ...(isUtf8(this.#record.body) ? { data: this.data as unknown } : {}),
    };
  }

  /** @internal */
  [RECORD](): ResponseRecord {
    return this.#record;
  }

  /** @internal */
  [INSPECT](...how: InspectArguments): string {
    return inspected('CachedResponse', this.toJSON(), how);
  }

  #decode(): unknown {
    const { bodyForm, body } = this.#record;
    if (bodyForm === 'none') return undefined;
    const text = bufferOf(body)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
}

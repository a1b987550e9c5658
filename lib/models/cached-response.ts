import type { AxiosResponse } from 'axios';
import { brandOf, hasInstance } from '../platform/shared-state.js';
import { type ExpirationTime, expiresAt, parseExpiration } from '../policy/expiration.js';
import { type Fields, field, newFields } from '../policy/messages.js';
import type { Hop, RequestRecord, ResponseRecord } from './record.js';

/** What a stored response needs from outside to be more than data; handed in by the cache that holds it. */
export interface ResponseContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Stores the response anew. */
  readonly keep: (record: ResponseRecord) => Promise<void>;
  /** The HTTP client's response for a record. */
  readonly toClient: (record: ResponseRecord, data: unknown) => Promise<object>;
}

/** The request that a stored response answered, without secrets (requests-cache: `CachedRequest`). */
export class CachedRequest {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CachedRequest');
  /** @internal */
  static readonly [Symbol.hasInstance] = hasInstance;
  /** Upper case. */
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Fields;
  /** Text, or base64 of bytes; undefined where there was none. */
  readonly body: string | undefined;

  readonly #cacheKey: string;

  constructor({ method, url, headers, body }: RequestRecord, cacheKey: string) {
    this.#cacheKey = cacheKey;
    this.method = method;
    this.url = url;
    this.headers = newFields(headers);
    this.body = body;
  }

  /** The key of the request as asked. It cannot be computed again from what is redacted here. */
  get cacheKey(): string {
    return this.#cacheKey;
  }

  toString(): string {
    return `${this.method} ${this.url}`;
  }
}

/** A stored response (requests-cache: `CachedResponse`): in `filterFn`, in `expireAfter` functions, and when reading a cache. */
export class CachedResponse {
  /** @internal */
  static readonly brand: string = /* @__PURE__ */ brandOf('CachedResponse');
  /** @internal */
  static readonly [Symbol.hasInstance] = hasInstance;
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

  /** Lower-case names; without credentials and cookies. A copy, since what is stored must not change. */
  get headers(): Fields {
    return newFields(this.#record.headers);
  }

  /** The final URL, without secrets. */
  get url(): string {
    return this.#record.url;
  }

  get request(): CachedRequest {
    return new CachedRequest(this.#record.request, this.#record.key);
  }

  /** The redirects that led to it, in order, without secrets. */
  get history(): readonly Hop[] {
    return this.#record.history;
  }

  /** Of the request as it was asked. */
  get cacheKey(): string {
    return this.#record.key;
  }

  /** When the response was received, or last validated. */
  get createdAt(): Date {
    return new Date(this.#record.receivedAt);
  }

  /** When it stops being fresh; `null` for never. */
  get expires(): Date | null {
    return this.#record.staleAt === Number.POSITIVE_INFINITY ? null : new Date(this.#record.staleAt);
  }

  get isExpired(): boolean {
    return this.#record.staleAt <= this.#context.now();
  }

  /** Bytes of the body. */
  get size(): number {
    return this.#record.body.byteLength;
  }

  /** The raw body: a copy, since what is stored must not change. */
  get body(): Buffer {
    return Buffer.from(this.#record.body);
  }

  /** The body by axios's default rules, decoded on first read: JSON where it is that, else text. */
  get data(): unknown {
    this.#data ??= { value: this.#decode() };
    return this.#data.value;
  }

  /**
   * Gives the stored response a new lifetime from now (requests-cache: `revalidate`).
   *
   * @returns whether it is expired then
   * @throws TypeError for what `expireAfter` does not take; CacheError where the store fails
   */
  async revalidate(expireAfter: ExpirationTime): Promise<boolean> {
    const lifetime = parseExpiration(expireAfter) ?? { seconds: Number.POSITIVE_INFINITY };
    this.#record = { ...this.#record, staleAt: expiresAt(lifetime, this.#context.now()) };
    await this.#context.keep(this.#record);
    return this.isExpired;
  }

  /** The same as a response of axios's, its data decoded as {@link CachedResponse.data} is. */
  async toAxiosResponse(): Promise<AxiosResponse> {
    return (await this.#context.toClient(this.#record, this.data)) as AxiosResponse;
  }

  toString(): string {
    const type = field(this.headers, 'content-type') ?? 'no type';
    const until = this.expires === null ? 'never expires' : `expires ${this.expires.toISOString()}`;
    return `<CachedResponse [${this.status}] ${this.request} (${type}, ${this.size} bytes, created ${this.createdAt.toISOString()}, ${until})>`;
  }

  #decode(): unknown {
    const { bodyForm, body } = this.#record;
    if (bodyForm === 'none') return undefined;
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
}

import type { MaybePromise } from '../platform/maybe-promise.js';

/**
 * Writes and reads the metadata of a stored response, which is everything but its body (requests-cache: serializers).
 *
 * @example
 * const mine: Serializer = { name: 'mine', dumps: (value) => JSON.stringify(value), loads: (text) => JSON.parse(String(text)) };
 */
export interface Serializer {
  /** 1 to 64 letters, digits and `_.+-`. Stored with each entry: entries of another serializer are misses. */
  readonly name: string;
  /** A package that must be installed. */
  readonly needs?: string;
  dumps(value: unknown): MaybePromise<string | Uint8Array>;
  /** Gets text if `dumps` returned text, else bytes. */
  // biome-ignore lint/suspicious/noExplicitAny: the type is that of the result of `dumps`, as the user declares it
  loads(data: any): MaybePromise<unknown>;
  /** Encodes bodies, for example compresses them. Default: bodies are stored unchanged. */
  readonly body?: BodyEncoding | undefined;
}

export interface BodyEncoding {
  dumps(body: Uint8Array): MaybePromise<Uint8Array>;
  /** @param length bytes of the body before `dumps`; no more is to be returned */
  loads(data: Uint8Array, length: number): MaybePromise<Uint8Array>;
}

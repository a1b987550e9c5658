import type { MaybePromise } from '../platform/maybe-promise.js';

/** Writes and reads what is stored beside the body (requests-cache: serializers). */
export interface Serializer {
  /** Stands in the store: entries of another serializer are misses. */
  readonly name: string;
  /** A package that must be installed. */
  readonly needs?: string;
  dumps(value: unknown): MaybePromise<string | Uint8Array>;
  loads(data: Uint8Array): MaybePromise<unknown>;
  /** What becomes of bodies, where they are not stored as they are: compression, above all. */
  readonly body?:
    | { dumps(body: Uint8Array): MaybePromise<Uint8Array>; loads(body: Uint8Array): MaybePromise<Uint8Array> }
    | undefined;
}

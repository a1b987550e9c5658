import type { MaybePromise } from '../maybe-promise.js';

/** Writes and reads what is stored beside the body (requests-cache: `SerializerPipeline`'s stages). */
export interface Serializer {
  /** Stands in the store: entries of another serializer are misses. */
  readonly name: string;
  dumps(value: unknown): MaybePromise<string | Uint8Array>;
  loads(data: Uint8Array): MaybePromise<unknown>;
}

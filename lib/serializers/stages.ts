import { decodeText, encodeText } from '../platform/bytes.js';
import { brotliCompression, gzipCompression } from '../platform/compression.js';
import type { MaybePromise } from '../platform/maybe-promise.js';

/** One step of a `SerializerPipeline` (requests-cache: `Stage`). `loads` reverses `dumps`. */
export interface Stage {
  /** Becomes part of the pipeline's name, which is stored with each entry. */
  readonly name: string;
  /** Whether the stage turns bytes into bytes. Such a stage also processes bodies. Default: `false`. */
  readonly bytes?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the type is that of the result of the stage before
  dumps(value: any): MaybePromise<unknown>;
  /** @param limit bytes that a stage of bytes may return: the length of the stored body, or 64 MiB for metadata */
  // biome-ignore lint/suspicious/noExplicitAny: the type is that of the result of `dumps`
  loads(value: any, limit: number): MaybePromise<unknown>;
}

/** Compresses metadata and bodies with gzip. */
export const gzipStage: Stage = {
  name: 'gzip',
  bytes: true,
  dumps: gzipCompression.compress,
  loads: gzipCompression.decompress,
};

/** Compresses metadata and bodies with Brotli (quality 5). */
export const brotliStage: Stage = {
  name: 'brotli',
  bytes: true,
  dumps: brotliCompression.compress,
  loads: brotliCompression.decompress,
};

/** Turns text into UTF-8 bytes (requests-cache: `utf8_encoder`). A pipeline does so by itself before a stage of bytes. */
export const utf8Stage: Stage = {
  name: 'utf8',
  dumps(text: unknown) {
    if (typeof text !== 'string') throw new TypeError(`utf8Stage gets a value of type ${typeof text} instead of text`);
    return encodeText(text);
  },
  loads: decodeText,
};

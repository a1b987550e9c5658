import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from 'node:zlib';

/** Compresses and decompresses bytes, outside the event loop. */
export interface Compression {
  compress(data: Uint8Array): Promise<Uint8Array>;
  /** @param limit bytes of the result; rejects beyond, before they are allocated */
  decompress(data: Uint8Array, limit: number): Promise<Uint8Array>;
}

const run = {
  gzip: promisify<Uint8Array, Buffer>(gzip),
  gunzip: promisify(gunzip) as unknown as Decompress,
  brotliCompress: promisify(brotliCompress) as unknown as (data: Uint8Array, options: object) => Promise<Buffer>,
  brotliDecompress: promisify(brotliDecompress) as unknown as Decompress,
};

type Decompress = (data: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;

/** zlib refuses a limit of 0; the caller checks the length. */
const bounded = (limit: number) => ({ maxOutputLength: Math.max(1, limit) });

/** gzip (RFC 1952). */
export const gzipCompression: Compression = {
  compress: run.gzip,
  decompress: (data, limit) => run.gunzip(data, bounded(limit)),
};

/** zlib's default quality of 11 takes seconds for a megabyte; 5 is near gzip's time and compresses better. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** Brotli (RFC 7932). */
export const brotliCompression: Compression = {
  compress: (data) => run.brotliCompress(data, BROTLI),
  decompress: (data, limit) => run.brotliDecompress(data, bounded(limit)),
};

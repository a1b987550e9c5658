import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
// The default export: bundlers make named imports of a namespace's members, and Node.js 20 has no decoder of zstd.
import zlib from 'node:zlib';

/**
 * Decoders by content coding (RFC 9110 section 8.4.1), each with the forms that HTTP clients accept: a body of `deflate` has
 * a zlib header or none. They reject a body without its end, unlike those of axios and fetch.
 */
const DECODERS: Readonly<Record<string, readonly (() => Transform)[]>> = {
  gzip: [() => zlib.createUnzip()],
  deflate: [() => zlib.createInflate(), () => zlib.createInflateRaw()],
  br: [() => zlib.createBrotliDecompress()],
  // Since Node.js 22.15.
  zstd: [() => (zlib as unknown as { createZstdDecompress(): Transform }).createZstdDecompress()],
};
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip', compress: 'gzip', 'x-compress': 'gzip' };

/** CRC32 and length of the decoded bytes (RFC 1952). */
const GZIP_TRAILER = 8;

/** Returns the coding of a Content-Encoding that is checked; undefined for none, several, and others. */
export function checkedCoding(contentEncoding: unknown): string | undefined {
  if (typeof contentEncoding !== 'string') return undefined;
  const name = contentEncoding.trim().toLowerCase();
  const coding = ALIASES[name] ?? name;
  return Object.hasOwn(DECODERS, coding) ? coding : undefined;
}

/** The bytes of a body in a content coding, as they arrive. */
export class EncodedBody {
  readonly #coding: string;
  /** Undefined if the body exceeded the limit. */
  #chunks: Uint8Array[] | undefined = [];
  #size = 0;
  #limit: number;

  /**
   * @param coding a result of {@link checkedCoding}
   * @param limit bytes that are kept; a longer body cannot be checked
   */
  constructor(coding: string, limit: number) {
    this.#coding = coding;
    this.#limit = limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength;
    if (this.#size > this.#limit) this.#chunks = undefined;
    if (chunk.byteLength > 0) this.#chunks?.push(chunk);
  }

  /**
   * Returns whether the body has the end of its coding. An empty body has no coding to end. A second decoding is the
   * exception: the trailer of gzip suffices.
   *
   * @param decoded the bytes that the HTTP client returned
   */
  async isComplete(decoded: Uint8Array): Promise<boolean> {
    const chunks = this.#chunks;
    if (!chunks) return false;
    if (chunks.length === 0 || (this.#coding === 'gzip' && hasTrailer(chunks, decoded))) return true;
    // A client that does not know the coding returns the bytes as they came.
    if (this.#size === decoded.byteLength && Buffer.concat(chunks).equals(decoded)) return true;
    for (const decoder of DECODERS[this.#coding] ?? []) {
      if ((await decodedSize(chunks, decoder)) === decoded.byteLength) return true;
    }
    return false;
  }
}

/** Whether the chunks end with the trailer of the decoded bytes. A file of several members has others. */
function hasTrailer(chunks: readonly Uint8Array[], decoded: Uint8Array): boolean {
  const { crc32 } = zlib as { crc32?: typeof zlib.crc32 };
  const trailer = Buffer.concat(chunks.slice(-GZIP_TRAILER)).subarray(-GZIP_TRAILER);
  if (!crc32 || trailer.byteLength < GZIP_TRAILER) return false;
  return trailer.readUInt32LE(4) === decoded.byteLength % 2 ** 32 && trailer.readUInt32LE(0) === crc32(decoded);
}

/** Returns undefined if the bytes cannot be decoded to an end. */
async function decodedSize(chunks: readonly Uint8Array[], decoder: () => Transform): Promise<number | undefined> {
  let size = 0;
  try {
    await pipeline(Readable.from(chunks), decoder(), async (decoded: AsyncIterable<Uint8Array>) => {
      for await (const chunk of decoded) size += chunk.byteLength;
    });
    return size;
  } catch {
    return undefined;
  }
}

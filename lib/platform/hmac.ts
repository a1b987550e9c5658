import { hash, timingSafeEqual } from 'node:crypto';
import { bufferOf } from './bytes.js';

const BLOCK = 64;
const DIGEST = 32;

/**
 * HMAC-SHA-256 (RFC 2104) with one key. It is computed by two one-shot digests over prepared pads, since `createHmac`
 * costs three times as much for the short messages that are authenticated here.
 */
export class HmacKey {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** @param key at most 64 bytes, as derived keys are */
  constructor(key: Uint8Array) {
    if (key.byteLength > BLOCK) throw new RangeError('an HMAC key of more than 64 bytes');
    this.#inner = padded(key, 0x36);
    this.#outer = Buffer.concat([padded(key, 0x5c), Buffer.alloc(DIGEST)]);
  }

  digest(message: string, encoding: 'hex' | 'base64url'): string {
    // Node returns a digest as text in a third of the time of a Buffer.
    const inner = hash('sha256', Buffer.concat([this.#inner, Buffer.from(message)]), 'binary');
    // The buffer is used again: nothing else runs before the digest has been taken.
    this.#outer.write(inner, BLOCK, 'binary');
    return hash('sha256', this.#outer, encoding);
  }
}

/** Compares two strings in a time that depends on their lengths alone. */
export function equalInConstantTime(a: string, b: string): boolean {
  const [left, right] = [bufferOf(a), bufferOf(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.set(key);
  return block.map((byte) => byte ^ pad) as Buffer;
}

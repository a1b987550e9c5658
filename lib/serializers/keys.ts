import { hkdfSync } from 'node:crypto';
import { isBytes } from '../platform/bytes.js';
import { sha256 } from '../platform/digest.js';

/** A secret of at least 32 bytes; of a text, the UTF-8 bytes count. */
export type Key = string | Uint8Array;

/** One key, or several: the first writes, all read. */
export type Keys = Key | readonly Key[];

/** RFC 7518 section 3.2: an HMAC key is at least as long as the digest. */
const MIN_BYTES = 32;
const SALT = 'axios-keyv-cache';
const ACCEPTED = `text or bytes of ${MIN_BYTES} bytes or more, or a list of them`;

/**
 * Returns the keys as bytes; undefined if none is given.
 *
 * @throws TypeError that names the option and never shows a key
 */
export function readKeys(value: unknown, option: string): readonly Uint8Array[] | undefined {
  if (value === undefined) return undefined;
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (keys.length === 0) throw new TypeError(`${option}: an empty list is not accepted; expected ${ACCEPTED}`);
  return keys.map((key) => {
    const bytes = typeof key === 'string' ? Buffer.from(key) : isBytes(key) ? Buffer.from(key) : undefined;
    if (bytes && bytes.byteLength >= MIN_BYTES) return bytes;
    const given = bytes ? `a key of ${bytes.byteLength} bytes` : `a ${typeof key}`;
    throw new TypeError(`${option}: ${given} is not accepted; expected ${ACCEPTED}`);
  });
}

/** Returns a key of 32 bytes for one use (HKDF with SHA-256, RFC 5869). */
export function derivedKey(key: Uint8Array, use: 'sign' | 'encrypt' | 'name'): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, SALT, use, 32));
}

/** Returns 16 hex digits that identify a derived key and reveal nothing of it. */
export function keyId(derived: Uint8Array): string {
  return sha256(derived).slice(0, 16);
}

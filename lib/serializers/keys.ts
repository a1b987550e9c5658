import { createHash, createHmac, hkdfSync } from 'node:crypto';

/** A secret of 32 bytes or more: text counts by its UTF-8 bytes. */
export type Key = string | Uint8Array;

/** One key, or several: the first is used for writing, all for reading. */
export type Keys = Key | readonly Key[];

/** RFC 7518 section 3.2: an HMAC key as long as the hash. */
const MIN_BYTES = 32;
const SALT = 'axios-keyv-cache';
const ACCEPTED = `text or bytes of ${MIN_BYTES} bytes or more, or a list of them`;

/**
 * The keys as bytes, first the one to write with; undefined where none is given.
 *
 * @throws TypeError that names the option and never shows a key
 */
export function readKeys(value: unknown, option: string): readonly Uint8Array[] | undefined {
  if (value === undefined) return undefined;
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (keys.length === 0) throw new TypeError(`${option}: an empty list is not accepted; expected ${ACCEPTED}`);
  return keys.map((key) => {
    const bytes = typeof key === 'string' ? Buffer.from(key) : key instanceof Uint8Array ? Buffer.from(key) : undefined;
    if (bytes && bytes.byteLength >= MIN_BYTES) return bytes;
    const given = bytes ? `a key of ${bytes.byteLength} bytes` : `a ${typeof key}`;
    throw new TypeError(`${option}: ${given} is not accepted; expected ${ACCEPTED}`);
  });
}

/** A key of 32 bytes for one use alone (HKDF with SHA-256, RFC 5869). */
export function derivedKey(key: Uint8Array, use: 'sign' | 'encrypt' | 'name'): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, SALT, use, 32));
}

/** By what a key is told from others, without saying anything of it: 16 hex digits. */
export function keyId(derived: Uint8Array): string {
  return createHash('sha256').update(derived).digest('hex').slice(0, 16);
}

/** A keyed digest as 64 hex digits. */
export function keyedDigest(derived: Uint8Array, text: string): string {
  return createHmac('sha256', derived).update(text).digest('hex');
}

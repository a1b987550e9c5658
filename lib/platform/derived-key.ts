import { hkdfSync } from 'node:crypto';

/** Returns a key of 32 bytes for one use (HKDF with SHA-256, RFC 5869). */
export function deriveKey(key: Uint8Array, salt: string, use: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, use, 32));
}

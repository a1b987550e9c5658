import { webcrypto } from 'node:crypto';
import { ownBytes } from './bytes.js';

/** The protected header of a detached JWS (RFC 7797) with HMAC-SHA-256. */
export type DetachedHeader = {
  readonly alg: 'HS256';
  readonly b64: false;
  readonly crit: string[];
  readonly kid: string;
};

/** Returns a key for {@link signDetached}. It is imported once, since jose would import raw bytes for each signature. */
export function importSigningKey(key: Uint8Array): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return webcrypto.subtle.importKey('raw', Uint8Array.from(key), algorithm, false, ['sign']);
}

/**
 * Signs a payload by jose, which is loaded with the first signature.
 *
 * @returns the compact form without payload: `header..signature`
 */
export async function signDetached(payload: Uint8Array, header: DetachedHeader, key: CryptoKey): Promise<string> {
  const { FlattenedSign } = await import('./jose-parts.js');
  const jws = await new FlattenedSign(ownBytes(payload)).setProtectedHeader(header).sign(key);
  return `${jws.protected}..${jws.signature}`;
}

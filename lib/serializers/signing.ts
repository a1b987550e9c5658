import type { Entry, EntrySummary } from '../models/entry.js';
import { type DetachedHeader, importSigningKey, signDetached } from '../platform/detached-jws.js';
import { sha256Base64url } from '../platform/digest.js';
import { equalInConstantTime, HmacKey } from '../platform/hmac.js';
import type { InvalidReason } from '../policy/reasons.js';
import { headText } from './head-text.js';
import { derivedKey, keyId } from './keys.js';

/** Digest of the body, `:`, and a detached JWS in compact form: protected header, `..`, signature. */
const FORM = /^([\w-]{43}):([\w-]{1,400})\.\.([\w-]{43})$/;

interface SigningKey {
  readonly bytes: Uint8Array;
  readonly mac: HmacKey;
  readonly header: DetachedHeader;
  /** The header as it is signed. Constant for a key, so that reading accepts no other header. */
  readonly encodedHeader: string;
}

/**
 * Signs and verifies entries by a detached JWS (RFC 7797) over a manifest of everything that must not change. The
 * manifest contains the storage key that the reader looked up, never one that is stored with the entry.
 */
export class Signer {
  readonly #cacheName: string;
  readonly #keys: readonly SigningKey[];
  #imported: Promise<CryptoKey> | undefined;

  /** @param keys the first signs, all verify */
  constructor(keys: readonly Uint8Array[], cacheName: string) {
    this.#cacheName = cacheName;
    this.#keys = keys.map(signingKey);
  }

  /** Returns the entry with its signature. */
  async sign(entry: Entry): Promise<Entry> {
    const [current] = this.#keys;
    if (!current) return entry;
    const { protection: before, ...rest } = entry;
    const marked: Entry = { ...rest, protection: before === 'E' ? 'B' : 'S' };
    const digest = sha256Base64url(marked.body);
    this.#imported ??= importSigningKey(current.bytes);
    const manifest = Buffer.from(this.#manifest(marked, digest));
    const signature = `${digest}:${await signDetached(manifest, current.header, await this.#imported)}`;
    return { ...marked, signature, size: marked.size + signature.length };
  }

  /**
   * Verifies an entry, in constant time for a given length. A hit does not wait for jose and WebCrypto, which take ten
   * times as long; the bytes are the same.
   *
   * @param body undefined if only the summary was read
   * @returns why the entry is refused; undefined if the signature is right
   */
  verify(entry: EntrySummary, body: Uint8Array | undefined): InvalidReason | undefined {
    const match = FORM.exec(entry.signature);
    if (!match) return entry.signature === '' ? 'unsigned' : 'bad-signature';
    const [, digest = '', header = '', signature = ''] = match;
    const key = this.#keys.find(({ encodedHeader }) => encodedHeader === header);
    if (!key) return 'unknown-key';
    // RFC 7797 section 5.2: the signing input of an unencoded payload.
    const expected = key.mac.digest(`${header}.${this.#manifest(entry, digest)}`, 'base64url');
    if (!equalInConstantTime(expected, signature)) return 'bad-signature';
    return body === undefined || sha256Base64url(body) === digest ? undefined : 'bad-digest';
  }

  #manifest(entry: EntrySummary, bodyDigest: string): string {
    const { protection, meta } = entry;
    return `${headText(this.#cacheName, entry)} ${protection} ${sha256Base64url(meta)} ${bodyDigest}`;
  }
}

function signingKey(secret: Uint8Array): SigningKey {
  const bytes = derivedKey(secret, 'sign');
  const header: DetachedHeader = { alg: 'HS256', b64: false, crit: ['b64'], kid: keyId(bytes) };
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  return { bytes, mac: new HmacKey(bytes), header, encodedHeader };
}

import { createHash } from 'node:crypto';
import { type CryptoKey, FlattenedSign, flattenedVerify } from 'jose';
import type { Entry, EntrySummary } from '../models/entry.js';
import type { InvalidReason } from './codec.js';
import { derivedKey, keyId } from './keys.js';

const ALGORITHM = 'HS256';
/** `digest of the body` `:` `protected header` `..` `signature`, the last three as a detached JWS in compact form. */
const FORM = /^([\w-]{43}):([\w-]{1,400})\.\.([\w-]{43})$/;

/**
 * Signs entries, and verifies them: a detached JWS (RFC 7797) over a manifest of everything that must not change. The
 * manifest holds the name under which the reader looks, never one that stands beside the item.
 */
export class Signer {
  readonly #cacheName: string;
  readonly #keys: readonly { readonly id: string; readonly key: Promise<CryptoKey> }[];

  /** @param keys first the one to sign with */
  constructor(keys: readonly Uint8Array[], cacheName: string) {
    this.#cacheName = cacheName;
    this.#keys = keys.map((secret) => {
      const derived = derivedKey(secret, 'sign');
      return { id: keyId(derived), key: imported(derived) };
    });
  }

  /** The entry with its signature. */
  async sign(entry: Entry): Promise<Entry> {
    const [current] = this.#keys;
    if (!current) return entry;
    const sealed = { ...entry, protection: entry.protection === 'E' ? ('B' as const) : ('S' as const) };
    const digest = digestOf(entry.body);
    const jws = await new FlattenedSign(this.#manifest(sealed, digest))
      .setProtectedHeader({ alg: ALGORITHM, b64: false, crit: ['b64'], kid: current.id })
      .sign(await current.key);
    const signature = `${digest}:${jws.protected}..${jws.signature}`;
    return { ...sealed, signature, size: sealed.size + signature.length };
  }

  /**
   * Why the entry is not to be trusted; undefined where it is.
   *
   * @param body undefined where only the summary was read
   */
  async verify(entry: EntrySummary, body: Uint8Array | undefined): Promise<InvalidReason | undefined> {
    const match = FORM.exec(entry.signature);
    if (!match) return entry.signature === '' ? 'unsigned' : 'bad-signature';
    const [, digest = '', header = '', signature = ''] = match;
    const known = this.#keyFor(header);
    if (!known) return 'unknown-key';
    try {
      const jws = { protected: header, payload: this.#manifest(entry, digest), signature };
      await flattenedVerify(jws, await known, { algorithms: [ALGORITHM] });
    } catch {
      return 'bad-signature';
    }
    return body === undefined || digestOf(body) === digest ? undefined : 'bad-digest';
  }

  #keyFor(header: string): Promise<CryptoKey> | undefined {
    try {
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: unknown };
      return this.#keys.find(({ id }) => id === kid)?.key;
    } catch {
      return undefined;
    }
  }

  #manifest(
    { id, kind, group, receivedAt, staleAt, indexes, order, protection, meta }: EntrySummary,
    bodyDigest: string,
  ): Uint8Array {
    const parts = [
      2,
      this.#cacheName,
      id,
      kind,
      group,
      receivedAt,
      String(staleAt),
      indexes,
      order,
      protection,
      digestOf(meta),
      bodyDigest,
    ];
    return Buffer.from(JSON.stringify(parts));
  }
}

/** Imported once: jose would import raw bytes anew for each signature. */
function imported(key: Uint8Array): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', Uint8Array.from(key), algorithm, false, ['sign', 'verify']);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Entry, EntrySummary } from '../models/entry.js';
import { derivedKey, keyId } from './keys.js';

const ALGORITHM = 'aes-256-gcm';
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key is known by its id, which stands before what it encrypted. */
interface CipherKey {
  readonly id: Buffer;
  readonly key: Uint8Array;
}

/** Metadata and, where it was read, body in the clear; or why they cannot be had. */
export type Opened =
  | { readonly meta: Uint8Array; readonly body: Uint8Array | undefined }
  | { readonly invalid: 'unknown-key' | 'cannot-decrypt' };

/**
 * Encrypts entries with AES-256-GCM: metadata and body apart, so that listing needs no bodies. The head, which a store
 * must be able to read, is bound as additional data; the body is bound to its metadata.
 */
export class Cipher {
  readonly #cacheName: string;
  readonly #keys: readonly CipherKey[];

  /** @param keys first the one to encrypt with */
  constructor(keys: readonly Uint8Array[], cacheName: string) {
    this.#cacheName = cacheName;
    this.#keys = keys.map((secret) => {
      const key = derivedKey(secret, 'encrypt');
      return { id: Buffer.from(keyId(key), 'hex'), key };
    });
  }

  seal(entry: Entry): Entry {
    const [current] = this.#keys;
    if (!current) return entry;
    const meta = encrypt(current, entry.meta, this.#bound(entry, 'meta'));
    const body = encrypt(current, entry.body, this.#bound(entry, digestOf(meta)));
    return { ...entry, protection: 'E', meta, body, size: meta.byteLength + body.byteLength };
  }

  /** @param body undefined where only the summary was read */
  open(entry: EntrySummary, body: Uint8Array | undefined): Opened {
    const id = Buffer.from(entry.meta.subarray(0, ID_BYTES));
    const known = this.#keys.find((candidate) => candidate.id.equals(id));
    if (!known) return { invalid: 'unknown-key' };
    try {
      return {
        meta: decrypt(known, entry.meta, this.#bound(entry, 'meta')),
        body: body && decrypt(known, body, this.#bound(entry, digestOf(entry.meta))),
      };
    } catch {
      return { invalid: 'cannot-decrypt' };
    }
  }

  #bound({ id, kind, group, receivedAt, staleAt, indexes, order }: EntrySummary, part: string): Buffer {
    return Buffer.from(
      JSON.stringify([2, this.#cacheName, id, kind, group, receivedAt, String(staleAt), indexes, order, part]),
    );
  }
}

function encrypt({ id, key }: CipherKey, data: Uint8Array, bound: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(bound);
  const encrypted = [cipher.update(data), cipher.final()];
  return Buffer.concat([id, nonce, ...encrypted, cipher.getAuthTag()]);
}

/** @throws where the data, or what is bound to it, is not what was encrypted */
function decrypt({ id, key }: CipherKey, sealed: Uint8Array, bound: Buffer): Buffer {
  const nonceEnd = ID_BYTES + NONCE_BYTES;
  const tagAt = sealed.byteLength - TAG_BYTES;
  if (tagAt < nonceEnd || !id.equals(sealed.subarray(0, ID_BYTES))) throw new RangeError('not encrypted with this key');
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(ID_BYTES, nonceEnd), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(sealed.subarray(tagAt));
  return Buffer.concat([decipher.update(sealed.subarray(nonceEnd, tagAt)), decipher.final()]);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

import { LRUCache } from 'lru-cache';
import type { Entry, EntrySummary } from '../models/entry.js';
import { AesGcmKey } from '../platform/aes-gcm.js';
import { bufferOf } from '../platform/bytes.js';
import { sha256Base64url } from '../platform/digest.js';
import { headText } from './head-text.js';
import { derivedKey, keyId } from './keys.js';

const ID_BYTES = 8;
/** Decrypted metadata that is remembered: entries, and bytes. */
const REMEMBERED = 1_000;
const REMEMBERED_BYTES = 2_000_000;

interface CipherKey {
  /** Stored before the data that the key encrypted. */
  readonly id: Buffer;
  readonly key: AesGcmKey;
}

/** Metadata that was decrypted with a head, and the digest of its encrypted form. */
interface OpenedMetadata {
  readonly head: string;
  readonly encrypted: Buffer;
  readonly meta: Buffer;
  readonly digest: string;
}

/** Decrypted metadata and, if it was read, body; or why they cannot be decrypted. */
export type Decrypted =
  | { readonly meta: Uint8Array; readonly body: Uint8Array | undefined }
  | { readonly invalid: 'unknown-key' | 'cannot-decrypt'; readonly error?: unknown };

/**
 * Encrypts entries with AES-256-GCM: metadata and body separately, so that listings read no bodies. The head, which a
 * store must be able to read, is authenticated as additional data; the body is bound to its metadata.
 */
export class Cipher {
  readonly #cacheName: string;
  readonly #keys: readonly CipherKey[];
  /** By the entry's id: the same bytes under the same head have the same result, so that a hit decrypts the body alone. */
  readonly #opened = new LRUCache<string, OpenedMetadata>({
    max: REMEMBERED,
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ head, encrypted, meta }) => head.length + encrypted.byteLength + meta.byteLength,
  });

  /** @param keys the first encrypts, all decrypt */
  constructor(keys: readonly Uint8Array[], cacheName: string) {
    this.#cacheName = cacheName;
    this.#keys = keys.map((secret) => {
      const key = derivedKey(secret, 'encrypt');
      return { id: Buffer.from(keyId(key), 'hex'), key: new AesGcmKey(key) };
    });
  }

  encrypt(entry: Entry): Entry {
    const [current] = this.#keys;
    if (!current) return entry;
    const { id, key } = current;
    const head = headText(this.#cacheName, entry);
    const meta = Buffer.concat([id, key.encrypt(entry.meta, bound(head, 'meta'))]);
    const body = Buffer.concat([id, key.encrypt(entry.body, bound(head, sha256Base64url(meta)))]);
    return { ...entry, protection: 'E', meta, body, size: meta.byteLength + body.byteLength };
  }

  /** @param body undefined if only the summary was read */
  decrypt(entry: EntrySummary, body: Uint8Array | undefined): Decrypted {
    const id = bufferOf(entry.meta).subarray(0, ID_BYTES);
    const known = this.#keys.find((candidate) => candidate.id.equals(id));
    if (!known) return { invalid: 'unknown-key' };
    try {
      const head = headText(this.#cacheName, entry);
      // Listings would fill the memory.
      if (!body) return { meta: decrypt(known, entry.meta, bound(head, 'meta')), body };
      const { meta, digest } = this.#openMetadata(known, entry, head);
      return { meta, body: decrypt(known, body, bound(head, digest)) };
    } catch (error) {
      return { invalid: 'cannot-decrypt', error };
    }
  }

  #openMetadata(key: CipherKey, { id, meta: encrypted }: EntrySummary, head: string): OpenedMetadata {
    const known = this.#opened.get(id);
    if (known && known.head === head && known.encrypted.equals(encrypted)) return known;
    const meta = decrypt(key, encrypted, bound(head, 'meta'));
    // A copy, since a view of a stored value would keep all of it in memory.
    const opened = { head, encrypted: Buffer.from(encrypted), meta, digest: sha256Base64url(encrypted) };
    this.#opened.set(id, opened);
    return opened;
  }
}

/** The additional data of a part: the head and, of the body, the digest of the encrypted metadata. */
function bound(head: string, part: string): Buffer {
  return Buffer.from(`${head} ${part}`);
}

/** @throws Error if the data, or the additional data, differs from what was encrypted */
function decrypt({ id, key }: CipherKey, data: Uint8Array, additional: Buffer): Buffer {
  if (!id.equals(bufferOf(data).subarray(0, ID_BYTES)))
    throw new RangeError('not encrypted with the key of the metadata');
  return key.decrypt(data.subarray(ID_BYTES), additional);
}

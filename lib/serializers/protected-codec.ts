import type { Entry, EntrySummary } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import { chain, type MaybePromise, recover } from '../platform/maybe-promise.js';
import type { InvalidReason } from '../policy/reasons.js';
import type { Decoded, EntryCodec } from './codec.js';
import { compactEntry } from './compact-record.js';
import type { Cipher } from './encryption.js';
import type { PlainCodec } from './plain-codec.js';
import type { Signer } from './signing.js';

export interface ProtectionOptions {
  readonly signer: Signer | undefined;
  readonly cipher: Cipher | undefined;
  /** Whether the store keeps entries as objects. */
  readonly keepsObjects: boolean;
}

/** Signs or encrypts, or both, the entries of a plain codec. Refuses entries without the protection that is set. */
export class ProtectedCodec implements EntryCodec {
  readonly encrypts: boolean;
  readonly #plain: PlainCodec;
  readonly #signer: Signer | undefined;
  readonly #cipher: Cipher | undefined;
  readonly #keepsObjects: boolean;

  constructor(plain: PlainCodec, { signer, cipher, keepsObjects }: ProtectionOptions) {
    this.encrypts = cipher !== undefined;
    this.#plain = plain;
    this.#signer = signer;
    this.#cipher = cipher;
    this.#keepsObjects = keepsObjects;
  }

  get packsBodies(): boolean {
    return this.#plain.packsBodies;
  }

  names(key: string): readonly [string, ...string[]] {
    return this.#plain.names(key);
  }

  indexDigests(name: string): readonly [string, ...string[]] {
    return this.#plain.indexDigests(name);
  }

  encode(record: StoredRecord): MaybePromise<Entry> {
    const entry = chain(this.#plain.encode(record), (plain) => {
      const encrypted = this.#cipher ? this.#cipher.encrypt(plain) : plain;
      return this.#signer ? this.#signer.sign(encrypted) : encrypted;
    });
    return this.#keepsObjects ? chain(entry, compactEntry) : entry;
  }

  decode(entry: Entry, asked?: string): MaybePromise<Decoded> {
    return this.#decode(entry, entry.body, asked);
  }

  decodeSummary(summary: EntrySummary, asked?: string): MaybePromise<Decoded> {
    return this.#decode(summary, undefined, asked);
  }

  #decode(entry: EntrySummary, body: Uint8Array | undefined, asked: string | undefined): MaybePromise<Decoded> {
    return recover<Decoded>(
      () => {
        if (entry.kind === 'unknown') return { invalid: 'unreadable' };
        const invalid = this.#missingProtection(entry) ?? this.#signer?.verify(entry, body);
        if (invalid) return { invalid };
        if (!this.#cipher) return this.#plain.decodePlain({ head: entry, meta: entry.meta, body }, asked);
        const decrypted = this.#cipher.decrypt(entry, body);
        return 'invalid' in decrypted ? decrypted : this.#plain.decodePlain({ head: entry, ...decrypted }, asked);
      },
      (error) => ({ invalid: 'unreadable', error }),
    );
  }

  #missingProtection({ protection }: EntrySummary): InvalidReason | undefined {
    const [signed, encrypted] = [protection === 'S' || protection === 'B', protection === 'E' || protection === 'B'];
    if (this.#signer && !signed) return 'unsigned';
    if (this.#cipher && !encrypted) return 'not-encrypted';
    return (signed && !this.#signer) || (encrypted && !this.#cipher) ? 'key-missing' : undefined;
  }
}

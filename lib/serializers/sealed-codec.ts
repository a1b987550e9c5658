import type { Entry, EntrySummary } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import type { Decoded, EntryCodec, InvalidReason } from './codec.js';
import type { Cipher } from './encryption.js';
import type { Signer } from './signing.js';

/** Signs entries, encrypts them, or both, over what another codec writes. Nothing unsigned or unencrypted is accepted. */
export class SealedCodec implements EntryCodec {
  readonly encrypts: boolean;
  readonly #inner: EntryCodec;
  readonly #signer: Signer | undefined;
  readonly #cipher: Cipher | undefined;

  constructor(inner: EntryCodec, seals: { readonly signer: Signer | undefined; readonly cipher: Cipher | undefined }) {
    this.#inner = inner;
    this.#signer = seals.signer;
    this.#cipher = seals.cipher;
    this.encrypts = seals.cipher !== undefined;
  }

  names(key: string): readonly [string, ...string[]] {
    return this.#inner.names(key);
  }

  variantName(name: string, variant: string): string {
    return this.#inner.variantName(name, variant);
  }

  indexDigests(name: string): readonly [string, ...string[]] {
    return this.#inner.indexDigests(name);
  }

  async encode(record: StoredRecord): Promise<Entry> {
    const plain = await this.#inner.encode(record);
    const encrypted = this.#cipher ? this.#cipher.seal(plain) : plain;
    return this.#signer ? this.#signer.sign(encrypted) : encrypted;
  }

  async decode(entry: Entry, asked?: string): Promise<Decoded> {
    const opened = await this.#open(entry, entry.body);
    return 'invalid' in opened ? opened : this.#inner.decode({ ...opened, body: opened.body ?? entry.body }, asked);
  }

  async decodeSummary(summary: EntrySummary, asked?: string): Promise<Decoded> {
    const opened = await this.#open(summary, undefined);
    return 'invalid' in opened ? opened : this.#inner.decodeSummary(opened, asked);
  }

  /** The entry as the inner codec wrote it. */
  async #open(
    entry: EntrySummary,
    body: Uint8Array | undefined,
  ): Promise<(EntrySummary & { readonly body: Uint8Array | undefined }) | { readonly invalid: InvalidReason }> {
    if (entry.kind === 'unknown') return { invalid: 'unreadable' };
    const wrong = this.#wrongSeal(entry) ?? (await this.#signer?.verify(entry, body));
    if (wrong) return { invalid: wrong };
    const plain = { ...entry, protection: '' as const, signature: '' };
    if (!this.#cipher) return { ...plain, body };
    const opened = this.#cipher.open(entry, body);
    return 'invalid' in opened ? opened : { ...plain, ...opened };
  }

  #wrongSeal({ protection }: EntrySummary): InvalidReason | undefined {
    const [signed, encrypted] = [protection === 'S' || protection === 'B', protection === 'E' || protection === 'B'];
    if (this.#signer && !signed) return 'unsigned';
    if (this.#cipher && !encrypted) return 'not-encrypted';
    return (signed && !this.#signer) || (encrypted && !this.#cipher) ? 'key-missing' : undefined;
  }
}

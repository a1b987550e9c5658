import * as path from 'node:path';
import type { EntryCodec } from './codec.js';
import { Cipher } from './encryption.js';
import { keyedNaming, plainNaming } from './naming.js';
import { PlainCodec } from './plain-codec.js';
import { SealedCodec } from './sealed-codec.js';
import type { Serializer } from './serializer.js';
import { Signer } from './signing.js';

/** What a cache's codec is made of. */
export interface CodecOptions {
  /** Bound by what is signed or encrypted, without folder and extension. */
  readonly cacheName: string;
  readonly serializer: Serializer;
  readonly secretKeys: readonly Uint8Array[] | undefined;
  readonly encryptionKeys: readonly Uint8Array[] | undefined;
}

export function openCodec({ cacheName, serializer, secretKeys, encryptionKeys }: CodecOptions): EntryCodec {
  const [first, ...older] = encryptionKeys ?? [];
  const plain = new PlainCodec(serializer, first ? keyedNaming([first, ...older]) : plainNaming);
  if (!secretKeys && !encryptionKeys) return plain;
  const { name } = path.parse(cacheName);
  return new SealedCodec(plain, {
    signer: secretKeys && new Signer(secretKeys, name),
    cipher: encryptionKeys && new Cipher(encryptionKeys, name),
  });
}

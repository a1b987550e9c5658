import * as path from 'node:path';
import type { EntryCodec } from './codec.js';
import { Cipher } from './encryption.js';
import { keyedNaming, plainNaming } from './naming.js';
import { PlainCodec } from './plain-codec.js';
import { ProtectedCodec } from './protected-codec.js';
import type { Serializer } from './serializer.js';
import { Signer } from './signing.js';

export interface CodecOptions {
  /** Signed and bound by encryption, without folder and extension. */
  readonly cacheName: string;
  readonly serializer: Serializer;
  readonly secretKeys?: readonly Uint8Array[] | undefined;
  readonly encryptionKeys?: readonly Uint8Array[] | undefined;
  /** Whether the store returns the same entry objects that it got. Default: `false`. */
  readonly keepsObjects?: boolean;
}

export function openCodec(options: CodecOptions): EntryCodec {
  const { cacheName, serializer, secretKeys, encryptionKeys, keepsObjects = false } = options;
  const [first, ...older] = encryptionKeys ?? [];
  const naming = first ? keyedNaming([first, ...older]) : plainNaming;
  if (!secretKeys && !encryptionKeys) return new PlainCodec(serializer, naming, keepsObjects);
  const { name } = path.parse(cacheName);
  return new ProtectedCodec(new PlainCodec(serializer, naming), {
    signer: secretKeys && new Signer(secretKeys, name),
    cipher: encryptionKeys && new Cipher(encryptionKeys, name),
    keepsObjects,
  });
}

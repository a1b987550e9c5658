import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** AES-256-GCM with one key. Encrypted data is a random nonce of 12 bytes, the ciphertext, and the tag of 16 bytes. */
export class AesGcmKey {
  readonly #key: KeyObject;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** @param additional authenticated with the data, not stored */
  encrypt(data: Uint8Array, additional: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(additional);
    const encrypted = [cipher.update(data), cipher.final()];
    return Buffer.concat([nonce, ...encrypted, cipher.getAuthTag()]);
  }

  /** @throws Error if the data or `additional` differ from the encrypted data */
  decrypt(encrypted: Uint8Array, additional: Uint8Array): Buffer {
    const tagAt = encrypted.byteLength - TAG;
    if (tagAt < NONCE) throw new RangeError('encrypted data is too short');
    const decipher = createDecipheriv(ALGORITHM, this.#key, encrypted.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(additional).setAuthTag(encrypted.subarray(tagAt));
    const data = decipher.update(encrypted.subarray(NONCE, tagAt));
    // GCM is a stream mode: all of the data comes from `update`, `final` only checks the tag.
    decipher.final();
    return data;
  }
}

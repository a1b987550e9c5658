import type { StoredRecord } from '../models/record.js';
import { sha256 } from '../platform/digest.js';
import { HmacKey } from '../platform/hmac.js';
import { memoize } from '../platform/memo.js';
import { derivedKey } from './keys.js';

/** Names in a store: the current one first, then those under older encryption keys. */
type Names = readonly [string, ...string[]];

/** Derives the names of keys and of index members in a store. */
export interface Naming {
  names(key: string): Names;
  indexDigests(name: string): Names;
}

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const INDEX_DIGEST_LENGTH = 32;

/** Keys that are digests are names; others are hashed. */
export const plainNaming: Naming = {
  names: /* @__PURE__ */ memoize((key) => [HEX_DIGEST.test(key) ? key : sha256(key)]),
  indexDigests: (name) => [sha256(name).slice(0, INDEX_DIGEST_LENGTH)],
};

/** Names by keyed digests, from which nothing can be learned without the encryption key. */
export function keyedNaming([first, ...older]: readonly [Uint8Array, ...Uint8Array[]]): Naming {
  const current = new HmacKey(derivedKey(first, 'name'));
  const rest = older.map((key) => new HmacKey(derivedKey(key, 'name')));
  const each = (digest: (key: HmacKey) => string): Names => [digest(current), ...rest.map(digest)];
  return {
    // A hit needs the names of its key twice.
    names: memoize((key) => each((by) => by.digest(`key ${key}`, 'hex'))),
    indexDigests: (name) => each((by) => by.digest(`index ${name}`, 'hex').slice(0, INDEX_DIGEST_LENGTH)),
  };
}

/** Returns the storage key of a record, given a storage key of its cache key. */
export function nameOfRecord(name: string, record: StoredRecord): string {
  return record.kind === 'response' ? variantName(name, record.variant) : name;
}

/** Returns the storage key of a variant, given a storage key of its cache key: that itself if the digest is empty. */
export function variantName(name: string, variant: string): string {
  return variant === '' ? name : `${name}.${variant}`;
}

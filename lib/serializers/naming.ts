import { sha256 } from '../platform/digest.js';
import { derivedKey, keyedDigest } from './keys.js';

/** Derives the names of keys and of index members in a store: the current one first, then those under older encryption keys. */
export interface Naming {
  names(key: string): readonly [string, ...string[]];
  indexDigests(name: string): readonly [string, ...string[]];
}

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const INDEX_DIGEST_LENGTH = 32;

/** Keys that are digests stand for themselves. */
export const plainNaming: Naming = {
  names: (key) => [HEX_DIGEST.test(key) ? key : sha256(key)],
  indexDigests: (name) => [sha256(name).slice(0, INDEX_DIGEST_LENGTH)],
};

/** Names that tell nothing to whom lacks the key. */
export function keyedNaming([first, ...older]: readonly [Uint8Array, ...Uint8Array[]]): Naming {
  const current = derivedKey(first, 'name');
  const rest = older.map((key) => derivedKey(key, 'name'));
  const each = (digest: (key: Uint8Array) => string): readonly [string, ...string[]] => [
    digest(current),
    ...rest.map(digest),
  ];
  return {
    names: (key) => each((by) => keyedDigest(by, `key ${key}`)),
    indexDigests: (name) => each((by) => keyedDigest(by, `index ${name}`).slice(0, INDEX_DIGEST_LENGTH)),
  };
}

import { sha256 } from '../platform/digest.js';
import { derivedKey, keyedDigest } from './keys.js';

/** How keys and URLs are named in a store; the current name first, further ones where older keys rotate out. */
export interface Naming {
  names(key: string): readonly [string, ...string[]];
  urlDigests(url: string): readonly [string, ...string[]];
}

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const URL_DIGEST_LENGTH = 32;

/** Keys that are digests stand for themselves. */
export const plainNaming: Naming = {
  names: (key) => [HEX_DIGEST.test(key) ? key : sha256(key)],
  urlDigests: (url) => [sha256(url).slice(0, URL_DIGEST_LENGTH)],
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
    urlDigests: (url) => each((by) => keyedDigest(by, `url ${url}`).slice(0, URL_DIGEST_LENGTH)),
  };
}

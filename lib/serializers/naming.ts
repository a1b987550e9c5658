import { LRUCache } from 'lru-cache';
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
/** Names that are remembered, and the longest key (in characters) for which they are. */
const REMEMBERED = 4_000;
const REMEMBERED_LENGTH = 500;

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
  // A hit needs the names of its key twice.
  const remembered = new LRUCache<string, Names>({ max: REMEMBERED });
  return {
    names(key) {
      const known = remembered.get(key);
      if (known) return known;
      const names = each((by) => by.digest(`key ${key}`, 'hex'));
      if (key.length <= REMEMBERED_LENGTH) remembered.set(key, names);
      return names;
    },
    indexDigests: (name) => each((by) => by.digest(`index ${name}`, 'hex').slice(0, INDEX_DIGEST_LENGTH)),
  };
}

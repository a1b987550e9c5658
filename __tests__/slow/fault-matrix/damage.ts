/** Kinds of damage of an entry's bytes. Each of ten entries gets another. */
const KINDS: readonly ((bytes: Buffer) => Buffer)[] = [
  () => Buffer.alloc(0),
  (bytes) => bytes.subarray(0, bytes.length / 2),
  (bytes) => bytes.subarray(0, -1),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes) => flipped(bytes, 0),
  (bytes) => flipped(bytes, bytes.length - 1),
  (bytes) => flipped(bytes, bytes.length >> 1),
  () => Buffer.from('not of this cache'),
  () => Buffer.from('{"value":{"status":200,"data":"foreign"},"expires":null}'),
  (bytes) => Buffer.alloc(bytes.length, '0'),
];

/** The number of entries that are damaged. */
export const DAMAGED = KINDS.length;

/** Returns the bytes of an entry with a kind of damage. @param kind from 0 to {@link DAMAGED} - 1 */
export function damaged(bytes: Uint8Array, kind: number): Buffer {
  return KINDS[kind % KINDS.length]?.(Buffer.from(bytes)) ?? Buffer.alloc(0);
}

/** The upper bit stays, so that text stays text. */
function flipped(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** Slots of a Redis Cluster, and hash tags that spread a cache over them. */

const SLOTS = 16_384;

/** Returns the hash slot of a key whose hash tag is at its beginning (Redis Cluster specification: CRC16-XMODEM of the tag). */
export function hashSlot(key: string): number {
  const tag = key.slice(1, key.indexOf('}'));
  let crc = 0;
  for (let at = 0; at < tag.length; at += 1) {
    crc ^= tag.charCodeAt(at) << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}

/**
 * Returns the hash tags of the shards of a cache. One shard has the cache's name. Several are spread evenly over the slots, so that
 * masters with as many slots each get as many shards each: tag number `n` is in the `n`th part of the slots. The tags
 * contain the number of shards, since caches with another number share no entries.
 */
export function shardTags(cacheName: string, shards: number): readonly string[] {
  if (shards === 1) return [cacheName];
  const tags: string[] = new Array(shards);
  for (let missing = shards, attempt = 0; missing > 0; attempt += 1) {
    const tag = `${cacheName}:${shards}:${attempt.toString(36)}`;
    const part = Math.floor((hashSlot(`{${tag}}`) * shards) / SLOTS);
    if (tags[part] !== undefined) continue;
    tags[part] = tag;
    missing -= 1;
  }
  return tags;
}

/** Returns the number of the shard of an id by its first hex digits: variants are with the cache key that they begin with. */
export function shardOf(id: string, shards: number): number {
  if (shards === 1) return 0;
  const prefix = Number.parseInt(id.slice(0, 8), 16);
  return Number.isNaN(prefix) ? 0 : prefix % shards;
}

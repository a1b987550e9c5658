import { createHash } from 'node:crypto';
import { DIGEST_LENGTH, FIELDS, HEAD_LENGTH, MAGIC } from '../stored-form.js';
import type { Redis, Words } from './client.js';
import { replyCode } from './failures.js';

/**
 * Lua scripts, each one atomic step on the server. No script has the flags of Redis 7, so that all run on older servers;
 * without flags, a server that is out of memory runs scripts that only delete, and refuses the others at their first write.
 *
 * All keys are declared but the sets that a stored entry is in: only its row names them. They have the hash tag of the declared
 * keys. Dragonfly permits them by the first line of a script, which is a comment to others.
 */
const UNDECLARED_SETS = '--!df flags=allow-undeclared-keys';

/** A script and the SHA-1 digest under which servers remember it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Runs a script on the server of its first key, by its digest if the server knows it. */
export async function runScript(
  redis: Redis,
  { text, sha }: Script,
  keys: readonly string[],
  parameters: Words,
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...parameters];
  const [first = ''] = keys;
  try {
    return await redis.send(first, ['EVALSHA', sha, ...rest]);
  } catch (error) {
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return redis.send(first, ['EVAL', text, ...rest]);
  }
}

/** Milliseconds that a set outlives its rows: a server that evicts by time to live then evicts the rows first. */
const MARGIN = 60_000;
/** Microseconds that an invalidation is remembered, and the number of those that are. */
const REMEMBERED = 2 * 3_600 * 1_000_000;
const MOST_REMEMBERED = 10_000;

/** Offsets of a field of the stored form, as Lua's `string.sub` and GETRANGE count them. */
function sub([offset, length]: readonly [number, number]): string {
  return `${offset + 1}, ${offset + length}`;
}

/** Bytes of a row that contain head and digests of nearly every entry. */
const START = HEAD_LENGTH + 4 * DIGEST_LENGTH;

/**
 * Functions for the beginning of a stored value. `startOf` returns at least head and digests of a row, `nil` if there is no
 * entry in the stored form. `leave` removes an id from the sets that its former value names and the new one (if any) does not;
 * `prefix` is that of the keys of sets, `{tag}:`.
 */
const HEAD = `
  local function digestsEnd(start)
    return ${HEAD_LENGTH} + ${DIGEST_LENGTH} * (tonumber(string.sub(start, ${sub(FIELDS.indexCount)})) or 0)
  end
  local function startOf(row)
    local start = redis.pcall('GETRANGE', row, 0, ${START - 1})
    if type(start) ~= 'string' or #start < ${HEAD_LENGTH} or string.sub(start, ${sub(FIELDS.magic)}) ~= '${MAGIC}' then return nil end
    local last = digestsEnd(start)
    if last > ${START} then return redis.call('GETRANGE', row, 0, last - 1) end
    return start
  end
  local function isDirect(start)
    local kind = string.sub(start, ${sub(FIELDS.kind)})
    return kind == 'r' or kind == 'v'
  end
  local function groupOf(start) return string.sub(start, ${sub(FIELDS.group)}) end
  local function digestsOf(start) return string.sub(start, ${HEAD_LENGTH + 1}, digestsEnd(start)) end
  local function leave(prefix, id, start, new)
    local group, kept = groupOf(start), new and digestsOf(new) or ''
    if group ~= id and not (new and groupOf(new) == group) then redis.pcall('SREM', prefix .. 'g:' .. group, id) end
    for at = ${HEAD_LENGTH + 1}, digestsEnd(start), ${DIGEST_LENGTH} do
      local digest = string.sub(start, at, at + ${DIGEST_LENGTH - 2})
      if not string.find(kept, digest, 1, true) then redis.pcall('SREM', prefix .. 'u:' .. digest, id) end
    end
  end
`;

/**
 * The orders of invalidations are members of a sorted set: `last`, the order of the last one; `all`, that of the last one of
 * everything; a digest, that of its last one; `first`: entries with a lower order are refused, since earlier invalidations are
 * forgotten. A server may evict the set: entries with an order are then refused until it is begun again.
 */
const ORDERS = `
  local function orderOf(orders, member)
    local reply = redis.pcall('ZSCORE', orders, member)
    if type(reply) == 'string' then return tonumber(reply) end
  end
  local function digits(number) return string.format('%.0f', number) end
  local function raise(orders, order, member)
    local present = orderOf(orders, member)
    if not present or present < order then redis.call('ZADD', orders, digits(order), member) end
  end
  local function begin(orders, order)
    if orderOf(orders, 'first') and orderOf(orders, 'last') then return end
    if redis.call('EXISTS', orders) == 1 then redis.call('DEL', orders) end
    redis.call('ZADD', orders, digits(order), 'first', digits(order), 'last')
  end
  local function nextOrder(orders)
    local time, last = redis.call('TIME'), orderOf(orders, 'last')
    local order = tonumber(time[1]) * 1000000 + tonumber(time[2])
    if last and order <= last then return last + 1 end
    return order
  end
`;

/** KEYS: orders. ARGV: an order, or empty for the next one: the order to begin with if there is none. Returns the last order. */
export const BEGIN_ORDERS = script(`${ORDERS}
  begin(KEYS[1], tonumber(ARGV[1]) or nextOrder(KEYS[1]))
  return digits(orderOf(KEYS[1], 'last'))`);

/**
 * KEYS: orders. ARGV: empty for the next order, else an order and the one before it in the first shard; digests, or none for
 * everything. Returns the order and the one before it.
 */
export const INVALIDATE = script(`${ORDERS}
  local order, before = tonumber(ARGV[1]) or nextOrder(KEYS[1]), tonumber(ARGV[2])
  begin(KEYS[1], before or order)
  before = orderOf(KEYS[1], 'last')
  raise(KEYS[1], order, 'last')
  if #ARGV == 2 then raise(KEYS[1], order, 'all') end
  for number = 3, #ARGV do raise(KEYS[1], order, ARGV[number]) end
  local forgotten = order - ${REMEMBERED}
  local excess = redis.call('ZCARD', KEYS[1]) - ${MOST_REMEMBERED}
  if excess > 0 then
    local newest = redis.call('ZRANGE', KEYS[1], excess - 1, excess - 1, 'WITHSCORES')
    forgotten = math.max(forgotten, tonumber(newest[2]))
  end
  if forgotten > orderOf(KEYS[1], 'first') then
    -- Digests alone are forgotten: one call may have more of them than are remembered, and their order is the last one.
    local last, all = orderOf(KEYS[1], 'last'), orderOf(KEYS[1], 'all')
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', digits(forgotten))
    redis.call('ZADD', KEYS[1], digits(forgotten), 'first', digits(last), 'last')
    if all then redis.call('ZADD', KEYS[1], digits(all), 'all') end
  end
  return { digits(order), digits(before) }`);

/** Adds an id to a set that lives as long as the longest of its rows; \`life\` is that of the row, 0 without a limit. */
const JOIN = `
  -- A value of another type under a key of the cache was planted there.
  local function replacing(command, key, ...)
    local reply = redis.pcall(command, key, ...)
    if type(reply) == 'table' and reply.err then
      redis.call('DEL', key)
      redis.call(command, key, ...)
    end
  end
  local function join(set, id, life)
    local remaining = life > 0 and redis.call('PTTL', set)
    replacing('SADD', set, id)
    if life == 0 then redis.call('PERSIST', set)
    elseif remaining == -2 or remaining >= 0 and remaining < life + ${MARGIN} then
      redis.call('PEXPIRE', set, life + ${MARGIN})
    end
  end
`;

/** KEYS: a set. ARGV: an id, the milliseconds that its row lives. */
export const JOIN_SET = script(`${JOIN}
  join(KEYS[1], ARGV[1], tonumber(ARGV[2]))
  return 1`);

/**
 * Writes entries with their places in the index, if none of their names was invalidated after their order. A redirect does
 * not replace a response or a variant marker. A single entry can be written in place of a certain other one alone: that is
 * stored, so that no invalidation has deleted it.
 *
 * KEYS: responses, others, orders, then for each entry its row and its sets.
 * ARGV: the prefix of sets; the bytes with which the entry to be replaced begins, empty for any; for each entry id, kind, order, staleAt, milliseconds to live (0: no limit), value, number of sets, number of names by
 * which it is invalidated, those names. Kinds, digests and group are also in the value.
 *
 * Returns 1, 0 if refused, or -1 if it does not know the orders of invalidations.
 */
export const PUT = script(`${UNDECLARED_SETS}
  ${HEAD}${ORDERS}${JOIN}
  local first, all, reply = orderOf(KEYS[3], 'first'), orderOf(KEYS[3], 'all') or 0, 1
  local entries, key, at, replaced = {}, 4, 3, ARGV[2]
  if replaced ~= '' and redis.pcall('GETRANGE', KEYS[4], 0, #replaced - 1) ~= replaced then return 0 end
  while at <= #ARGV do
    local entry = { row = KEYS[key], id = ARGV[at], kind = ARGV[at + 1], staleAt = ARGV[at + 3], life = tonumber(ARGV[at + 4]),
      value = ARGV[at + 5], sets = {} }
    local order, sets, names = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
    for place = 1, sets do entry.sets[place] = KEYS[key + place] end
    if replaced == '' then
      if order > 0 and not first then return -1 end
      if order < all or order > 0 and order < first then reply = 0 end
      for place = at + 8, at + 7 + names do
        if order < (orderOf(KEYS[3], ARGV[place]) or 0) then reply = 0 end
      end
    end
    entries[#entries + 1] = entry
    key, at = key + 1 + sets, at + 8 + names
  end
  if reply == 0 then return 0 end
  for _, entry in ipairs(entries) do
    local start = startOf(entry.row)
    if not (entry.kind == 'd' and start and isDirect(start)) then
      if entry.life > 0 then redis.call('SET', entry.row, entry.value, 'PX', entry.life)
      else redis.call('SET', entry.row, entry.value) end
      local place, other = KEYS[2], KEYS[1]
      if entry.kind == 'r' then place, other = other, place end
      replacing('ZADD', place, entry.staleAt, entry.id)
      redis.pcall('ZREM', other, entry.id)
      for _, set in ipairs(entry.sets) do join(set, entry.id, entry.life) end
      if start then leave(ARGV[1], entry.id, start, entry.value) end
    end
  end
  return 1`);

/**
 * Deletes entries with their places in the index.
 *
 * KEYS: responses, others, then rows. ARGV: the prefix of sets; empty, or the latest \`staleAt\` of entries to delete; then 1 if
 * these are responses, 2 for others; the ids of the rows.
 *
 * Returns the number of responses, and of values that are no entries; then id and group of each redirect.
 */
export const DELETE = script(`${UNDECLARED_SETS}
  ${HEAD}
  local prefix, latest, kind = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local expired
  if latest ~= '' then
    expired = {}
    local ids = redis.call('ZRANGEBYSCORE', KEYS[kind], '-inf', latest, 'LIMIT', 0, #KEYS - 2)
    for _, id in ipairs(ids) do expired[id] = true end
  end
  local ids, rows, others, reply = {}, {}, 0, { 0 }
  for number = 3, #KEYS do
    local id, row = ARGV[number + 1], KEYS[number]
    if not expired or expired[id] then
      local start = startOf(row)
      if start then
        leave(prefix, id, start)
        local kind = string.sub(start, ${sub(FIELDS.kind)})
        if kind ~= 'r' then others = others + 1 end
        if kind == 'd' then
          reply[#reply + 1] = id
          reply[#reply + 1] = groupOf(start)
        end
      end
      ids[#ids + 1], rows[#rows + 1] = id, row
    end
  end
  if #ids == 0 then return reply end
  redis.pcall('ZREM', KEYS[1], unpack(ids))
  redis.pcall('ZREM', KEYS[2], unpack(ids))
  reply[1] = redis.call('UNLINK', unpack(rows)) - others
  return reply`);

/**
 * Removes ids from a place in the index if they have no entry, or one that is not in that place any more; ids of
 * entries that were written meanwhile stay.
 *
 * KEYS: the place, then rows. ARGV: ZREM or SREM; the group or digest of a set, else ''; the ids of the rows.
 */
export const FORGET = script(`${HEAD}
  local name = ARGV[2]
  for number = 2, #KEYS do
    local isLive
    if name == '' then isLive = redis.call('EXISTS', KEYS[number]) == 1
    else
      local start = startOf(KEYS[number])
      isLive = start and (groupOf(start) == name or string.find(digestsOf(start), name, 1, true))
    end
    if not isLive then redis.pcall(ARGV[1], KEYS[1], ARGV[number + 1]) end
  end
  return 0`);

/**
 * KEYS: lease. ARGV: holder, milliseconds. Returns 1 if the holder has it now. A value of another type, or without a time to
 * live, is no lease: it was planted there.
 */
export const ACQUIRE = script(`
  local holder = redis.pcall('GET', KEYS[1])
  if type(holder) == 'string' and holder ~= ARGV[1] and redis.call('PTTL', KEYS[1]) >= 0 then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`);

/** KEYS: lease. ARGV: holder. */
export const RELEASE = script(`
  if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return 0`);

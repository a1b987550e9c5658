import { createHash } from 'node:crypto';
import { DIGEST_LENGTH, FIELDS, HEAD_LENGTH, MAGIC } from '../stored-form.js';
import type { Redis, Words } from './client.js';
import { replyCode } from './failures.js';

/**
 * Lua scripts, each one atomic step on the server. All keys are declared. No script has the flags of Redis 7, so that all
 * run on older servers; without flags, a server that is out of memory runs scripts that only delete, and refuses the others
 * at their first write.
 */

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

/**
 * Functions for the parts of a stored head. `namesIn` returns group and digests of a row as one text, `nil` if the row is
 * absent or is no entry in the stored form.
 */
const HEAD = `
  local function isEntry(head)
    return type(head) == 'string' and #head == ${HEAD_LENGTH} and string.sub(head, ${sub(FIELDS.magic)}) == '${MAGIC}'
  end
  local function headOf(row)
    local head = redis.pcall('GETRANGE', row, 0, ${HEAD_LENGTH - 1})
    if isEntry(head) then return head end
  end
  local function isDirect(head)
    local kind = string.sub(head, ${sub(FIELDS.kind)})
    return kind == 'r' or kind == 'v'
  end
  local function digestsLength(head)
    return ${DIGEST_LENGTH} * (tonumber(string.sub(head, ${sub(FIELDS.indexCount)})) or 0)
  end
  local function namesIn(row, head)
    local names, length = string.sub(head, ${sub(FIELDS.group)}), digestsLength(head)
    if length == 0 then return names end
    return names .. redis.call('GETRANGE', row, ${HEAD_LENGTH}, ${HEAD_LENGTH} + length - 1)
  end
`;

/**
 * The orders of invalidations are members of a sorted set: `last`, the order of the last one; `all`, that of the last one of
 * everything; a digest, that of its last one; `first`: what happened at or before is forgotten, so that entries with a lower order
 * are refused. A server may evict the set: entries with an order are then refused until requests have a new one.
 */
const ORDERS = `
  local function orderOf(orders, member)
    local reply = redis.pcall('ZSCORE', orders, member)
    if type(reply) == 'string' then return tonumber(reply) end
  end
  local function digits(number) return string.format('%.0f', number) end
  local function nextOrder(orders)
    local time, last = redis.call('TIME'), orderOf(orders, 'last')
    local order = tonumber(time[1]) * 1000000 + tonumber(time[2])
    if last and order <= last then order = last + 1 end
    if not orderOf(orders, 'first') then
      if redis.call('EXISTS', orders) == 1 then redis.call('DEL', orders) end
      redis.call('ZADD', orders, digits(order), 'first')
    end
    redis.call('ZADD', orders, digits(order), 'last')
    return order
  end
`;

/** KEYS: orders. Returns the order of the last invalidation; begins the order if there is none. */
export const CURRENT_ORDER = script(`${ORDERS}
  return digits(orderOf(KEYS[1], 'first') and orderOf(KEYS[1], 'last') or nextOrder(KEYS[1]))`);

/** KEYS: orders. ARGV: digests; none: everything. Returns the new order. */
export const INVALIDATE = script(`${ORDERS}
  local order = nextOrder(KEYS[1])
  if #ARGV == 0 then redis.call('ZADD', KEYS[1], digits(order), 'all') end
  for _, digest in ipairs(ARGV) do redis.call('ZADD', KEYS[1], digits(order), digest) end
  local forgotten = order - ${REMEMBERED}
  local excess = redis.call('ZCARD', KEYS[1]) - ${MOST_REMEMBERED}
  if excess > 0 then
    local newest = redis.call('ZRANGE', KEYS[1], excess - 1, excess - 1, 'WITHSCORES')
    forgotten = math.max(forgotten, tonumber(newest[2]))
  end
  if forgotten > orderOf(KEYS[1], 'first') then
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', digits(forgotten))
    redis.call('ZADD', KEYS[1], digits(forgotten), 'first')
  end
  return digits(order)`);

/**
 * Writes entries with their places in the index, if none of their digests was invalidated after their order. A redirect does
 * not replace a response or a variant marker.
 *
 * KEYS: responses, others, orders, then for each entry its row and its sets.
 * ARGV: for each entry id, kind, order, staleAt, milliseconds to live (0: no limit), value, number of sets, number of digests,
 * digests. Kinds, digests and group are also in the value.
 *
 * Returns 0 if refused, else a list: for each entry that was in sets that it is not in now, its number and its former names.
 */
export const PUT = script(`${HEAD}${ORDERS}
  local first, all, refused = orderOf(KEYS[3], 'first'), orderOf(KEYS[3], 'all') or 0, false
  local entries, key, at = {}, 4, 1
  while at <= #ARGV do
    local entry = { row = KEYS[key], id = ARGV[at], kind = ARGV[at + 1], staleAt = ARGV[at + 3], life = tonumber(ARGV[at + 4]),
      value = ARGV[at + 5], sets = {} }
    local order, sets, digests = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
    for place = 1, sets do entry.sets[place] = KEYS[key + place] end
    if order < all or order > 0 and (not first or order < first) then refused = true end
    for place = at + 8, at + 7 + digests do
      if order < (orderOf(KEYS[3], ARGV[place]) or 0) then refused = true end
    end
    entries[#entries + 1] = entry
    key, at = key + 1 + sets, at + 8 + digests
  end
  if refused then
    if not first then nextOrder(KEYS[3]) end
    return 0
  end

  -- What has another type under a key of the cache was planted there.
  local function replacing(command, key, ...)
    local reply = redis.pcall(command, key, ...)
    if type(reply) == 'table' and reply.err then
      redis.call('DEL', key)
      redis.call(command, key, ...)
    end
  end
  local former = {}
  for number, entry in ipairs(entries) do
    local head = headOf(entry.row)
    if not (entry.kind == 'd' and head and isDirect(head)) then
      local names = head and namesIn(entry.row, head)
      if entry.life > 0 then redis.call('SET', entry.row, entry.value, 'PX', entry.life)
      else redis.call('SET', entry.row, entry.value) end
      local place, other = KEYS[2], KEYS[1]
      if entry.kind == 'r' then place, other = other, place end
      replacing('ZADD', place, entry.staleAt, entry.id)
      redis.pcall('ZREM', other, entry.id)
      for _, set in ipairs(entry.sets) do
        local remaining, life = redis.call('PTTL', set), entry.life + ${MARGIN}
        replacing('SADD', set, entry.id)
        if entry.life == 0 then
          if remaining >= 0 then redis.call('PERSIST', set) end
        elseif remaining == -2 or remaining >= 0 and remaining < life then redis.call('PEXPIRE', set, life) end
      end
      if names and names ~= namesIn(entry.row, string.sub(entry.value, 1, ${HEAD_LENGTH})) then
        former[#former + 1] = number
        former[#former + 1] = names
      end
    end
  end
  return former`);

/**
 * Deletes entries with their places in the index.
 *
 * KEYS: responses, others, then rows, then sets. ARGV: the number of rows; '' or the latest \`staleAt\` of those to delete; for each
 * row its id, the number of its sets and their positions in KEYS.
 *
 * Returns the number of responses, and of values that are no entries.
 */
export const DELETE = script(`${HEAD}
  local rows, latest, deleted = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
  local function isLater(id)
    local staleAt = redis.pcall('ZSCORE', KEYS[1], id) or redis.pcall('ZSCORE', KEYS[2], id)
    return type(staleAt) == 'string' and tonumber(staleAt) > latest
  end
  local at, ids = 3, {}
  for number = 1, rows do
    local id, sets, row = ARGV[at], tonumber(ARGV[at + 1]), KEYS[number + 2]
    if not latest or not isLater(id) then
      local kind = redis.pcall('GETRANGE', row, 0, ${FIELDS.kind[0]})
      local isOther = kind == '${MAGIC}v' or kind == '${MAGIC}d'
      if redis.call('UNLINK', row) == 1 and not isOther then deleted = deleted + 1 end
      ids[#ids + 1] = id
      for place = at + 2, at + 1 + sets do redis.pcall('SREM', KEYS[tonumber(ARGV[place])], id) end
    end
    at = at + 2 + sets
  end
  if #ids > 0 then
    redis.pcall('ZREM', KEYS[1], unpack(ids))
    redis.pcall('ZREM', KEYS[2], unpack(ids))
  end
  return deleted`);

/**
 * Removes ids from a place in the index where they lead to no entry, or to one that is not in that place any more; ids of
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
      local head = headOf(KEYS[number])
      isLive = head and string.find(namesIn(KEYS[number], head), name, 1, true)
    end
    if not isLive then redis.pcall(ARGV[1], KEYS[1], ARGV[number + 1]) end
  end
  return 0`);

/** KEYS: lease. ARGV: holder, milliseconds. Returns 1 if the holder has it now. What has another type was planted there. */
export const ACQUIRE = script(`
  local holder = redis.pcall('GET', KEYS[1])
  if type(holder) == 'string' and holder ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`);

/** KEYS: lease. ARGV: holder. */
export const RELEASE = script(`
  if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return 0`);

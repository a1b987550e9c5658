import type { Entry, EntryKind, EntrySummary } from '../../models/entry.js';
import { batches, counts, fits, putInTurn } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import {
  HEAD_LENGTH,
  instantField,
  packEntry,
  parseEntry,
  parseSummary,
  summaryLength,
  unreadable,
} from '../stored-form.js';
import type { Redis, RedisConnectionOptions } from './client.js';
import { RedisConnection } from './connection.js';

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Seconds that an entry is kept after it expired; the server then lets it go. Default: for ever. */
  readonly retention?: number | undefined;
}

/** Bytes of a row that hold nearly every head with its metadata. */
const SUMMARY_GUESS = 4_096;
const BATCH = 500;
/** One write among so many looks for names whose rows the server let go of by itself, among so many at random. */
const SWEEP_EVERY = 32;
const SWEPT = 64;
/** Milliseconds that a set outlives its rows: a server that evicts what expires first then lets go of the rows before. */
const MARGIN = 60_000;

/** SET NX PX, but for whom it is held already. */
const CLAIM = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0`;
/** Adds a name to sets that live as long as the longest of their rows; 0 is for ever. */
const JOIN = `
  local life = tonumber(ARGV[2])
  for _, set in ipairs(KEYS) do
    local left = redis.call('PTTL', set)
    redis.call('SADD', set, ARGV[1])
    if life == 0 then redis.call('PERSIST', set)
    elseif left == -2 or (left >= 0 and left < life) then redis.call('PEXPIRE', set, life) end
  end
  return 0`;
/** Takes names out of an index where their rows are gone, and leaves those that were written meanwhile. */
const FORGET = `
  for index = 2, #KEYS do
    if redis.call('EXISTS', KEYS[index]) == 0 then redis.call(ARGV[1], KEYS[1], ARGV[index]) end
  end
  return 0`;

/**
 * Entries in Redis, as bytes. Beside each row stand a sorted set of expiries and sets for groups and URLs, written in one
 * MULTI; all keys share a hash tag, so that a cluster takes it. Where the server let go of a row by itself, its name stays
 * in these until a listing or a sweep comes by.
 */
export class RedisStore implements Store {
  readonly name = 'redis';
  readonly #tag: string;
  readonly #connection: RedisConnection;
  readonly #retention: number;
  readonly #now: () => number;

  constructor(cacheName: string, { retention, ...options }: RedisStoreOptions, now: () => number) {
    this.#tag = `{${cacheName}}`;
    this.#connection = new RedisConnection(options);
    this.#retention = retention ?? Number.POSITIVE_INFINITY;
    this.#now = now;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#connection.run(async ({ bytes }) => {
      const row = await bytes.get(this.#row(id));
      return row === null ? undefined : parseEntry(id, row);
    });
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    await this.#connection.run(({ commands }) => {
      const multi = commands.multi();
      const lifetime = Math.max(1, Math.ceil(entry.staleAt + this.#retention * 1000 - this.#now()));
      const limited = Number.isFinite(lifetime);
      multi.set(this.#row(entry.id), packEntry(entry), limited ? { PX: lifetime } : {});
      multi.zAdd(this.#expiries(entry.kind), { score: Number(instantField(entry.staleAt)), value: entry.id });
      const keys = this.#sets(entry);
      if (keys.length > 0) multi.eval(JOIN, { keys, arguments: [entry.id, `${limited ? lifetime + MARGIN : 0}`] });
      return multi.exec();
    });
    if (Math.random() * SWEEP_EVERY < 1) await this.#sweep(this.#expiries(entry.kind));
  }

  deleteGroups(ids: readonly string[]): Promise<number> {
    return this.#connection.run(async (redis) => {
      const members = await Promise.all(ids.map((id) => redis.commands.sMembers(this.#group(id))));
      return this.#remove(redis, [...new Set([...ids, ...members.flat()])]);
    });
  }

  delete(ids: readonly string[]): Promise<number> {
    return this.#connection.run((redis) => this.#remove(redis, ids));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const { index, ids } of this.#candidates(query)) {
      const summaries = await this.#connection.run((redis) => Promise.all(ids.map((id) => this.#summary(redis, id))));
      await this.#forget(
        index,
        ids.filter((_, place) => !summaries[place]),
      );
      for (const summary of summaries) if (summary && fits(summary, query)) yield summary;
    }
  }

  /** Scans, since the index does not know of rows from before the server evicted the index itself. */
  async *clear(): AsyncGenerator<unknown> {
    const MATCH = `${this.#tag.replace(/[[\]?*\\]/g, '\\$&')}:*`;
    let cursor = '0';
    do {
      yield await this.#connection.run(async ({ serverOf }) => {
        const server = await serverOf(this.#expiries('response'));
        const found = await server.scan(cursor, { MATCH, COUNT: 2_000 });
        if (found.keys.length > 0) await server.unlink(found.keys);
        cursor = String(found.cursor);
      });
    } while (cursor !== '0');
  }

  acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#connection.run(async ({ commands }) => {
      const milliseconds = String(Math.max(1, Math.round(seconds * 1000)));
      return (await commands.eval(CLAIM, { keys: [this.#lease(name)], arguments: [holder, milliseconds] })) === 1;
    });
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await this.#connection.run(({ commands }) =>
      commands.eval(RELEASE, { keys: [this.#lease(name)], arguments: [holder] }),
    );
  }

  /** Asks for a key of this cache: a PING would be answered by any node of a cluster. */
  async ready(): Promise<void> {
    await this.#connection.run(({ commands }) => commands.exists(this.#expiries('response')));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #row(id: string): string {
    return `${this.#tag}:r:${id}`;
  }

  #lease(name: string): string {
    return `${this.#tag}:l:${name}`;
  }

  #group(group: string): string {
    return `${this.#tag}:g:${group}`;
  }

  #url(digest: string): string {
    return `${this.#tag}:u:${digest}`;
  }

  /** Responses have a set of their own, since they are what is counted. */
  #expiries(kind: EntryKind): string {
    return `${this.#tag}:e:${kind === 'response' || kind === 'unknown' ? 'responses' : 'others'}`;
  }

  #sets(entry: EntrySummary): string[] {
    return [
      ...(entry.group === entry.id ? [] : [this.#group(entry.group)]),
      ...entry.indexes.map((digest) => this.#url(digest)),
    ];
  }

  /** Names, with the index that has them. */
  async *#candidates({
    group,
    index: url,
    staleBy,
  }: EntryQuery): AsyncGenerator<{ index: string; ids: readonly string[] }> {
    if (group === undefined && url === undefined) {
      for (const kind of ['response', 'redirect'] as const) yield* this.#all(this.#expiries(kind), staleBy);
      return;
    }
    const index = group === undefined ? this.#url(url as string) : this.#group(group);
    const members = await this.#connection.run(({ commands }) => commands.sMembers(index));
    yield { index, ids: group === undefined ? members : [group, ...members] };
  }

  /** A snapshot of the names, in pages: a scan would repeat some where others are written meanwhile. */
  async *#all(index: string, staleBy?: number): AsyncGenerator<{ index: string; ids: readonly string[] }> {
    const until = staleBy === undefined ? '+inf' : Number(instantField(staleBy));
    const all = await this.#connection.run(({ commands }) => commands.zRange(index, '-inf', until, { BY: 'SCORE' }));
    for (const ids of batches(all, BATCH)) yield { index, ids };
  }

  async #summary({ commands, bytes }: Redis, id: string): Promise<EntrySummary | undefined> {
    const row = this.#row(id);
    const start = await bytes.getRange(row, 0, SUMMARY_GUESS - 1);
    if (start.byteLength === 0) return undefined;
    if (start.byteLength < HEAD_LENGTH) return unreadable(id, start.byteLength);
    const whole = summaryLength(start);
    const size = start.byteLength < SUMMARY_GUESS ? start.byteLength : await commands.strLen(row);
    return parseSummary(id, whole > SUMMARY_GUESS ? await bytes.getRange(row, 0, whole - 1) : start, size);
  }

  async #remove(redis: Redis, ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (const batch of batches(ids, BATCH)) {
      const summaries = await Promise.all(batch.map((id) => this.#summary(redis, id)));
      const multi = redis.commands.multi();
      for (const id of batch) multi.del(this.#row(id));
      for (const [index, id] of batch.entries()) {
        const summary = summaries[index];
        multi.zRem(this.#expiries('response'), id).zRem(this.#expiries('redirect'), id);
        for (const set of summary ? this.#sets(summary) : []) multi.sRem(set, id);
      }
      const deleted = await multi.exec();
      // What is deleted is told by the deletion: a replica that is behind still has it, another process may be quicker.
      removed += summaries.filter(
        (summary, index) => summary && counts(summary) && Number(deleted[index]) === 1,
      ).length;
    }
    return removed;
  }

  /** Keeps the index in proportion to the rows where the server evicts them and nobody lists. */
  async #sweep(index: string): Promise<void> {
    const ids = await this.#connection.run(({ commands }) => commands.zRandMemberCount(index, SWEPT)).catch(() => []);
    await this.#forget(index, ids);
  }

  /** Takes out of an index those whose rows are gone. Who lists or puts is none the worse where it fails. */
  async #forget(index: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const command = index.startsWith(`${this.#tag}:e:`) ? 'ZREM' : 'SREM';
    const script = { keys: [index, ...ids.map((id) => this.#row(id))], arguments: [command, ...ids] };
    await this.#connection.run(({ commands }) => commands.eval(FORGET, script)).catch(() => {});
  }
}
